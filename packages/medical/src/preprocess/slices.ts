/** Which of n slices a network of depth D sees: ascending indices, repeated where there are too few. */

/** round(linspace(0, n − 1, depth)), halves to the even side as NumPy rounds; the middle slice for a depth of 1. */
export function evenSlices(n: number, depth: number): number[] {
  if (depth === 1) return [(n - 1) >> 1];
  return Array.from({ length: depth }, (_, i) => halfToEven((i * (n - 1)) / (depth - 1)));
}

/**
 * CovidNet3D's rule for the test: depth slices at the stride floor(n / depth), symmetric about the middle c. With fewer slices
 * than the depth, all of them, as whole copies, and the rest by the same rule. For depth < n < 2 · depth the stride is 1:
 * only the middle is seen (n = 63, depth = 32: slices 16 to 47).
 */
export function paperSlices(n: number, depth: number): number[] {
  const copies = Math.floor(depth / n);
  const rest = n > depth ? depth : depth % n;
  const all = Array.from({ length: n }, (_, i) => i);
  return [...Array.from({ length: copies }, () => all).flat(), ...aboutTheMiddle(n, rest)].sort((a, b) => a - b);
}

/** c + k · stride for k = −⌊(count − 1) / 2⌋ … ⌊count / 2⌋, where c = (n − 1) / 2 for odd n, n / 2 − 1 for even. */
function aboutTheMiddle(n: number, count: number): number[] {
  if (count === 0) return [];
  const c = (n - 1) >> 1;
  const stride = Math.floor(n / count);
  return Array.from({ length: count }, (_, i) => c + (i - ((count - 1) >> 1)) * stride);
}

/** The slices nearest to a grid of `stepSlices` (need not be whole) that is centred in the extent, at least `atLeast` of them. */
export function spacedSlices(n: number, stepSlices: number, atLeast: number): number[] {
  const count = Math.max(atLeast, Math.floor((n - 1) / stepSlices + 1e-9) + 1);
  const start = (n - 1 - (count - 1) * stepSlices) / 2;
  return Array.from({ length: count }, (_, i) => Math.min(n - 1, Math.max(0, halfToEven(start + i * stepSlices))));
}

function halfToEven(x: number): number {
  const low = Math.floor(x);
  if (x - low !== 0.5) return Math.round(x);
  return low % 2 === 0 ? low : low + 1;
}
