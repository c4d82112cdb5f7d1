/** The public door of medical. A test pins this list. */

export * from "./dicom/index.ts";
export * from "./dicom/pixels/index.ts";
export * from "./errors.ts";
export * from "./networks/index.ts";
export * from "./nifti/index.ts";
export * from "./pacs/index.ts";
export * from "./phantom/index.ts";
export * from "./preprocess/index.ts";
export * from "./process/index.ts";
export type { Provenance } from "./provenance.ts";
export * from "./report/index.ts";
export { affine, type Geometry, indexOf, positionOf, type Vec3 } from "./volume/geometry.ts";
export type { Volume, VoxelMap } from "./volume/volume.ts";
export { type CtSeriesOptions, ctImage, ctImageStorage, decimal, writeCtSeries } from "./write/ct-series.ts";
export * from "./write/index.ts";
export { type Dataset, part10 } from "./write/part10.ts";
