import { describe, expect, test } from "vitest";
import { Builder } from "../../graph/builder.ts";
import { float32, int64, type Tensor } from "../../tensor.ts";
import { oneNode } from "../../testing/one-node.ts";
import { rng } from "../../testing/rng.ts";
import { dynamicDifference, vjpAt } from "../../testing/vjp-at.ts";
import { gradient } from "../gradient.ts";

const list = (...values: number[]) => int64([values.length], values);
const numbers = (tensor: Tensor | undefined) => Array.from(tensor!.data as Float32Array);

describe("Slice", () => {
  const x = rng(1).normal([2, 5, 7]);

  test("a contiguous slice costs one Pad, the whole axis nothing", async () => {
    const some = await vjpAt("Slice", { inputs: [x, list(1, -4), list(4, -1), list(1, 2)] });
    expect(some.nodes).toEqual(["Pad"]);
    const all = await vjpAt("Slice", { inputs: [x, list(0), list(2 ** 62), list(1)] });
    expect(all.nodes).toEqual([]);
  });

  test("every other element costs one Pad between views where the step divides", async () => {
    const even = await vjpAt("Slice", {
      inputs: [rng(1).normal([1, 2, 6, 4]), list(1, 0), list(99, 99), list(2, 3), list(2, 2)],
    });
    expect(even.nodes).toEqual(["Unsqueeze", "Pad", "Reshape"]);
  });

  test("dy lies where x was read, by hand", async () => {
    const line = float32([7], [0, 0, 0, 0, 0, 0, 0]);
    const at = async (start: number, end: number, step: number, dy: number[]) =>
      numbers(
        (
          await vjpAt(
            "Slice",
            { inputs: [line, list(start), list(end), list(0), list(step)] },
            { cotangent: float32([dy.length], dy) },
          )
        ).dx[0],
      );
    expect(await at(1, 7, 3, [1, 2])).toEqual([0, 1, 0, 0, 2, 0, 0]);
    expect(await at(-2, -(2 ** 62), -2, [1, 2, 3])).toEqual([0, 3, 0, 2, 0, 1, 0]);
    expect(await at(9, -9, -4, [1, 2])).toEqual([0, 0, 2, 0, 0, 0, 1]);
    expect(await at(3, 3, 1, [])).toEqual([0, 0, 0, 0, 0, 0, 0]);
  });

  test.each([
    ["the middle", list(1, 2), list(3, 5), list(1, 2), list(1, 1)],
    ["from the end", list(-2), list(2 ** 62), list(-1), list(1)],
    ["an end beyond the axis", list(2), list(512), list(1), list(1)],
    ["turned round", list(-1), list(-(2 ** 62)), list(2), list(-1)],
    ["steps that don't divide", list(1, 5), list(2 ** 62, -(2 ** 62)), list(1, 2), list(2, -3)],
  ])("sizes known in the run only: %s", async (_, starts, ends, axes, steps) => {
    const inputs = [x, starts, ends, axes, steps];
    expect(await dynamicDifference("Slice", { inputs }, [["n", "h", "w"]])).toBe(0);
    // Starts and ends, too, are known in the run only.
    const count = starts.shape;
    expect(await dynamicDifference("Slice", { inputs }, [["n", "h", "w"], count, count])).toBe(0);
    expect(await dynamicDifference("Slice", { inputs }, [undefined, count, count])).toBe(0);
  });

  test("axes known in the run only are refused by name", async () => {
    const inputs = [x, list(1), list(2), list(1)];
    await expect(vjpAt("Slice", { inputs }, { shapes: [undefined, undefined, undefined, [1]] })).rejects.toThrow(
      /gradient of Slice at node "the_Slice": which axes are sliced/,
    );
  });
});

describe("Concat", () => {
  const parts = [rng(1).normal([2, 3]), rng(2).normal([2, 1]), rng(3).normal([2, 4])];

  test("one Split serves all inputs, a Slice the only one that is wanted", async () => {
    expect((await vjpAt("Concat", { inputs: parts, attributes: { axis: 1 } })).nodes).toEqual(["Split"]);
    expect((await vjpAt("Concat", { inputs: parts, attributes: { axis: 1 }, wrt: [1] })).nodes).toEqual(["Slice"]);
  });

  test("sizes known in the run only", async () => {
    const symbols = [
      ["n", "a"],
      ["n", "b"],
      ["n", 4],
    ];
    expect(await dynamicDifference("Concat", { inputs: parts, attributes: { axis: 1 } }, symbols)).toBe(0);
    expect(await dynamicDifference("Concat", { inputs: parts, attributes: { axis: -1 }, wrt: [2] }, symbols)).toBe(0);
  });
});

describe("Split", () => {
  const x = rng(4).normal([2, 7]);

  test("one output on the path costs one Pad", async () => {
    const sample = { inputs: [x, list(2, 4, 1)], attributes: { axis: 1 }, outputs: 3, output: 1 };
    expect((await vjpAt("Split", sample)).nodes).toEqual(["Pad"]);
  });

  test("zeros stand in for outputs between two others", () => {
    const graph = oneNode("Split", { inputs: [x, list(2, 4, 1)], attributes: { axis: 1 }, outputs: 3 });
    const op = new Builder(graph);
    const seeds = new Map([
      ["y0", op.constant(float32([2, 2], [1, 2, 3, 4]))],
      ["y2", op.constant(float32([2, 1], [5, 6]))],
    ]);
    const [dx] = gradient(op, seeds, ["x0"]);
    expect(op.dims(dx!)).toEqual([2, 7]);
    expect(graph.nodes.map((node) => node.opType)).toEqual(["Split", "Expand", "Concat"]);
  });

  test.each([0, 1, 2])("sizes known in the run only, output %i", async (output) => {
    const equal = { inputs: [x], attributes: { axis: 1, num_outputs: 3 }, outputs: 3, output };
    expect(await dynamicDifference("Split", equal, [["n", "w"]])).toBe(0);
    const given = { inputs: [x, list(2, 4, 1)], attributes: { axis: 1 }, outputs: 3, output };
    expect(await dynamicDifference("Split", given, [["n", "w"], [3]])).toBe(0);
  });
});
