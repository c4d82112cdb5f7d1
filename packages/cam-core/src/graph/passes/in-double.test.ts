import { describe, expect, test } from "vitest";
import { withSession } from "../../runtime/session.ts";
import { float32, sizeOf, type Tensor } from "../../tensor.ts";
import { rng } from "../../testing/rng.ts";
import { tinyModel } from "../../testing/tiny-models.ts";
import { emptyGraph, type Shape } from "../graph.ts";
import { inDouble } from "./in-double.ts";

test("a branch takes from around it what it took before: float32, under its own name", async () => {
  const branch = (opType: string) => ({
    ...emptyGraph(opType, new Map()),
    outputs: [{ name: opType, dtype: "float32" as const }],
    nodes: [{ opType, domain: "", name: opType, inputs: ["twice"], outputs: [opType], attributes: {} }],
  });
  const { graph } = tinyModel({ x: [2] }, (op, { x }) => {
    op.alias(op.mul(x!, 2), "twice");
    const positive = op.greater(op.reduceSum(x!, { axes: [0], keepdims: false }), 0);
    const [chosen] = op.append({
      opType: "If",
      domain: "",
      name: "if",
      inputs: [positive],
      outputs: ["chosen"],
      attributes: {
        then_branch: { type: "graph", value: branch("Neg") },
        else_branch: { type: "graph", value: branch("Abs") },
      },
    });
    return { y: op.add(chosen!, 1) };
  });
  await withSession(inDouble(graph), {}, async (session) => {
    expect(Array.from((await session.run({ x: float32([2], [1, 2]) })).y!.data as Float32Array)).toEqual([-1, -3]);
    expect(Array.from((await session.run({ x: float32([2], [1, -2]) })).y!.data as Float32Array)).toEqual([3, 5]);
  });
});

test("an input that is absent by being empty stays so", async () => {
  const { graph } = tinyModel({ x: [1, 1, 2, 2] }, (op, { x }) => {
    const nothing = op.constant(float32([0], []));
    return { y: op.node("Resize", [x, nothing, op.constant(float32([4], [1, 1, 2, 2]))], { mode: "nearest" })[0]! };
  });
  await withSession(inDouble(graph), {}, async (session) => {
    const { y } = await session.run({ x: float32([1, 1, 2, 2], [1, 2, 3, 4]) });
    expect(Array.from(y!.data as Float32Array)).toEqual([1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4]);
  });
});

describe("a convolution", () => {
  const random = rng(5);
  /** Small whole numbers: sums of their products are exact in float32, too. */
  const wholes = (shape: readonly number[]): Tensor =>
    float32(
      shape,
      Array.from({ length: sizeOf(shape) }, () => random.int(9) - 4),
    );
  type Attributes = Readonly<Record<string, number | string | readonly number[]>>;
  const model = (shape: Shape, weight: readonly number[], attributes: Attributes, bias: boolean) =>
    tinyModel({ x: shape }, (op, { x }) => {
      const inputs = [x!, op.constant(wholes(weight)), ...(bias ? [op.constant(wholes([weight[0]!]))] : [])];
      return { y: op.node("Conv", inputs, attributes)[0]! };
    }).graph;

  test.each<[string, readonly number[], readonly number[], Attributes, boolean]>([
    ["plain", [2, 3, 5, 6], [4, 3, 3, 2], {}, false],
    ["with a bias", [2, 3, 5, 6], [4, 3, 3, 2], {}, true],
    ["in groups, one side padded more", [1, 4, 5, 6], [6, 2, 3, 3], { group: 2, pads: [0, 1, 2, 1] }, true],
    [
      "with strides that don't divide, dilated",
      [1, 2, 9, 8],
      [3, 2, 2, 3],
      { strides: [2, 3], dilations: [3, 2] },
      false,
    ],
    ["in one dimension", [2, 2, 7], [3, 2, 3], { pads: [1, 1] }, true],
    ["in three", [1, 2, 4, 3, 5], [2, 2, 2, 3, 1], { strides: [2, 1, 1] }, false],
    [
      "padded by the operator's own rule",
      [1, 2, 5, 6],
      [3, 2, 3, 3],
      { auto_pad: "SAME_UPPER", strides: [2, 2] },
      false,
    ],
    ["padded explicitly, and said so", [1, 2, 5, 6], [3, 2, 3, 3], { auto_pad: "NOTSET", pads: [1, 1, 1, 1] }, false],
  ])("%s: the same numbers", async (_, shape, weight, attributes, bias) => {
    for (const declared of [shape, ["n", ...shape.slice(1)], shape.map((_, i) => (i < 2 ? shape[i]! : `d${i}`))]) {
      const graph = model(declared, weight, attributes, bias);
      const x = wholes(shape);
      const single = await withSession(graph, {}, (session) => session.run({ x }));
      const double = await withSession(inDouble(graph), {}, (session) => session.run({ x }));
      expect(double.y!.shape).toEqual(single.y!.shape);
      expect(Array.from(double.y!.data as Float32Array)).toEqual(Array.from(single.y!.data as Float32Array));
    }
  });

  test("keeps what float32 rounds away: 2^25 + 1 - 2^25", async () => {
    const { graph } = tinyModel({ x: [1, 3, 1] }, (op, { x }) => ({
      y: op.node("Conv", [x!, op.constant(float32([1, 3, 1], [2 ** 25, 1, -(2 ** 25)]))])[0]!,
    }));
    const { y } = await withSession(inDouble(graph), {}, (session) =>
      session.run({ x: float32([1, 3, 1], [1, 1, 1]) }),
    );
    expect(Array.from(y!.data as Float32Array)).toEqual([1]);
  });

  test.each<[string, Attributes]>([
    ["strides", { strides: [1] }],
    ["dilations", { dilations: [1, 1, 1] }],
    ["pads", { pads: [1, 1] }],
  ])("whose %s don't fit its kernel is left to the runtime, which refuses it", async (_, attributes) => {
    const doubled = inDouble(model([1, 2, 5, 6], [3, 2, 3, 3], attributes, false));
    expect(doubled.nodes.map((node) => node.opType)).toContain("Conv");
    await expect(withSession(doubled, {}, async () => undefined)).rejects.toMatchObject({ code: "runtime" });
  });
});
