import { affine, cross, dot, type Geometry, scaled, type Vec3 } from "../volume/geometry.ts";

/** The NIfTI-1 header, nifti1.h: 348 bytes. Offsets of the fields that we read or write. */
export const fields = {
  sizeofHeader: 0,
  dim: 40,
  intentCode: 68,
  datatype: 70,
  bitpix: 72,
  pixdim: 76,
  voxOffset: 108,
  sclSlope: 112,
  sclInter: 116,
  units: 123,
  calMax: 124,
  calMin: 128,
  description: 148,
  qformCode: 252,
  sformCode: 254,
  quaternion: 256,
  qoffset: 268,
  srow: 280,
  intentName: 328,
  magic: 344,
} as const;

export const headerSize = 348;

/** NIFTI_TYPE_… */
export const datatypes = { int16: { code: 4, bits: 16 }, float32: { code: 16, bits: 32 } } as const;

/** NIFTI_INTENT_ESTIMATE: values estimate something, which the intent's name names. */
const estimate = 1001;
/** NIFTI_XFORM_SCANNER_ANAT: the scanner's own coordinates, as DICOM's are. */
const scannerAnatomy = 1;
/** NIFTI_UNITS_MM */
const millimetres = 2;

export type HeaderContent = {
  readonly geometry: Geometry;
  readonly dtype: keyof typeof datatypes;
  /** Bytes from the file's beginning to the first voxel. */
  readonly voxOffset: number;
  /** At most 79 characters. */
  readonly description: string;
  /** What a map's values are; undefined for a scan. At most 15 characters. */
  readonly intent: string | undefined;
};

/** The header, little endian. Axes are [column, row, slice], RAS millimetres; both the sform and, where it can, the qform say so. */
export function niftiHeader({ geometry, dtype, voxOffset, description, intent }: HeaderContent): Uint8Array {
  const bytes = new Uint8Array(headerSize);
  const view = new DataView(bytes.buffer);
  const int16 = (at: number, ...values: readonly number[]) =>
    values.forEach((value, i) => {
      view.setInt16(at + 2 * i, value, true);
    });
  const float32 = (at: number, ...values: readonly number[]) =>
    values.forEach((value, i) => {
      view.setFloat32(at + 4 * i, value, true);
    });
  const [slices, rows, columns] = geometry.shape;
  const [between, row, column] = geometry.spacingMm;
  const quaternion = quaternionOf(geometry);
  const matrix = affine(geometry, "ras");

  view.setInt32(fields.sizeofHeader, headerSize, true);
  int16(fields.dim, 3, columns, rows, slices, 1, 1, 1, 1);
  int16(fields.intentCode, intent === undefined ? 0 : estimate);
  int16(fields.datatype, datatypes[dtype].code);
  int16(fields.bitpix, datatypes[dtype].bits);
  float32(fields.pixdim, quaternion?.qfac ?? 1, column, row, between, 1, 1, 1, 1);
  float32(fields.voxOffset, voxOffset);
  float32(fields.sclSlope, 1);
  view.setUint8(fields.units, millimetres);
  if (intent !== undefined) float32(fields.calMax, 1); // maps are shown from 0 to 1
  ascii(bytes, fields.description, 79, description);
  int16(fields.qformCode, quaternion === undefined ? 0 : scannerAnatomy);
  int16(fields.sformCode, scannerAnatomy);
  if (quaternion) float32(fields.quaternion, ...quaternion.bcd);
  float32(fields.qoffset, ...matrix.slice(0, 3).map((r) => r[3]!));
  float32(fields.srow, ...matrix.slice(0, 3).flat());
  ascii(bytes, fields.intentName, 15, intent ?? "");
  ascii(bytes, fields.magic, 4, "n+1");
  return bytes;
}

function ascii(bytes: Uint8Array, at: number, most: number, text: string): void {
  for (let i = 0; i < Math.min(most, text.length); i++) bytes[at + i] = Math.min(text.charCodeAt(i), 0x7f);
}

/**
 * Directions of the axes [column, row, slice] in RAS as a unit quaternion (a, b, c, d) with a ≥ 0, and qfac, -1 where the third
 * axis points against the right-handed one. Undefined where axes aren't orthogonal, which a quaternion can't say.
 */
export function quaternionOf({ directions }: Geometry): { bcd: Vec3; qfac: 1 | -1 } | undefined {
  const ras = ([x, y, z]: Vec3): Vec3 => [-x, -y, z];
  const [slice, row, column] = directions.map(ras) as [Vec3, Vec3, Vec3];
  const skew = Math.max(Math.abs(dot(slice, row)), Math.abs(dot(slice, column)), Math.abs(dot(row, column)));
  if (skew > 1e-4) return undefined;
  const qfac = dot(cross(column, row), slice) < 0 ? -1 : 1;
  const third = scaled(slice, qfac);
  // R's columns are the axes; of the four components the largest is taken from the diagonal, the others from it.
  const [r11, r21, r31] = column;
  const [r12, r22, r32] = row;
  const [r13, r23, r33] = third;
  const squares = [1 + r11 + r22 + r33, 1 + r11 - r22 - r33, 1 - r11 + r22 - r33, 1 - r11 - r22 + r33];
  const largest = squares.indexOf(Math.max(...squares));
  const rows = [
    [squares[0]!, r32 - r23, r13 - r31, r21 - r12],
    [r32 - r23, squares[1]!, r12 + r21, r13 + r31],
    [r13 - r31, r12 + r21, squares[2]!, r23 + r32],
    [r21 - r12, r13 + r31, r23 + r32, squares[3]!],
  ];
  const scale = 1 / (2 * Math.sqrt(squares[largest]!));
  const q = rows[largest]!.map((value) => value * scale);
  const sign = q[0]! < 0 ? -1 : 1;
  return { bcd: [q[1]! * sign, q[2]! * sign, q[3]! * sign], qfac };
}
