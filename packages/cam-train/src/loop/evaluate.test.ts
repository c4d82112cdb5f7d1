import { Builder, emptyGraph, float32, int64, type Tensor } from "@camkit/cam-core";
import { expect, test } from "vitest";
import type { Dataset } from "../data/dataset.ts";
import { evaluateGraph } from "./evaluate.ts";

/** Seven samples x of one number and its negative: logits (x, -x), so class 0 where x is above 0. */
const values = [1, -2, 3, -4, 5, -6, 7];
const field = (shape: number[], dtype: "float32" | "int64") => ({ dtype, shape });
const dataset = {
  count: values.length,
  classes: ["up", "down"],
  labelKind: "class",
  fields: { input: field([1], "float32"), label: field([], "int64") },
  labelOf: (i: number) => Number(values[i]! < 0),
  groupOf: () => undefined,
  idOf: String,
  fingerprint: "",
  report: { stray: [], unreadable: [] },
  source: {
    kind: "arrays",
    inputs: float32([7, 1], values) as Tensor,
    labels: int64(
      [7],
      values.map((x) => Number(x < 0)),
    ) as Tensor,
    input: undefined,
  },
} as Dataset;

function graphOf(batch: number | "n") {
  const graph = emptyGraph("signs", new Map([["", 18]]));
  graph.inputs = [{ name: "x", dtype: "float32", shape: [batch, 1] }];
  const op = new Builder(graph);
  const logits = op.alias(op.concat(["x", op.neg("x")], 1), "logits");
  graph.outputs = [{ name: logits, dtype: "float32", shape: [batch, 2] }];
  return graph;
}

test.each([1, 3, 4, "n"] as const)("a batch of %s: every sample once, in order", async (batch) => {
  const found = await evaluateGraph({ graph: graphOf(batch), dataset, batch: 2, workers: 0, threads: 1 });
  expect(Array.from(found.outputs)).toEqual(values.flatMap((x) => [x, -x]));
  expect(found.labels).toEqual([0, 1, 0, 1, 0, 1, 0]);
});

test("classes that are judged each alone have 0 or 1 for each", async () => {
  const alone = { ...dataset, labelKind: "multi-label" } as Dataset;
  const { labels, scores } = await evaluateGraph({ graph: graphOf("n"), dataset: alone, workers: 0, threads: 1 });
  expect(labels.slice(0, 2)).toEqual([
    [1, 0],
    [0, 1],
  ]);
  expect(scores.kind).toBe("multi-label");
});
