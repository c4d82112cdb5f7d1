import { float32, int64 } from "../../tensor.ts";
import { defineRules } from "../rule.ts";

/** AffineGrid gives the points of a regular grid, moved by an affine map: points [N, ...out, k] = base [..., k + 1] · θᵀ. */
export const affineGrid = defineRules({
  // dθ = dpointsᵀ · base, and base is what the identity gives, with a 1 behind it.
  AffineGrid: {
    kind: "linear",
    vjp: ({ op, inputs: [theta, size], dy, int, refuse }) => {
      const axes = op.dims(theta!)?.[1];
      if (axes !== 2 && axes !== 3) throw refuse("θ is for two or three axes of space, known before the run");
      const identity = Array.from({ length: axes * (axes + 1) }, (_, i) => Number(i % (axes + 2) === 0));
      const still = op.expand(
        op.cast(op.constant(float32([1, axes, axes + 1], identity)), op.dtype(dy)),
        op.concat([op.dim(theta!, 0), op.ints([axes, axes + 1])], 0),
      );
      const base = op.node("AffineGrid", [still, size], { align_corners: int("align_corners", 0) })[0]!;
      const points = op.reshape(base, [0, -1, axes]); // [N, points, k]
      const ones = op.fillLike(op.slice(points, { axes: [2], starts: [0], ends: [1] }), 1);
      const turned = op.transpose(op.reshape(dy, [0, -1, axes]), [0, 2, 1]);
      return [op.shapedLike(op.matMul(turned, op.concat([points, ones], 2)), theta!)];
    },
    sample: (rng) => [
      { inputs: [rng.normal([2, 2, 3]), int64([4], [2, 3, 3, 4])], opset: 20 },
      { inputs: [rng.normal([1, 2, 3]), int64([4], [1, 1, 2, 5])], attributes: { align_corners: 1 }, opset: 20 },
      { inputs: [rng.normal([2, 3, 4]), int64([5], [2, 1, 2, 3, 4])], opset: 20 },
    ],
  },
});
