/** The public door of medical. A test pins this list. */

export type { Identity, RemappedUid, Scan, SliceSource } from "./dicom/scan.ts";
export { derivedUid, isUid } from "./dicom/uids.ts";
export * from "./errors.ts";
export type { Provenance } from "./provenance.ts";
export { affine, type Geometry, indexOf, positionOf, type Vec3 } from "./volume/geometry.ts";
export type { Volume, VoxelMap } from "./volume/volume.ts";
export { type CtSeriesOptions, ctImage, ctImageStorage, decimal, writeCtSeries } from "./write/ct-series.ts";
export { type Dataset, part10 } from "./write/part10.ts";
