import { expect, test } from "vitest";
import { float32 } from "../tensor.ts";
import { tinyModel } from "../testing/tiny-models.ts";
import { withSession } from "./session.ts";

test("zeros before a MaxPool stay zeros: the largest of a border of negative values", async () => {
  const model = tinyModel({ x: [1, 1, 2, 2] }, (op, { x }) => {
    const pads = op.ints([0, 0, 1, 1, 0, 0, 1, 1]);
    const padded = op.node("Pad", [op.neg(x!), pads])[0]!;
    return { y: op.node("MaxPool", [padded], { kernel_shape: [2, 2], strides: [2, 2] })[0]! };
  });
  const x = float32([1, 1, 2, 2], [1, 2, 3, 4]);
  for (const optimize of ["disabled", "all"] as const) {
    const { y } = await withSession(model.graph, { optimize }, (session) => session.run({ x }));
    expect(Array.from(y!.data as Float32Array)).toEqual([0, 0, 0, 0]);
  }
});
