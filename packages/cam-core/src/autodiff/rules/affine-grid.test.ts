import { expect, test } from "vitest";
import { Builder } from "../../graph/builder.ts";
import { int64 } from "../../tensor.ts";
import { tinyModel } from "../../testing/tiny-models.ts";
import { gradient } from "../gradient.ts";

test.each([2 ** 33, 4, "axes"])("AffineGrid: θ of %s axes of space is refused by name", (axes) => {
  const { graph } = tinyModel(
    { theta: [1, axes, 3] },
    (op, { theta }) => ({ y: op.node("AffineGrid", [theta!, op.constant(int64([4], [1, 1, 2, 2]))])[0]! }),
    { opset: 20 },
  );
  const op = new Builder(graph);
  expect(() => gradient(op, new Map([["y", "y"]]), ["theta"])).toThrow(/for two or three axes of space/);
});
