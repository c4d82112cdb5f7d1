import type { Vec3 } from "../../volume/geometry.ts";

/**
 * For each cell the squared distance, mm², to the nearest cell where `inside` is `value`; Infinity where there is none.
 * Exact, one pass per axis. Source: Felzenszwalb and Huttenlocher 2012, Theory of Computing 8, algorithm 1.
 */
export function squaredDistance(inside: Uint8Array, value: 0 | 1, shape: Vec3, spacingMm: Vec3): Float32Array {
  const found = new Float32Array(inside.length);
  for (let cell = 0; cell < found.length; cell++) found[cell] = inside[cell] === value ? 0 : Number.POSITIVE_INFINITY;
  const strides = [shape[1] * shape[2], shape[2], 1];
  for (const axis of [2, 1, 0] as const) {
    const n = shape[axis];
    if (n === 1) continue;
    const line = lowerEnvelope(n, spacingMm[axis] ** 2);
    const [a, b] = [0, 1, 2].filter((other) => other !== axis) as [number, number];
    for (let i = 0; i < shape[a]!; i++)
      for (let j = 0; j < shape[b]!; j++) line(found, i * strides[a]! + j * strides[b]!, strides[axis]!);
  }
  return found;
}

/** In place along a line: f(p) ← min over q of f(q) + (p − q)² · unit. */
function lowerEnvelope(n: number, unit: number) {
  const f = new Float64Array(n);
  const at = new Int32Array(n);
  const from = new Float64Array(n + 1);
  return (data: Float32Array, offset: number, stride: number): void => {
    let sum = 0;
    for (let i = 0, from = offset; i < n; i++, from += stride) {
      f[i] = data[from]!;
      sum += f[i]!;
    }
    if (sum === 0) return; // nothing to fill: most lines outside the body
    let k = -1;
    for (let q = 0; q < n; q++) {
      if (f[q] === Number.POSITIVE_INFINITY) continue;
      let s = Number.NEGATIVE_INFINITY;
      while (k >= 0) {
        const p = at[k]!;
        s = (f[q]! - f[p]! + unit * (q * q - p * p)) / (2 * unit * (q - p));
        if (s > from[k]!) break;
        k--;
      }
      k++;
      at[k] = q;
      from[k] = k === 0 ? Number.NEGATIVE_INFINITY : s;
    }
    if (k < 0) return;
    from[k + 1] = Number.POSITIVE_INFINITY;
    for (let p = 0, j = 0; p < n; p++) {
      while (from[j + 1]! < p) j++;
      const q = at[j]!;
      data[offset + p * stride] = f[q]! + unit * (p - q) * (p - q);
    }
  };
}

/** Cells within `mm` of the mask, the mask included. */
export function dilated(mask: Uint8Array, mm: number, shape: Vec3, spacingMm: Vec3): Uint8Array {
  const squared = squaredDistance(mask, 1, shape, spacingMm);
  return cellsWhere(squared.length, (cell) => squared[cell]! <= mm * mm);
}

/** Cells farther than `mm` from whatever isn't in the mask. The array's edge is no end of the mask. */
export function eroded(mask: Uint8Array, mm: number, shape: Vec3, spacingMm: Vec3): Uint8Array {
  const squared = squaredDistance(mask, 0, shape, spacingMm);
  return cellsWhere(squared.length, (cell) => squared[cell]! > mm * mm);
}

/** A mask of n cells, 1 where the test holds. */
export function cellsWhere(n: number, holds: (cell: number) => boolean): Uint8Array {
  const mask = new Uint8Array(n); // a loop: TypedArray.from with a callback takes ten times as long
  for (let cell = 0; cell < n; cell++) mask[cell] = Number(holds(cell));
  return mask;
}
