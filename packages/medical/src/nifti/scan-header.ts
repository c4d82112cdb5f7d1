import { NiftiError } from "../errors.ts";
import { fields, headerSize } from "./header.ts";

/** More than any scan has, and what fits in memory: 1024 slices of 1024 x 1024. */
const mostVoxels = 2 ** 30;

/** How one voxel is stored: NIFTI_TYPE_… */
export type StoredType = {
  readonly bytes: number;
  readonly read: (view: DataView, at: number, little: boolean) => number;
};

const types: Readonly<Record<number, StoredType>> = {
  2: { bytes: 1, read: (view, at) => view.getUint8(at) },
  4: { bytes: 2, read: (view, at, little) => view.getInt16(at, little) },
  8: { bytes: 4, read: (view, at, little) => view.getInt32(at, little) },
  16: { bytes: 4, read: (view, at, little) => view.getFloat32(at, little) },
  64: { bytes: 8, read: (view, at, little) => view.getFloat64(at, little) },
  256: { bytes: 1, read: (view, at) => view.getInt8(at) },
  512: { bytes: 2, read: (view, at, little) => view.getUint16(at, little) },
  768: { bytes: 4, read: (view, at, little) => view.getUint32(at, little) },
  1024: { bytes: 8, read: (view, at, little) => Number(view.getBigInt64(at, little)) },
  1280: { bytes: 8, read: (view, at, little) => Number(view.getBigUint64(at, little)) },
};

/** What of a NIfTI header a scan is made of. */
export type ScanHeader = {
  readonly view: DataView;
  readonly little: boolean;
  /** Columns, rows, slices: i, j, k. */
  readonly dims: readonly [number, number, number];
  readonly voxels: number;
  readonly type: StoredType;
  readonly voxOffset: number;
  /** Stored value · slope + intercept. */
  readonly slope: number;
  readonly intercept: number;
};

/** Checks and reads the header; `bytes` may go on behind it. Throws NiftiError. */
export function readHeader(path: string, bytes: Uint8Array): ScanHeader {
  const view = new DataView(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + headerSize));
  const refuse = (reason: string, hint?: string): never => {
    throw new NiftiError(path, reason, hint === undefined ? {} : { hint });
  };
  const little = view.getInt32(fields.sizeofHeader, true) === headerSize;
  const size = view.getInt32(fields.sizeofHeader, little);
  if (size === 540 || view.getInt32(0, true) === 540) refuse("NIfTI-2", "Convert it to NIfTI-1.");
  if (size !== headerSize) refuse(`no NIfTI: its header says that it has ${size} bytes, expected ${headerSize}`);
  const magic = String.fromCharCode(...new Uint8Array(view.buffer, fields.magic, 3));
  if (magic === "ni1") refuse("a header of a pair of files", "Convert .hdr and .img to one .nii file.");
  if (magic !== "n+1") refuse(`no NIfTI-1: magic "${magic.replace(/\0/g, "")}", expected "n+1"`);

  const dim = Array.from({ length: 8 }, (_, i) => view.getInt16(fields.dim + 2 * i, little));
  const rank = dim[0]!;
  if (rank < 2 || rank > 7) refuse(`${rank} dimensions, expected 3`);
  const sizes = dim.slice(1, rank + 1);
  if (sizes.some((n) => n < 1)) refuse(`sizes ${sizes.join(" x ")}, expected 1 or more`);
  if (sizes.slice(3).some((n) => n > 1))
    refuse(`sizes ${sizes.join(" x ")}: several volumes in one file`, "Take one of them out.");
  const dims = [sizes[0]!, sizes[1]!, sizes[2] ?? 1] as const;
  const voxels = dims[0] * dims[1] * dims[2];
  if (voxels > mostVoxels) refuse(`${dims.join(" x ")} voxels, more than the ${mostVoxels} that are read`);

  const code = view.getInt16(fields.datatype, little);
  const type =
    types[code] ??
    refuse(`datatype ${code}, expected whole or real numbers`, "Colour and complex numbers are no scan.");
  const slope = view.getFloat32(fields.sclSlope, little);
  const intercept = view.getFloat32(fields.sclInter, little);
  const isScaled = Number.isFinite(slope) && slope !== 0; // nifti1.h: a slope of 0 means none; some writers put NaN
  const voxOffset = Math.trunc(view.getFloat32(fields.voxOffset, little));
  if (!(voxOffset >= headerSize)) refuse(`voxels at byte ${voxOffset}, expected them behind the header`);
  return {
    view,
    little,
    dims,
    voxels,
    type,
    voxOffset,
    slope: isScaled ? slope : 1,
    intercept: isScaled && Number.isFinite(intercept) ? intercept : 0,
  };
}
