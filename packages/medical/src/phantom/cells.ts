import type { Placement } from "../preprocess/placement.ts";
import type { Vec3 } from "../volume/geometry.ts";

/**
 * A mask of a scan [slices, rows, columns] at the cells of a network's input: 1 where the voxel nearest to a cell's centre is
 * not 0.
 */
export function maskAtCells(mask: Uint8Array, shape: Vec3, { axes }: Placement): Uint8Array {
  const strides = [shape[1] * shape[2], shape[2], 1];
  const offsets = axes.map(({ scanAxis, centres }) =>
    centres.map((centre) => {
      const index = Math.max(0, Math.min(shape[scanAxis] - 1, Math.round(centre)));
      return index * strides[scanAxis]!;
    }),
  );
  const [slices, rows, columns] = offsets as [number[], number[], number[]];
  const out = new Uint8Array(slices.length * rows.length * columns.length);
  let to = 0;
  for (const slice of slices)
    for (const row of rows) for (const column of columns) out[to++] = mask[slice + row + column] ? 1 : 0;
  return out;
}
