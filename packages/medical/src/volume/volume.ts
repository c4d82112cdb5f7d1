import type { Geometry } from "./geometry.ts";

/** A scan's values on its own grid. */
export type Volume = {
  readonly geometry: Geometry;
  /** [slices, rows, columns], HU for CT. Whole numbers that fit stay int16: half the memory, and exact. */
  readonly data: Int16Array | Float32Array;
};

/** A map over a scan, made slice by slice on the scan's own grid, so that nobody has to hold all of it. */
export type VoxelMap = {
  readonly geometry: Geometry;
  /** Fills `into` [rows, columns] with slice k, values in [0, 1]. */
  slice(k: number, into: Float32Array): void;
};
