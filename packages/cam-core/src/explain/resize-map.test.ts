import { expect, test } from "vitest";
import { withSession } from "../runtime/session.ts";
import { float32, sizeOf } from "../tensor.ts";
import { rng } from "../testing/rng.ts";
import { tinyModel } from "../testing/tiny-models.ts";
import { resizeMap } from "./resize-map.ts";

test.each([
  ["a line", [2, 7], [31]],
  ["a plane", [2, 7, 5], [64, 33]],
  ["a plane, one axis as it is", [1, 7, 9], [7, 40]],
  ["a volume", [2, 3, 4, 5], [9, 8, 16]],
  ["a volume whose planes stay", [2, 3, 4, 5], [12, 4, 5]],
  ["to a smaller size", [1, 14, 14], [5, 3]],
  ["a single position", [1, 1, 1], [6, 6]],
])("%s: products give what Resize gives", async (_, shape, size) => {
  const x = rng(3).normal(shape);
  // Sizes that only a run knows go to ONNX Runtime's Resize.
  const model = tinyModel({ x: shape, like: size.map((_, i) => `s${i}`) }, (op, inputs) => ({
    products: resizeMap(op, inputs.x!, op.ints(size)),
    resize: resizeMap(op, inputs.x!, op.shape(inputs.like!)),
  }));
  expect(model.graph.nodes.filter((node) => node.opType === "Resize").length).toBe(1);
  const like = float32(size, new Float32Array(sizeOf(size)));
  const { products, resize } = await withSession(model.graph, {}, (session) => session.run({ x, like }));
  expect(products!.shape).toEqual([shape[0], ...size]);
  const wanted = resize!.data as Float32Array;
  const furthest = (products!.data as Float32Array).reduce(
    (far, value, i) => Math.max(far, Math.abs(value - wanted[i]!)),
    0,
  );
  expect(furthest).toBeLessThan(5e-6);
});

test("a size of fewer axes than the map's is left to Resize", () => {
  const model = tinyModel({ x: [2, 4, 5] }, (op, { x }) => ({ y: resizeMap(op, x!, op.ints([8])) }));
  expect(model.graph.nodes.map((node) => node.opType)).toContain("Resize");
});
