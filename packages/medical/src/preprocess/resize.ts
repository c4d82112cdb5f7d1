/**
 * Resizing of a plane of float32 as Pillow does it in mode "F" with BILINEAR: a triangle as wide as the factor of shrinking
 * (antialiased), its support cut at the edges and its weights made to sum to 1; rows first, then columns. cam-core's
 * `resample` does the same in 8 bits; a window of 1800 HU in 256 steps would lose what the scanner measured.
 */
export type Taps = {
  /** For each output position the first source position that it reads. */
  readonly starts: Int32Array;
  readonly counts: Int32Array;
  /** `width` weights for each output position. */
  readonly weights: Float32Array;
  readonly width: number;
};

/** `to` outputs over the whole of `from` inputs, of which those from `first` on, `length` of them, are wanted. */
export function bilinearTaps(from: number, to: number, first = 0, length = to): Taps {
  const scale = from / to;
  const support = Math.max(1, scale);
  const width = Math.ceil(support) * 2 + 1;
  const starts = new Int32Array(length);
  const counts = new Int32Array(length);
  const weights = new Float32Array(length * width);
  for (let i = 0; i < length; i++) {
    const center = (i + first + 0.5) * scale;
    const begin = Math.max(0, Math.trunc(center - support + 0.5));
    const end = Math.min(from, Math.trunc(center + support + 0.5));
    const values = Array.from({ length: end - begin }, (_, j) =>
      Math.max(0, 1 - Math.abs((begin + j + 0.5 - center) / support)),
    );
    const total = values.reduce((sum, value) => sum + value, 0);
    starts[i] = begin;
    counts[i] = values.length;
    values.forEach((value, j) => {
      weights[i * width + j] = value / total;
    });
  }
  return { starts, counts, weights, width };
}

/**
 * A plane [rows, columns] at `down.starts.length` × `across.starts.length`, written into `out`. `scratch` holds
 * [rows, across.starts.length].
 */
export function resizePlane(
  plane: Float32Array,
  columns: number,
  { down, across }: { down: Taps; across: Taps },
  scratch: Float32Array,
  out: Float32Array,
): void {
  const rows = plane.length / columns;
  const wide = across.starts.length;
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < wide; c++) {
      const tap = c * across.width;
      const from = r * columns + across.starts[c]!;
      let sum = 0;
      for (let j = 0; j < across.counts[c]!; j++) sum += across.weights[tap + j]! * plane[from + j]!;
      scratch[r * wide + c] = sum;
    }
  for (let r = 0; r < down.starts.length; r++) {
    const to = r * wide;
    out.fill(0, to, to + wide);
    for (let j = 0; j < down.counts[r]!; j++) {
      const weight = down.weights[r * down.width + j]!;
      const from = (down.starts[r]! + j) * wide;
      for (let c = 0; c < wide; c++) out[to + c]! += weight * scratch[from + c]!;
    }
  }
}
