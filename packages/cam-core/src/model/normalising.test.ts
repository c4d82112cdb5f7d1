import { describe, expect, test } from "vitest";
import type { Builder, Value } from "../graph/builder.ts";
import { float32 } from "../tensor.ts";
import { tinyModel } from "../testing/tiny-models.ts";
import type { Manifest } from "./manifest.ts";
import { preprocessingOf } from "./preprocessing.ts";

const shape = ["n", 3, 8, 8];
const mean = [0.485, 0.456, 0.406];
const std = [0.229, 0.224, 0.225];
const channels = (values: readonly number[]) => float32([3, 1, 1], values);

/** A network that does `entry` to its input, and what is assumed or said of its preprocessing. */
function prepared(entry: (op: Builder, x: Value) => Value, manifest?: Manifest) {
  const model = tinyModel(
    { x: shape },
    (op, { x }) => ({ y: op.reduceMean(op.relu(entry(op, x!)), { axes: [2, 3], keepdims: false }) }),
    manifest ? { manifest } : {},
  );
  return preprocessingOf(model, model.graph.inputs[0]!);
}
const standardise = (op: Builder, x: Value) =>
  op.div(op.sub(x, op.constant(channels(mean))), op.constant(channels(std)));
const bytes = (op: Builder, x: Value) => op.sub(op.div(x, 127.5), 1);
const stated = (input: object): Manifest => ({
  formatVersion: 1,
  name: "m",
  inputs: { x: { layout: "NCHW", size: [8, 8], ...input } },
});

describe("without a manifest, the pixels go in that the graph's own figures are for", () => {
  const caffe = (op: Builder, x: Value) => op.sub(x, op.constant(channels([103.939, 116.779, 123.68])));
  const cases: [string, (op: Builder, x: Value) => Value, [number, number], string][] = [
    ["x / 255", (op, x) => op.div(x, 255), [0, 255], "x / 255"],
    ["−1..1", bytes, [0, 255], "(x − 127.5) / 127.5"],
    [
      "ImageNet's, of bytes",
      (op, x) => standardise(op, op.div(x, 255)),
      [0, 255],
      "(x − [123.7, 116.3, 103.5]) / [58.4, 57.12, 57.37]",
    ],
    ["ImageNet's, of 0..1", standardise, [0, 1], "(x − [0.485, 0.456, 0.406]) · [4.367, 4.464, 4.444]"],
    ["a mean alone", caffe, [0, 255], "x − [103.9, 116.8, 123.7]"],
    ["0..1 to bytes", (op, x) => op.mul(x, 255), [0, 1], "x · 255"],
    ["−1..1 to 0..1", (op, x) => op.mul(op.add(x, 1), 0.5), [-1, 1], "(x + 1) / 2"],
  ];
  test.each(cases)("%s", (_, entry, range, formula) => {
    const { input, assumed, from, graphNormalises, notes } = prepared(entry);
    expect({ range: input.range, mean: input.mean, std: input.std }).toEqual({
      range,
      mean: undefined,
      std: undefined,
    });
    expect([assumed, from, graphNormalises]).toEqual([true, "assumed", formula]);
    expect(notes[0]).toBe(
      `preprocessing was assumed, the model has no manifest: the graph normalises its input itself, ${formula}: pixels go in as ${range.join("..")}`,
    );
  });

  test("torchvision's Inception re-scales what is standardised already: nothing follows from it", () => {
    const { input, graphNormalises, notes } = prepared((op, x) =>
      op.add(
        op.mul(x, op.constant(channels(std.map((s) => s / 0.5)))),
        op.constant(channels(mean.map((m) => (m - 0.5) / 0.5))),
      ),
    );
    expect(input.mean).toEqual(mean);
    expect(graphNormalises).toMatch(/^\(x − \[0\.0655/);
    expect(notes[0]).toMatch(/ImageNet mean and standard deviation$/);
  });

  test("a graph that does nothing of the kind", () => {
    const { input, graphNormalises } = prepared((_, x) => x);
    expect(input.mean).toEqual(mean);
    expect(graphNormalises).toBeUndefined();
  });
});

describe("a manifest that standardises what the graph standardises", () => {
  test("is warned of", () => {
    const { input, notes } = prepared(bytes, stated({ mean, std }));
    expect(input.mean).toEqual(mean); // what is stated is done
    expect(notes).toEqual([
      "the graph normalises its input itself, (x − 127.5) / 127.5: it takes 0..255; the manifest feeds it -2.12..2.64, so pixels are scaled or standardised twice",
    ]);
    expect(prepared(bytes, stated({ range: [0, 1] })).notes).toHaveLength(1);
    expect(prepared(standardise, stated({ range: [0, 255] })).notes).toHaveLength(1);
  });

  test("and one that feeds what it takes is not", () => {
    expect(prepared(bytes, stated({ range: [0, 255] })).notes).toEqual([]);
    expect(prepared(standardise, stated({})).notes).toEqual([]);
    expect(prepared((_, x) => x, stated({ mean, std })).notes).toEqual([]);
  });
});
