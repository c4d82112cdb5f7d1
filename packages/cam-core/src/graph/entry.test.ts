import { describe, expect, test } from "vitest";
import { float32, int64 } from "../tensor.ts";
import { tinyModel } from "../testing/tiny-models.ts";
import type { Builder, Value } from "./builder.ts";
import { entryAffine } from "./entry.ts";

const weight = float32([2, 3, 1, 1], [1, 2, 3, 4, 5, 6]);
/** A small network whose first convolution reads what `entry` makes of the input. */
const network = (shape: readonly (number | string)[], entry: (op: Builder, x: Value) => Value) =>
  tinyModel({ x: shape }, (op, { x }) => ({
    y: op.reduceMean(op.conv(entry(op, x!), op.constant(weight), {}), { axes: [2, 3], keepdims: false }),
  })).graph;
const per = (values: readonly number[], shape: readonly number[] = [1, 3, 1, 1]) => float32(shape, values);
const nchw = ["n", 3, 8, 8];
const nhwc = ["n", 8, 8, 3];

describe("followed", () => {
  test("(x − mean) / std, channels first", () => {
    const graph = network(nchw, (op, x) => op.div(op.sub(x, op.constant(per([1, 2, 3]))), op.constant(per([2, 4, 8]))));
    expect(entryAffine(graph, "x", nchw, 1)).toEqual({
      from: [0, 1, 2],
      scale: [1 / 2, 1 / 4, 1 / 8],
      offset: [-1 / 2, -2 / 4, -3 / 8],
    });
  });

  test("x / 4 − 1, channels last, the constant in front of the input, too", () => {
    const graph = network(nhwc, (op, x) =>
      op.transpose(op.sub(op.mul(op.constant(float32([], [0.25])), x), 1), [0, 3, 1, 2]),
    );
    expect(entryAffine(graph, "x", nhwc, 3)).toEqual({
      from: [0, 1, 2],
      scale: [0.25, 0.25, 0.25],
      offset: [-1, -1, -1],
    });
    const turned = network(nchw, (op, x) => op.sub(op.constant(per([1, 2, 3])), x));
    expect(entryAffine(turned, "x", nchw, 1)).toEqual({ from: [0, 1, 2], scale: [-1, -1, -1], offset: [1, 2, 3] });
  });

  test("a constant per channel after the transpose that moves the channels", () => {
    const graph = network(nhwc, (op, x) =>
      op.add(op.transpose(x, [0, 3, 1, 2]), op.constant(per([1, 2, 3], [3, 1, 1]))),
    );
    expect(entryAffine(graph, "x", nhwc, 3)?.offset).toEqual([1, 2, 3]);
  });

  test("RGB to BGR as Keras exports it: three slices and a concat, then means", () => {
    const one = (op: Builder, x: Value, c: number) => op.slice(x, { starts: [c], ends: [c + 1], axes: [3] });
    const graph = network(nhwc, (op, x) =>
      op.transpose(
        op.sub(op.concat([one(op, x, 2), one(op, x, 1), one(op, x, 0)], 3), op.constant(per([1, 2, 3], [3]))),
        [0, 3, 1, 2],
      ),
    );
    expect(entryAffine(graph, "x", nhwc, 3)).toEqual({ from: [2, 1, 0], scale: [1, 1, 1], offset: [-1, -2, -3] });
  });

  test("torchvision's detectors: one picture of the batch, standardised without it, and back", () => {
    const graph = network(nchw, (op, x) => {
      const one = op.gather(x, op.constant(int64([], [0])), 0); // [3, 8, 8]
      return op.unsqueeze(
        op.div(op.sub(one, op.constant(per([1, 2, 3], [3, 1, 1]))), op.constant(per([2, 2, 2], [3, 1, 1]))),
        [0],
      );
    });
    expect(entryAffine(graph, "x", nchw, 1)).toEqual({
      from: [0, 1, 2],
      scale: [0.5, 0.5, 0.5],
      offset: [-0.5, -1, -1.5],
    });
  });

  test("a slice backwards, and a gather", () => {
    const back = network(nchw, (op, x) => op.slice(x, { starts: [-1], ends: [-9], axes: [1], steps: [-1] }));
    expect(entryAffine(back, "x", nchw, 1)?.from).toEqual([2, 1, 0]);
    const gathered = network(nchw, (op, x) => op.gather(x, op.ints([2, 0, -2]), 1));
    expect(entryAffine(gathered, "x", nchw, 1)?.from).toEqual([2, 0, 1]);
  });
});

describe("not followed", () => {
  test("nothing is done", () =>
    expect(
      entryAffine(
        network(nchw, (_, x) => x),
        "x",
        nchw,
        1,
      ),
    ).toBeUndefined());

  test("a constant that differs from place to place", () => {
    const place = float32([8], [1, 2, 3, 4, 5, 6, 7, 8]);
    const graph = network(nchw, (op, x) => op.sub(x, op.constant(place)));
    expect(entryAffine(graph, "x", nchw, 1)).toBeUndefined();
  });

  test("two ways in that see different things", () => {
    const graph = network(nchw, (op, x) => op.add(op.relu(x), op.relu(op.mul(x, 2))));
    expect(entryAffine(graph, "x", nchw, 1)).toBeUndefined();
  });

  test("a step after the first operator of another kind", () => {
    const graph = network(nchw, (op, x) => op.mul(op.relu(x), 2));
    expect(entryAffine(graph, "x", nchw, 1)).toBeUndefined();
  });
});
