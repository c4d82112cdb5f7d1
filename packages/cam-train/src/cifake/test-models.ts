import { Builder, emptyGraph, float32, type Manifest, type ModelFile } from "@camkit/cam-core";
import { area, input, type Pictures, side } from "./pictures.ts";

/** For tests: a model whose scores are weighted sums of the mean of each colour: scores = means · weights [3, K]. */
export function colourModel(weights: readonly (readonly number[])[], rest: Partial<Manifest> = {}): ModelFile {
  const graph = emptyGraph("colours", new Map([["", 18]]));
  graph.inputs.push({ name: "image", dtype: "float32", shape: ["n", 3, side, side] });
  const op = new Builder(graph);
  const seen = op.alias(op.relu("image"), "seen"); // [n, 3, 32, 32]
  const means = op.reduceMean(seen, { axes: [2, 3], keepdims: false });
  const scores = op.matMul(means, op.constant(float32([3, weights[0]!.length], weights.flat())));
  graph.outputs.push({ name: op.alias(scores, "logits"), dtype: "float32", shape: ["n", weights[0]!.length] });
  const classes = rest.classes ?? ["FAKE", "REAL"];
  const manifest: Manifest = { formatVersion: 1, name: "colours", inputs: { image: input }, ...rest, classes };
  manifest.targetLayer = "seen";
  const bytes = new Uint8Array();
  return {
    ...{ name: "colours", path: "colours.onnx", graph, opset: 18, manifest, labels: classes, bytes: bytes.length },
    sha256: () => "",
  };
}

type Rgb = readonly [number, number, number];

/** A disc of radius 8 on even ground. */
export function disc(centre: readonly [x: number, y: number], colour: Rgb, ground: Rgb): Uint8Array {
  const rgb = new Uint8Array(area * 3);
  for (let i = 0; i < area; i++) rgb.set(onDisc(centre, i) ? colour : ground, 3 * i);
  return rgb;
}

export function onDisc([x, y]: readonly [number, number], i: number): boolean {
  return Math.hypot((i % side) + 0.5 - x, Math.floor(i / side) + 0.5 - y) < 8;
}

/** Pictures with the label of each, all of the first kind of object. */
export function picturesOf(given: readonly (readonly [label: number, rgb: Uint8Array])[]): Pictures {
  const pixels = new Uint8Array(given.length * area * 3);
  for (const [i, [, rgb]] of given.entries()) pixels.set(rgb, i * area * 3);
  return {
    count: given.length,
    ids: given.map((_, i) => `${i}.jpg`),
    labels: Uint8Array.from(given, ([label]) => label),
    objects: new Uint8Array(given.length),
    pixels,
  };
}
