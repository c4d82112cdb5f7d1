import { InputError } from "../errors.ts";
import { float32, type Tensor } from "../tensor.ts";

/** An input with nothing in it: one value everywhere. */
export function constantBaseline(input: Tensor, value: number): Tensor {
  return float32(input.shape, new Float32Array(input.data.length).fill(value));
}

/**
 * The input with its detail gone: a Gaussian blur along the given axes, the edge repeated outside. `sigma` in positions, the
 * kernel cut `radius` positions from its centre and scaled to a sum of 1. RISE starts insertion from sigma 5, radius 5.
 */
export function blurredBaseline(
  input: Tensor,
  space: readonly number[],
  { sigma, radius }: { sigma: number; radius: number },
): Tensor {
  if (!(sigma > 0) || !(Number.isInteger(radius) && radius >= 1))
    throw new InputError(`a blur has a sigma above 0 and a whole radius from 1, found ${sigma} and ${radius}`);
  const kernel = Float64Array.from({ length: 2 * radius + 1 }, (_, i) =>
    Math.exp(-((i - radius) ** 2) / (2 * sigma ** 2)),
  );
  const sum = kernel.reduce((a, b) => a + b);
  const scaled = kernel.map((weight) => weight / sum);
  let data = Float32Array.from(input.data as ArrayLike<number>);
  for (const axis of space) data = blurAxis(data, input.shape, axis, scaled);
  return float32(input.shape, data);
}

function blurAxis(
  data: Float32Array,
  shape: readonly number[],
  axis: number,
  kernel: Float64Array,
): Float32Array<ArrayBuffer> {
  const size = shape[axis]!;
  const stride = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const radius = (kernel.length - 1) / 2;
  const out = new Float32Array(data.length);
  for (let start = 0; start < data.length; start += size * stride)
    for (let at = 0; at < size; at++)
      for (let k = 0; k < kernel.length; k++) {
        const from = start + Math.min(size - 1, Math.max(0, at + k - radius)) * stride;
        const to = start + at * stride;
        for (let inner = 0; inner < stride; inner++) out[to + inner]! += kernel[k]! * data[from + inner]!;
      }
  return out;
}
