import type { Scan } from "../dicom/scan.ts";
import { MapGridError, MapValueError } from "../errors.ts";
import type { VoxelMap } from "../volume/volume.ts";

/**
 * The slices of a map, one at a time in one buffer: what is yielded is overwritten by the next.
 * Throws MapGridError where the map isn't on the scan's grid, MapValueError for a value that is no number in [0, 1].
 */
export function* mapSlices(map: VoxelMap, scan: Scan): Generator<Float32Array> {
  checkGrid(map, scan);
  const [slices, rows, columns] = map.geometry.shape;
  const slice = new Float32Array(rows * columns);
  for (let k = 0; k < slices; k++) {
    map.slice(k, slice);
    for (let i = 0; i < slice.length; i++)
      if (!(slice[i]! >= 0 && slice[i]! <= 1))
        // NaN fails too
        throw new MapValueError(slice[i]!, [k, Math.floor(i / columns), i % columns]);
    yield slice;
  }
}

/** A map's slices must be the scan's: results refer to them one by one. */
export function checkGrid(map: VoxelMap, scan: Scan): void {
  const expected = scan.geometry.shape;
  if (map.geometry.shape.some((size, axis) => size !== expected[axis]) || scan.slices.length !== expected[0])
    throw new MapGridError(map.geometry.shape, expected, scan.slices.length);
}
