/** Positions along each side of the window. */
const side = 7;

/**
 * Structural similarity of two maps with values in [0, 1]: the mean over all windows that lie inside of
 *
 *   (2 μx μy + c1) (2 σxy + c2) / ((μx² + μy² + c1) (σx² + σy² + c2)),   c1 = 0.01², c2 = 0.03²
 *
 * Windows are uniform, 7 positions along every axis, covariances those of a sample (over n − 1): skimage's defaults with
 * data_range 1. Along an axis that is shorter than the window, the window has the greatest odd length that fits. Any rank.
 * Source: Wang et al. 2004, IEEE TIP 13(4), eq. 13.
 */
export function ssim(x: Float32Array, y: Float32Array, shape: readonly number[]): number {
  const window = shape.map((size) => Math.min(side, size - 1 + (size % 2)));
  const n = window.reduce((a, b) => a * b, 1);
  const means = [x, y, product(x, x), product(y, y), product(x, y)].map((values) => windowMeans(values, shape, window));
  const [mx, my, mxx, myy, mxy] = means as [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];
  const [c1, c2] = [0.01 ** 2, 0.03 ** 2];
  const sample = n > 1 ? n / (n - 1) : 1;
  let sum = 0;
  for (let i = 0; i < mx.length; i++) {
    const [a, b] = [mx[i]!, my[i]!];
    const covariance = sample * (mxy[i]! - a * b);
    const variances = sample * (mxx[i]! - a * a + myy[i]! - b * b);
    sum += ((2 * a * b + c1) * (2 * covariance + c2)) / ((a * a + b * b + c1) * (variances + c2));
  }
  return sum / mx.length;
}

const product = (a: Float32Array, b: Float32Array): Float64Array => Float64Array.from(a, (value, i) => value * b[i]!);

/** The mean over each window that lies inside, by running sums along one axis after the other. */
function windowMeans(
  values: Float32Array | Float64Array,
  shape: readonly number[],
  window: readonly number[],
): Float64Array {
  let data = Float64Array.from(values);
  const sizes = [...shape];
  for (const [axis, width] of window.entries()) {
    const size = sizes[axis]!;
    const kept = size - width + 1;
    const stride = sizes.slice(axis + 1).reduce((a, b) => a * b, 1);
    const blocks = data.length / (size * stride);
    const out = new Float64Array(blocks * kept * stride);
    for (let block = 0; block < blocks; block++)
      for (let inner = 0; inner < stride; inner++) {
        const from = block * size * stride + inner;
        let sum = 0;
        for (let at = 0; at < size; at++) {
          sum += data[from + at * stride]!;
          if (at >= width) sum -= data[from + (at - width) * stride]!;
          if (at >= width - 1) out[block * kept * stride + (at - width + 1) * stride + inner] = sum / width;
        }
      }
    sizes[axis] = kept;
    data = out;
  }
  return data;
}
