import type { Geometry, Vec3 } from "../volume/geometry.ts";
import type { Volume, VoxelMap } from "../volume/volume.ts";

/** For tests: a body of water with two lungs of air and a ball in the right one. 20 slices of 48 × 64, 4 × 2 × 1.5 mm. */
const geometry: Geometry = {
  shape: [20, 48, 64],
  spacingMm: [4, 2, 1.5],
  originMm: [-48, -48, -40],
  directions: [
    [0, 0, 1],
    [0, 1, 0],
    [1, 0, 0],
  ],
};

/** Where things are, in voxels, and their half-axes. */
export const spheres = {
  body: { at: [10, 24, 32], radii: [40, 22, 30] },
  right: { at: [10, 24, 19], radii: [9, 15, 9] },
  left: { at: [10, 24, 45], radii: [9, 15, 9] },
  lesion: { at: [13, 28, 18], radii: [2.5, 5, 5] },
} as const satisfies Readonly<Record<string, { at: Vec3; radii: Vec3 }>>;

function inside({ at, radii }: { at: Vec3; radii: Vec3 }, index: Vec3): boolean {
  return index.reduce((sum, i, axis) => sum + ((i - at[axis]!) / radii[axis]!) ** 2, 0) < 1;
}

function forVoxels(see: (i: number, index: Vec3) => void): void {
  const [slices, rows, columns] = geometry.shape;
  for (let k = 0, i = 0; k < slices; k++)
    for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++, i++) see(i, [k, r, c]);
}

export function ballVolume(): Volume {
  const data = new Int16Array(20 * 48 * 64).fill(-1000);
  forVoxels((i, index) => {
    if (inside(spheres.body, index)) data[i] = 0;
    if (inside(spheres.right, index) || inside(spheres.left, index)) data[i] = -850;
    if (inside(spheres.lesion, index)) data[i] = 40;
  });
  return { geometry, data };
}

/** A bump of half-width 12 mm over the ball. */
export function ballMap(): VoxelMap {
  const { at } = spheres.lesion;
  return {
    geometry,
    slice(k, into) {
      for (let r = 0, i = 0; r < 48; r++)
        for (let c = 0; c < 64; c++, i++) {
          const mm2 = ((k - at[0]) * 4) ** 2 + ((r - at[1]) * 2) ** 2 + ((c - at[2]) * 1.5) ** 2;
          into[i] = Math.exp(-mm2 / 144);
        }
    },
  };
}

export const ballLungs = {
  slice(k: number, into: Uint8Array): void {
    for (let r = 0, i = 0; r < 48; r++)
      for (let c = 0; c < 64; c++, i++)
        into[i] = inside(spheres.right, [k, r, c]) ? 1 : inside(spheres.left, [k, r, c]) ? 2 : 0;
  },
};
