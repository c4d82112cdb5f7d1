/** A position or a direction in patient space: LPS (x to the patient's left, y to the back, z to the head), millimetres. */
export type Vec3 = readonly [number, number, number];

/** How an array of voxels lies in the patient. Axes come in the order of the array: slices, rows, columns. */
export type Geometry = {
  /** Voxels: [slices, rows, columns]. */
  readonly shape: Vec3;
  /** Millimetres from one slice, row, column to the next. */
  readonly spacingMm: Vec3;
  /** LPS position of the centre of voxel (0, 0, 0), mm. */
  readonly originMm: Vec3;
  /** Unit vectors in LPS along which the slice, the row and the column index grow. */
  readonly directions: readonly [Vec3, Vec3, Vec3];
};

export const dot = (a: Vec3, b: Vec3): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
export const cross = (a: Vec3, b: Vec3): Vec3 => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];
export const subtract = (a: Vec3, b: Vec3): Vec3 => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
export const scaled = (a: Vec3, by: number): Vec3 => [a[0] * by, a[1] * by, a[2] * by];
export const length = (a: Vec3): number => Math.hypot(a[0], a[1], a[2]);

/** LPS position, mm, of a voxel index [slice, row, column], which need not be whole: (0, 0, 0) is the centre of the first voxel. */
export function positionOf({ originMm, spacingMm, directions }: Geometry, index: Vec3): Vec3 {
  const at = (axis: number) =>
    directions.reduce((sum, direction, i) => sum + direction[axis]! * spacingMm[i]! * index[i]!, originMm[axis]!);
  return [at(0), at(1), at(2)];
}

/** The index [slice, row, column] of an LPS position, mm: the inverse of `positionOf`, for directions that aren't orthogonal too. */
export function indexOf({ originMm, spacingMm, directions: [slice, row, column] }: Geometry, positionMm: Vec3): Vec3 {
  const offset = subtract(positionMm, originMm);
  const volume = dot(slice, cross(row, column));
  return [
    dot(offset, cross(row, column)) / volume / spacingMm[0],
    dot(offset, cross(column, slice)) / volume / spacingMm[1],
    dot(offset, cross(slice, row)) / volume / spacingMm[2],
  ];
}

/**
 * The 4 × 4 matrix, row by row, from the index [column, row, slice, 1] to RAS millimetres (x to the right, y to the front, z to
 * the head), as NIfTI has it; LPS with `lps`, as NRRD and ITK do.
 */
export function affine({ originMm, spacingMm, directions }: Geometry, space: "ras" | "lps" = "ras"): number[][] {
  const sign = space === "ras" ? [-1, -1, 1] : [1, 1, 1];
  return [0, 1, 2]
    .map((axis) => [
      ...[2, 1, 0].map((i) => sign[axis]! * directions[i]![axis]! * spacingMm[i]!),
      sign[axis]! * originMm[axis]!,
    ])
    .concat([[0, 0, 0, 1]]);
}
