import type { Geometry, Vec3 } from "../volume/geometry.ts";
import { positionOf, scaled, subtract } from "../volume/geometry.ts";
import type { Volume } from "../volume/volume.ts";
import { chance, cubeRoot } from "./chance.ts";
import { composePlane, type Drawn } from "./compose.ts";
import { protocolOf, thoraxGeometry } from "./grid.ts";
import { type LesionShape, lesionDepth, type PhantomClass, phantomClasses, reach } from "./lesions.ts";
import { boxOf, type Plane } from "./plane.ts";
import { addNoise, blur, noiseTile } from "./reconstruct.ts";
import { measureLesion, type Scene, sceneOf } from "./scene.ts";

export type ThoraxOptions = {
  /** Default: the seed's own grid. */
  readonly geometry?: Geometry;
  /** Default: the seed's class, `classOf`. The anatomy stays the same. */
  readonly label?: PhantomClass;
  /** Over which slices average. Default: the distance between the seed's own slices. */
  readonly thicknessMm?: number;
  /** Times the seed's noise; 0 for none. Default 1. */
  readonly noise?: number;
};

export type Lesion = {
  readonly kind: LesionShape["kind"];
  /** The centroid of what lies in the lung, LPS mm. */
  readonly centreMm: Vec3;
  /** Of a ball of the same volume. */
  readonly diameterMm: number;
  readonly volumeMl: number;
};

export type Thorax = {
  /** Int16 HU. */
  readonly volume: Volume;
  readonly label: PhantomClass;
  readonly lesions: readonly Lesion[];
  /** [slices, rows, columns]: the lesion's number, from 1, where a voxel's centre lies in one. */
  readonly lesionMask: Uint8Array;
  /** [slices, rows, columns]: 1 in the right lung, 2 in the left one; lesions and vessels in it count. */
  readonly lungMask: Uint8Array;
};

/** Seeds one after the other take turns: classes are balanced. */
export const classOf = (seed: number): PhantomClass => phantomClasses[((seed % 3) + 3) % 3]!;

/**
 * A synthetic chest CT with exact truth: a scene in millimetres, cut along any grid. Every slice is the mean of thin planes over
 * its thickness, blurred in plane as a kernel does, with correlated noise. The same bytes for the same seed on every machine.
 * Noise belongs to the grid; everything else to the seed, so that two grids show the same patient.
 */
export function drawThorax(seed: number, options: ThoraxOptions = {}): Thorax {
  const { geometry = thoraxGeometry(seed), label = classOf(seed), noise = 1 } = options;
  const { offsetMm, thicknessMm, noiseHu, blurMm } = protocolOf(seed, options.thicknessMm);
  const scene = sceneOf(seed, label);
  const [slices, rows, columns] = geometry.shape;
  const size = rows * columns;
  const data = new Int16Array(slices * size);
  const lesionMask = new Uint8Array(slices * size);
  const lungMask = new Uint8Array(slices * size);

  const planes = thicknessMm <= 1.6 ? 1 : 3; // odd: the one in the middle is the slice's own, for the masks
  const [middle, other] = [planeBuffers(size), planeBuffers(size)];
  const mean = new Float32Array(size);
  const scratch = new Float32Array(size);
  const sigma = blurMm / geometry.spacingMm[1];
  const rng = chance(seed, "noise");
  const tile = noiseTile(Math.max(0.35, 1.1 * sigma), rng);
  for (let k = 0; k < slices; k++) {
    mean.fill(0);
    for (let p = 0; p < planes; p++) {
      const aside = p - (planes - 1) / 2;
      const plane = planeOf(geometry, k, (aside * thicknessMm) / planes, offsetMm);
      const into = aside === 0 ? middle : other;
      composePlane(scene, plane, into);
      for (let at = 0; at < size; at++) mean[at]! += into.hu[at]! / planes;
      if (aside === 0) fillMasks(scene, plane, middle.lung, k * size, lesionMask, lungMask);
    }
    blur(mean, rows, columns, sigma, scratch);
    if (noise > 0) addNoise(mean, middle.skin, rows, columns, tile, noise * noiseHu, rng);
    for (let at = 0; at < size; at++) data[k * size + at] = Math.max(-1024, Math.min(3071, Math.round(mean[at]!)));
  }
  return { volume: { geometry, data }, label, lesions: truthOf(scene, offsetMm), lesionMask, lungMask };
}

const planeBuffers = (size: number): Drawn => ({
  hu: new Float32Array(size),
  lung: new Float32Array(size),
  skin: new Float32Array(size),
});

/** Slice k in the patient's frame, `asideMm` along the slices' direction. */
function planeOf(geometry: Geometry, k: number, asideMm: number, offsetMm: Vec3): Plane {
  const { shape, spacingMm, directions } = geometry;
  const origin = subtract(positionOf(geometry, [k + asideMm / spacingMm[0], 0, 0]), offsetMm);
  const [, row, column] = directions;
  return {
    rows: shape[1],
    columns: shape[2],
    origin,
    row: scaled(row, spacingMm[1]),
    column: scaled(column, spacingMm[2]),
    normal: [
      row[1] * column[2] - row[2] * column[1],
      row[2] * column[0] - row[0] * column[2],
      row[0] * column[1] - row[1] * column[0],
    ],
    pixelMm: Math.min(spacingMm[1], spacingMm[2]),
  };
}

function fillMasks(
  scene: Scene,
  plane: Plane,
  lung: Float32Array,
  start: number,
  lesionMask: Uint8Array,
  lungMask: Uint8Array,
) {
  const { rows, columns, origin, row, column } = plane;
  const { midline } = scene.anatomy;
  for (let i = 0, at = 0; i < rows; i++)
    for (let j = 0; j < columns; j++, at++)
      if (lung[at]! > 0) lungMask[start + at] = origin[0] + i * row[0] + j * column[0] < midline ? 1 : 2;
  for (const [n, lesion] of scene.lesions.entries()) {
    const box = boxOf(plane, lesion.center, reach(lesion));
    if (!box) continue;
    for (let i = box.top; i <= box.bottom; i++)
      for (let j = box.left; j <= box.right; j++) {
        const [x, y, z] = [0, 1, 2].map((d) => origin[d]! + i * row[d]! + j * column[d]!) as [number, number, number];
        const at = i * columns + j;
        if (lung[at]! > 0 && lesionDepth(lesion, x, y, z) > 0) lesionMask[start + at] = n + 1;
      }
  }
}

function truthOf(scene: Scene, offsetMm: Vec3): Lesion[] {
  return scene.lesions.map((lesion) => {
    const { centerMm, volumeMm3 } = measureLesion(lesion, scene);
    return {
      kind: lesion.kind,
      centreMm: [centerMm[0] + offsetMm[0], centerMm[1] + offsetMm[1], centerMm[2] + offsetMm[2]],
      diameterMm: cubeRoot((6 * volumeMm3) / Math.PI),
      volumeMl: volumeMm3 / 1000,
    };
  });
}
