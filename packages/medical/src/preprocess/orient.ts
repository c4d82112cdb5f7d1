import { dot, type Geometry, type Vec3 } from "../volume/geometry.ts";

/** Where along one axis of the patient an axis of the scan runs: which scan axis, and whether it runs the other way. */
export type ScanAxis = { readonly axis: 0 | 1 | 2; readonly flipped: boolean };

/** LPS directions of a network's axes. */
export type Directions = readonly [Vec3, Vec3, Vec3];

/** Slices to the head, rows to the back, columns to the patient's left: an axial CT as it is shown, and as networks here see it. */
export const axial: Directions = [
  [0, 0, 1],
  [0, 1, 0],
  [1, 0, 0],
];

const permutations = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
] as const;

/**
 * For each wanted direction (LPS) the scan's axis that lies closest to it, each axis once. An oblique scan keeps its own
 * planes: axes are exchanged and turned round, never resampled.
 */
export function scanAxes(
  { directions }: Geometry,
  wanted: Directions = axial,
): readonly [ScanAxis, ScanAxis, ScanAxis] {
  const along = (axis: number, w: number) => dot(directions[axis]!, wanted[w]!);
  const fit = (order: readonly number[]) => order.reduce((sum, axis, w) => sum + Math.abs(along(axis, w)), 0);
  const best = permutations.reduce((a, b) => (fit(b) > fit(a) + 1e-9 ? b : a));
  const found = (w: number): ScanAxis => ({ axis: best[w]!, flipped: along(best[w]!, w) < 0 });
  return [found(0), found(1), found(2)];
}

/** An array seen with its axes exchanged and turned round: element [i, j, k] lies at offset + i·strides[0] + j·strides[1] + k·strides[2]. */
export type View = { readonly shape: Vec3; readonly strides: Vec3; readonly offset: number };

/** The scan's voxels in the order of `axes`. */
export function viewOf(shape: Vec3, axes: readonly ScanAxis[]): View {
  const strides = [shape[1] * shape[2], shape[2], 1] as const;
  const sizes = axes.map(({ axis }) => shape[axis]);
  const steps = axes.map(({ axis, flipped }) => (flipped ? -1 : 1) * strides[axis]);
  const offset = axes.reduce((sum, { axis, flipped }) => sum + (flipped ? (shape[axis] - 1) * strides[axis] : 0), 0);
  return { shape: sizes as unknown as Vec3, strides: steps as unknown as Vec3, offset };
}

/** An index along a view's axis as one along the scan's, and the other way round. */
export const turned = ({ flipped }: ScanAxis, size: number, index: number): number =>
  flipped ? size - 1 - index : index;
