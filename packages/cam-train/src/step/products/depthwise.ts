import { float32, positionsOf, sizeOf, type Value } from "@camkit/cam-core";
import type { Site } from "./site.ts";

/** Most entries of a channel's matrix: 6×6 to 6×6 has 1296, 12×12 to 6×6 with stride 5184. */
const mostEntries = 5200;

/**
 * A depthwise convolution over small maps as one product per channel:
 *
 *   y [C, N, out] = x [C, N, in] · T [C, in, out]        T = W [C, taps] · S [taps, in · out]
 *
 * S says with 0 and 1 which input position each tap reads for each output position, so T is every channel's convolution as a
 * matrix. The runtime has no kernel of its own for depthwise convolutions in this layout and spends its time on the many small
 * calls. (16×384×6², 3×3, forward and backward, one thread: 11.7 -> 2.4 ms; PyTorch 0.9.)
 */
export function depthwiseProduct(site: Site): Value | undefined {
  const { op, x, w, bias, group, samples, channels, filters, size, kernel, out, strides, dilations, begins } = site;
  const places = sizeOf(out);
  const entries = sizeOf(size) * places;
  if (group !== channels || filters !== channels || channels === 1 || entries > mostEntries) return undefined;
  const taps = positionsOf(kernel);
  const targets = positionsOf(out);
  const reads = new Float32Array(taps.length * entries);
  taps.forEach((tap, t) => {
    targets.forEach((to, at) => {
      const from = to.map((position, i) => position * strides[i]! + tap[i]! * dilations[i]! - begins[i]!);
      if (from.some((position, i) => position < 0 || position >= size[i]!)) return;
      const index = from.reduce((sum, position, i) => sum * size[i]! + position, 0);
      reads[t * entries + index * places + at] = 1;
    });
  });
  const chosen = op.constant(float32([taps.length, entries], reads), "reads");
  const matrices = op.reshape(op.matMul(op.reshape(w, [channels, taps.length]), chosen), [
    channels,
    sizeOf(size),
    places,
  ]);
  const pixels = op.transpose(op.reshape(x, [samples, channels, sizeOf(size)]), [1, 0, 2]);
  const y = op.matMul(pixels, matrices);
  const shifted = bias ? op.add(y, op.reshape(bias, [channels, 1, 1])) : y;
  return op.reshape(op.transpose(shifted, [1, 0, 2]), [samples, channels, ...out]);
}
