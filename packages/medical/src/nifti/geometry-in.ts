import { NiftiError } from "../errors.ts";
import { dot, type Geometry, length, scaled, type Vec3 } from "../volume/geometry.ts";
import { fields } from "./header.ts";
import type { ScanHeader } from "./scan-header.ts";

/** How far from a right angle axes may be: the cosine. Header values are float32 and often rounded. */
const largestCosine = 1e-3;

/**
 * Where a NIfTI file's voxels lie, in LPS mm: by the sform where there is one, otherwise by the qform. Both are RAS.
 * Throws NiftiError where neither says anything, or axes aren't orthogonal.
 */
export function geometryIn(path: string, header: ScanHeader): Geometry {
  const { view, little, dims } = header;
  const code = (at: number) => view.getInt16(at, little);
  const columns = code(fields.sformCode) > 0 ? sform(header) : code(fields.qformCode) > 0 ? qform(header) : undefined;
  if (columns === undefined)
    throw new NiftiError(path, "says nothing of its orientation: neither an sform nor a qform", {
      hint: "Left and right can't be told. Set an sform, with nifti_tool or 3D Slicer, where you know it.",
    });
  const [i, j, k, origin] = columns.map(([x, y, z]): Vec3 => [-x, -y, z]) as [Vec3, Vec3, Vec3, Vec3];
  const spacingMm: Vec3 = [length(k), length(j), length(i)];
  if (spacingMm.some((mm) => !(mm > 0 && Number.isFinite(mm))) || origin.some((mm) => !Number.isFinite(mm)))
    throw new NiftiError(
      path,
      `voxels of ${spacingMm.join(" x ")} mm at ${origin.join(", ")}, expected positive sizes`,
    );
  const [slice, row, column] = [scaled(k, 1 / spacingMm[0]), scaled(j, 1 / spacingMm[1]), scaled(i, 1 / spacingMm[2])];
  const cosine = Math.max(Math.abs(dot(slice, row)), Math.abs(dot(slice, column)), Math.abs(dot(row, column)));
  if (cosine > largestCosine)
    throw new NiftiError(path, `its axes aren't orthogonal: a cosine of ${cosine.toFixed(4)} between two of them`, {
      hint: "Resample it on a straight grid first.",
    });
  return { shape: [dims[2], dims[1], dims[0]], spacingMm, originMm: origin, directions: [slice, row, column] };
}

type Columns = readonly Vec3[];

/** The columns of the matrix: steps of i, j, k and the origin. */
function sform({ view, little }: ScanHeader): Columns {
  const at = (row: number, column: number) => view.getFloat32(fields.srow + 4 * (4 * row + column), little);
  return [0, 1, 2, 3].map((column): Vec3 => [at(0, column), at(1, column), at(2, column)]);
}

/** nifti1.h, method 2: a rotation from a unit quaternion, times pixdim, the third axis times qfac. */
function qform({ view, little }: ScanHeader): Columns {
  const float = (at: number, i: number) => view.getFloat32(at + 4 * i, little);
  const [b, c, d] = [float(fields.quaternion, 0), float(fields.quaternion, 1), float(fields.quaternion, 2)];
  const a = Math.sqrt(Math.max(0, 1 - b * b - c * c - d * d));
  const qfac = float(fields.pixdim, 0) < 0 ? -1 : 1;
  const axes: readonly Vec3[] = [
    [a * a + b * b - c * c - d * d, 2 * (b * c + a * d), 2 * (b * d - a * c)],
    [2 * (b * c - a * d), a * a + c * c - b * b - d * d, 2 * (c * d + a * b)],
    [2 * (b * d + a * c), 2 * (c * d - a * b), a * a + d * d - b * b - c * c],
  ];
  return [
    ...axes.map((axis, i) => scaled(axis, float(fields.pixdim, i + 1) * (i === 2 ? qfac : 1))),
    [float(fields.qoffset, 0), float(fields.qoffset, 1), float(fields.qoffset, 2)],
  ];
}
