import { describe, expect, test } from "vitest";
import { withSession } from "../runtime/session.ts";
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

describe("what is said is what the runtime computes", () => {
  const n3 = [2, 3, 4, 5];
  const n1 = [2, 1, 4, 5];
  const last = [2, 4, 5, 3];
  const node = (op: Builder, type: string, inputs: Value[], attributes = {}, outputs = 1) =>
    op.node(type, inputs, attributes, { outputs });
  const per3 = (op: Builder, ...values: number[]) => op.constant(float32([3], values));

  test.each<[string, readonly number[], number, (op: Builder, x: Value) => Value]>([
    [
      "batch normalisation",
      n3,
      1,
      (op, x) =>
        node(
          op,
          "BatchNormalization",
          [x, per3(op, 1, 2, 3), per3(op, 4, 5, 6), per3(op, 7, 8, 9), per3(op, 1, 4, 9)],
          { epsilon: 0.5 },
        )[0]!,
    ],
    [
      "batch normalisation of one channel",
      n1,
      1,
      (op, x) => node(op, "BatchNormalization", [x, ...[2, 3, 4, 5].map((v) => op.constant(float32([1], [v])))])[0]!,
    ],
    [
      "split in three, and joined the other way round",
      n3,
      1,
      (op, x) => op.concat(node(op, "Split", [x], { axis: 1, num_outputs: 3 }, 3).reverse(), -3),
    ],
    [
      "split in two parts that are named",
      n3,
      1,
      (op, x) => {
        const [a, b] = node(op, "Split", [x, op.ints([1, 2])], { axis: -3 }, 2);
        return op.concat([b!, a!], 1);
      },
    ],
    ["negated, and shifted", n3, 1, (op, x) => op.add(op.neg(x), 3)],
    [
      "rows of the first axis picked",
      [3, 4, 5],
      0,
      (op, x) => node(op, "GatherND", [x, op.constant(int64([3, 1], [2, 1, 0]))])[0]!,
    ],
    [
      "without the batch, and with it again",
      [1, 3, 4, 5],
      1,
      (op, x) => op.unsqueeze(op.mul(op.squeeze(x, [0]), op.constant(float32([3, 1, 1], [1, 2, 3]))), [-4]),
    ],
    [
      "one channel without its axis, and with it again",
      n1,
      1,
      (op, x) => op.unsqueeze(op.sub(op.gather(x, op.constant(int64([], [0])), 1), 5), [1]),
    ],
    ["one channel in another shape", n1, 1, (op, x) => op.mul(op.reshape(x, [2, 20]), 2)],
    [
      "the same shape again",
      n3,
      1,
      (op, x) => op.mul(node(op, "Reshape", [x, op.constant(int64([4], [2, 3, 5, 4]))])[0]!, per3x(op)),
    ],
    [
      "every second place, which leaves the channels",
      n3,
      1,
      (op, x) => op.mul(op.slice(x, { axes: [2], starts: [0], ends: [4], steps: [2] }), 2),
    ],
    [
      "a batch picked in front of the channels",
      n3,
      1,
      (op, x) => op.mul(op.gather(x, op.constant(int64([], [1])), 0), op.constant(float32([3, 1, 1], [1, 2, 3]))),
    ],
    [
      "turned round, all axes",
      last,
      3,
      (op, x) => op.sub(op.transpose(x, [3, 2, 1, 0]), op.constant(float32([3, 1, 1, 1], [1, 2, 3]))),
    ],
    ["in another type", n3, 1, (op, x) => op.mul(op.cast(op.cast(x, "float64"), "float32"), 3)],
  ])("%s", async (_, shape, axis, entry) => {
    const { graph } = tinyModel({ x: shape }, (op, { x }) => ({ y: op.exp(entry(op, x!)) }));
    const found = entryAffine(graph, "x", shape, axis)!;
    expect(found).toBeDefined();
    const end = graph.nodes.find((each) => each.opType === "Exp")!.inputs[0]!;
    const outputs = [{ name: end, dtype: "float32" as const }];
    // Each channel of the input holds one number, so wherever the channels went, these are the numbers to be found.
    const stride = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
    const colours = [0.5, -2, 7];
    const size = shape.reduce((a, b) => a * b, 1);
    const x = float32(
      shape,
      Array.from({ length: size }, (_, i) => colours[Math.floor(i / stride) % shape[axis]!]!),
    );
    const made = (await withSession({ ...graph, outputs }, {}, (session) => session.run({ x })))[end]!;
    const wanted = found.from.map((from, c) => found.scale[c]! * colours[from]! + found.offset[c]!);
    const close = (a: number, b: number) => Math.abs(a - b) < 1e-4;
    const values = Array.from(made.data as Float32Array);
    expect(values.every((value) => wanted.some((each) => close(value, each)))).toBe(true);
    for (const each of wanted) expect(values.filter((value) => close(value, each)).length).toBeGreaterThan(0);
    // Channels in their order: the first place of each along the axis where they now lie.
    const at = made.shape.indexOf(wanted.length);
    if (wanted.length > 1) {
      const step = made.shape.slice(at + 1).reduce((a, b) => a * b, 1);
      expect(wanted.map((each, c) => close(values[c * step]!, each))).toEqual(wanted.map(() => true));
    }
  });

  function per3x(op: Builder): Value {
    return op.constant(float32([3, 1, 1], [2, 3, 4]));
  }

  test.each<[string, readonly number[], number, (op: Builder, x: Value) => Value]>([
    ["channels mixed into places", n3, 1, (op, x) => op.mul(op.reshape(x, [2, 60]), 2)],
    ["a shape that only the run knows", n3, 1, (op, x) => node(op, "Reshape", [x, op.node("Shape", ["z"])[0]!])[0]!],
    ["channels picked by a table", n3, 1, (op, x) => op.gather(x, op.constant(int64([1, 3], [0, 1, 2])), 1)],
    ["channels that aren't there", n3, 1, (op, x) => op.gather(x, op.ints([5]), 1)],
    ["joined with something else", n3, 1, (op, x) => op.concat([x, op.relu(x)], 1)],
    ["joined along another axis", n3, 1, (op, x) => op.concat([x, x], 2)],
    [
      "a batch normalisation of another axis",
      last,
      3,
      (op, x) =>
        node(op, "BatchNormalization", [x, ...[1, 2, 3, 4].map(() => op.constant(float32([4], [1, 2, 3, 4])))])[0]!,
    ],
    ["the channel axis squeezed", n1, 1, (op, x) => op.squeeze(x, [1])],
    ["a constant divided by it", n3, 1, (op, x) => op.div(op.constant(float32([], [1])), x)],
    ["divided by nothing", n3, 1, (op, x) => op.div(x, op.constant(float32([], [0])))],
    [
      "split along another axis",
      n3,
      1,
      (op, x) => op.mul(node(op, "Split", [x], { axis: 2, num_outputs: 2 }, 2)[0]!, 2),
    ],
    ["seventeen channels", [1, 17, 2, 2], 1, (op, x) => op.mul(x, 2)],
  ])("not followed: %s", (_, shape, axis, entry) => {
    const { graph } = tinyModel({ x: shape, z: ["r", 3] }, (op, { x }) => ({ y: op.exp(entry(op, x!)) }));
    expect(entryAffine(graph, "x", shape, axis)).toBeUndefined();
  });
});
