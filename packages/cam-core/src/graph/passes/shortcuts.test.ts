import { describe, expect, test } from "vitest";
import { openSession } from "../../runtime/session.ts";
import { float32, type Tensor } from "../../tensor.ts";
import { rng } from "../../testing/rng.ts";
import { tinyModel } from "../../testing/tiny-models.ts";
import { Builder } from "../builder.ts";
import { checkGraph } from "../check.ts";
import { copyGraph, type Graph } from "../graph.ts";
import { gatherOneHot } from "./gather-one-hot.ts";
import { meanOfExpanded } from "./mean-of-expanded.ts";
import { pruneUnused } from "./prune-unused.ts";

const matrix = float32([3, 2], [1, 2, 3, 4, 5, 6]);

async function run(graph: Graph, feeds: Record<string, Tensor>) {
  checkGraph(graph);
  const session = await openSession(graph, { optimize: "disabled" });
  const { y } = await session.run(feeds);
  await session.close();
  return Array.from(y!.data as Float32Array);
}

function rewritten(graph: Graph, pass: (op: Builder) => void): Graph {
  const copy = copyGraph(graph);
  pass(new Builder(copy));
  pruneUnused(copy);
  return copy;
}

const operators = (graph: Graph) => graph.nodes.map((node) => node.opType);

describe("a one-hot row times a matrix", () => {
  const build = (depth: number, alpha: number) =>
    tinyModel({ i: ["n"] }, (op, { i }) => {
      const hot = op.oneHot(op.cast(i!, "int64"), op.scalar(depth, "int64"), "float32");
      return { y: op.gemm(hot, op.constant(matrix), { alpha }) };
    }).graph;
  const feeds = { i: float32([2], [2, 0]) };

  test("is a row of the matrix", async () => {
    const graph = rewritten(build(3, 1), gatherOneHot);
    expect(operators(graph)).not.toContain("Gemm");
    expect(await run(graph, feeds)).toEqual([5, 6, 1, 2]);
    expect(await run(build(3, 1), feeds)).toEqual([5, 6, 1, 2]);
  });
  test("is a row of the matrix, where the row was laid out for a convolution in between", async () => {
    const laid = tinyModel({ i: ["n"] }, (op, { i }) => {
      const hot = op.unsqueeze(op.oneHot(op.cast(i!, "int64"), op.scalar(3, "int64"), "float32"), [2, 3]);
      const w = op.reshape(op.constant(float32([3, 2, 1, 1], [1, 2, 3, 4, 5, 6])), [3, 2]);
      return { y: op.gemm(op.reshape(hot, [-1, 3]), w) };
    }).graph;
    const graph = rewritten(laid, gatherOneHot);
    expect(operators(graph)).not.toContain("Gemm");
    expect(await run(graph, feeds)).toEqual([5, 6, 1, 2]);
  });
  test.each([
    ["one scale", [], 1],
    ["one per row", [3], 0],
    ["one per column", [2], 1],
  ] as const)("is a row of real numbers where the matrix is quantised, %s", async (_, shape, axis) => {
    const model = tinyModel({ i: ["n"] }, (op, { i }) => {
      const codes = { dtype: "int8" as const, shape: [3, 2, 1], data: Int8Array.of(1, -2, 3, 100, -5, 6) };
      const count = shape[0] ?? 1;
      const scale = op.constant(float32(shape, [0.5, 0.25, 2].slice(0, count)));
      const zero = op.constant({ dtype: "int8", shape, data: Int8Array.of(1, -3, 2).slice(0, count) });
      const w = op.node("DequantizeLinear", [op.constant(codes), scale, zero], { axis })[0]!;
      const hot = op.oneHot(op.cast(i!, "int64"), op.scalar(3, "int64"), "float32");
      return { y: op.gemm(hot, op.reshape(w, [3, 2])) };
    }).graph;
    const graph = rewritten(model, gatherOneHot);
    expect(operators(graph)).not.toContain("DequantizeLinear");
    expect(await run(graph, feeds)).toEqual(await run(model, feeds));
  });
  test("stays a product where it is scaled", async () => {
    const graph = rewritten(build(3, 2), gatherOneHot);
    expect(operators(graph)).toContain("Gemm");
    expect(await run(graph, feeds)).toEqual([10, 12, 2, 4]);
  });
});

describe("the mean of a repeated value", () => {
  const build = (shape: readonly number[], axes: readonly number[]) =>
    tinyModel({ x: ["n", 2, 1, 1] }, (op, { x }) => {
      const large = op.expand(x!, op.concat([op.dim(x!, 0), op.ints(shape)], 0));
      return { y: op.reduceMean(large, { axes }) };
    }).graph;
  const x = rng(1).normal([3, 2, 1, 1]);

  test("is the value, along the repeated axes", async () => {
    const graph = rewritten(build([2, 4, 5], [2, 3]), meanOfExpanded);
    expect(operators(graph)).not.toContain("Expand");
    expect(await run(graph, { x })).toEqual(Array.from(x.data as Float32Array));
  });
  test("is computed along others", async () => {
    const original = build([2, 4, 5], [1, 2, 3]);
    const graph = rewritten(original, meanOfExpanded);
    expect(operators(graph)).toContain("ReduceMean");
    expect(await run(graph, { x })).toEqual(await run(original, { x }));
  });
});
