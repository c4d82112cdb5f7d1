import type { Volume, VoxelMap } from "../volume/volume.ts";

/** What goes into a volume's file: a map, made slice by slice, or a scan's values. */
export type Voxels = VoxelMap | Volume;

export const isVolume = (voxels: Voxels): voxels is Volume => "data" in voxels;

export const dtypeOf = (voxels: Voxels): "int16" | "float32" =>
  isVolume(voxels) && voxels.data instanceof Int16Array ? "int16" : "float32";

/** The bytes of each slice, little endian as this machine has them; a map's are overwritten by the next slice's. */
export function* sliceBytes(voxels: Voxels): Generator<Uint8Array> {
  const [slices, rows, columns] = voxels.geometry.shape;
  const buffer = isVolume(voxels) ? undefined : new Float32Array(rows * columns);
  for (let k = 0; k < slices; k++) {
    let slice: Int16Array | Float32Array;
    if (isVolume(voxels)) slice = voxels.data.subarray(k * rows * columns, (k + 1) * rows * columns);
    else {
      slice = buffer!;
      voxels.slice(k, buffer!);
    }
    yield new Uint8Array(slice.buffer, slice.byteOffset, slice.byteLength);
  }
}
