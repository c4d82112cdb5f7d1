import { describe, expect, test } from "vitest";
import { Builder } from "../../graph/builder.ts";
import { checkGraph } from "../../graph/check.ts";
import { withSession } from "../../runtime/session.ts";
import { bool, float32, float64, int64, type Tensor } from "../../tensor.ts";
import { feed, oneNode } from "../../testing/one-node.ts";
import { rng } from "../../testing/rng.ts";
import { dynamicDifference, vjpAt } from "../../testing/vjp-at.ts";
import { gradient } from "../gradient.ts";
import type { Sample } from "../rule.ts";

const list = (...values: number[]) => int64([values.length], values);
const numbers = (tensor: Tensor | undefined) => Array.from(tensor!.data as Float32Array);

describe("layout", () => {
  const image = rng(1).normal([2, 8, 2, 3]);

  test.each<[string, readonly (Tensor | undefined)[], Record<string, number | string | number[]>]>([
    ["Reshape", [image, list(0, 4, 2, -1)], {}],
    ["Flatten", [image], { axis: 2 }],
    ["Squeeze", [rng(1).normal([2, 1, 3]), list(1)], {}],
    ["Unsqueeze", [image, list(1, -1)], {}],
    ["Transpose", [image], { perm: [2, 0, 3, 1] }],
    ["Tile", [image, list(1, 2, 1, 3)], {}],
    ["Expand", [rng(1).normal([2, 1, 3]), list(2, 4, 3)], {}],
    ["DepthToSpace", [image], { blocksize: 2 }],
    ["DepthToSpace", [image], { blocksize: 2, mode: "CRD" }],
    ["SpaceToDepth", [rng(1).normal([1, 2, 4, 6])], { blocksize: 2 }],
  ])("%s: sizes known in the run only", async (opType, inputs, attributes) => {
    const symbols = ["n", "c", "h", "w"].slice(0, inputs[0]!.shape.length);
    expect(await dynamicDifference(opType, { inputs, attributes }, [symbols])).toBe(0);
    expect(await dynamicDifference(opType, { inputs, attributes }, [["n", ...inputs[0]!.shape.slice(1)]])).toBe(0);
  });

  test("a batch known in the run only costs no reading of shapes", async () => {
    const { nodes } = await vjpAt("Flatten", { inputs: [image] }, { shapes: [["n", 8, 2, 3]] });
    expect(nodes).toEqual(["Reshape"]);
  });

  test("shape and repeats known in the run only", async () => {
    const shapes = [["n", "c", "h", "w"], [4]];
    expect(await dynamicDifference("Tile", { inputs: [image, list(1, 2, 1, 3)] }, shapes)).toBe(0);
    expect(await dynamicDifference("Reshape", { inputs: [image, list(0, 4, 2, -1)] }, shapes)).toBe(0);
    expect(
      await dynamicDifference("Expand", { inputs: [rng(1).normal([2, 1, 3]), list(2, 4, 3)] }, [["n", "c", "w"], [3]]),
    ).toBe(0);
  });

  test("CRD: channel c, row r and column s of a block come from channel 4c + 2r + s", async () => {
    const x = float32([1, 8, 1, 1], [0, 1, 2, 3, 4, 5, 6, 7]);
    const dy = float32([1, 2, 2, 2], [10, 11, 12, 13, 20, 21, 22, 23]);
    const { y, dx } = await vjpAt(
      "DepthToSpace",
      { inputs: [x], attributes: { blocksize: 2, mode: "CRD" } },
      { cotangent: dy },
    );
    expect(numbers(y)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(numbers(dx[0])).toEqual([10, 11, 12, 13, 20, 21, 22, 23]);
  });

  test("an empty tensor keeps its shape", async () => {
    const sample = { inputs: [float32([0, 3], []), list(3, 0)], attributes: { allowzero: 1 } };
    expect((await vjpAt("Reshape", sample)).dx[0]!.shape).toEqual([0, 3]);
  });
});

describe("Cast", () => {
  test("the gradient comes back in the input's type", async () => {
    const wide = await vjpAt("Cast", { inputs: [float64([2], [1, 2])], attributes: { to: 1 } });
    expect(wide.dx[0]).toMatchObject({ dtype: "float64", shape: [2] });
    expect(numbers(wide.dx[0])).toEqual([1, 1]);
  });

  test("none flows through a whole number", async () => {
    await expect(vjpAt("Cast", { inputs: [float32([2], [1, 2])], attributes: { to: 7 } })).rejects.toThrow(
      /zero everywhere/,
    );
  });
});

describe("Dropout in training", () => {
  const x = rng(1).away(0, [4, 8]);
  const cotangent = rng(2).normal([4, 8]);
  const training = (is: boolean, outputs: number) => ({
    inputs: [x, float32([], [0.25]), bool([], [is])],
    constants: [1],
    outputs,
  });

  /** y and dx of one run, in which numbers are drawn once. */
  async function drawn(sample: Sample, open: boolean) {
    const op = new Builder(oneNode("Dropout", { ...sample, opset: 18 }));
    if (open) {
      op.graph.initializers.delete("x2");
      feed(op, "x2", { dtype: "bool", shape: [] });
      op.facts.elements.delete("x2");
    }
    feed(op, "v", { dtype: "float32", shape: x.shape });
    const [dx] = gradient(op, new Map([["y0", "v"]]), ["x0"]);
    op.graph.outputs = ["y0", dx!].map((name) => ({ name, dtype: "float32" as const }));
    checkGraph(op.graph);
    const feeds = { x0: x, v: cotangent, ...(open && { x2: sample.inputs[2]! }) };
    const got = await withSession(op.graph, {}, (run) => run.run(feeds));
    return { y: numbers(got.y0), dx: numbers(got[dx!]) };
  }

  // y = x · s, and dx = dy · s by the same s: 0, or 1 / (1 - 0.25).
  test.each([
    ["its mask an output of the node", training(true, 2), false],
    ["its mask asked for by the rule", training(true, 1), false],
    ["the mode known in the run only", training(true, 1), true],
  ])("what was dropped passes nothing back: %s", async (_, sample, open) => {
    const { y, dx } = await drawn(sample, open);
    const [xs, vs] = [numbers(x), numbers(cotangent)];
    for (const [i, value] of dx.entries()) expect(value).toBeCloseTo((vs[i]! * y[i]!) / xs[i]!, 5);
    expect(y.filter((value) => value === 0).length).toBeGreaterThan(0);
    expect(y.some((value, i) => Math.abs(value / xs[i]! - 4 / 3) < 1e-6)).toBe(true);
  });

  test("at inference, known in the run only, everything passes as it is", async () => {
    const { y, dx } = await drawn(training(false, 1), true);
    expect(y).toEqual(numbers(x));
    expect(dx).toEqual(numbers(cotangent));
  });
});
