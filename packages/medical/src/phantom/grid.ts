import { cross, type Geometry, scaled, type Vec3 } from "../volume/geometry.ts";
import { anatomyOf } from "./anatomy.ts";
import { chance } from "./chance.ts";

/** How a seed's scan was taken. */
export type Protocol = {
  /** Where the patient's frame lies in the scan's, LPS mm: nobody lies quite in the middle. */
  readonly offsetMm: Vec3;
  readonly thicknessMm: number;
  /** Of the noise in soft tissue, HU. */
  readonly noiseHu: number;
  /** Of the reconstruction's kernel in plane, mm. */
  readonly blurMm: number;
};

const distances = [1, 1.25, 1.5, 2, 2.5, 3, 4, 5] as const;

function drawn(seed: number) {
  const rng = chance(seed, "grid");
  const distanceMm = rng.pick(distances);
  return {
    distanceMm,
    offsetMm: [rng.uniform(-18, 18), rng.uniform(-14, 14), rng.uniform(-1400, 200)] as const,
    dose: rng.uniform(0.7, 2.1),
    blurMm: rng.uniform(0.45, 0.95),
    marginMm: [rng.uniform(12, 40), rng.uniform(6, 25), rng.uniform(6, 25)] as const, // in plane, below, above
  };
}

/** Thick slices have seen more rays: their noise falls with the root of their thickness; a smooth kernel's too. */
export function protocolOf(seed: number, thicknessMm?: number): Protocol {
  const { distanceMm, offsetMm, dose, blurMm } = drawn(seed);
  const thickness = thicknessMm ?? distanceMm;
  return { offsetMm, thicknessMm: thickness, blurMm, noiseHu: (13 * dose) / Math.sqrt(thickness) / (0.4 + blurMm) };
}

/** How thick a seed's own slices are, mm. */
export const thoraxThickness = (seed: number): number => protocolOf(seed).thicknessMm;

export type GridOptions = {
  /** Rows and columns. Default 512. */
  readonly size?: number;
  /** Slices, instead of the seed's own distance between them. */
  readonly slices?: number;
};

/** A seed's natural grid: axial, the body within it, 40 to 300 slices of 1 to 5 mm. */
export function thoraxGeometry(seed: number, { size = 512, slices }: GridOptions = {}): Geometry {
  const { distanceMm, offsetMm, marginMm } = drawn(seed);
  const { bodyX, height } = anatomyOf(seed);
  const inPlane = Math.max(0.6, Math.min(0.9, (2.12 * bodyX + 2 * marginMm[0]) / 512)) * (512 / size);
  const span = height + marginMm[1] + marginMm[2];
  const own = Math.max(40, Math.min(300, Math.round(span / distanceMm)));
  const count = slices ?? own;
  const edge = ((size - 1) / 2) * inPlane;
  return {
    shape: [count, size, size],
    spacingMm: [
      slices ? span / (slices - 1) : own === Math.round(span / distanceMm) ? distanceMm : span / own,
      inPlane,
      inPlane,
    ],
    originMm: [-edge, -edge, offsetMm[2] - marginMm[1]],
    directions: [
      [0, 0, 1],
      [0, 1, 0],
      [1, 0, 0],
    ],
  };
}

/**
 * The same grid turned about its middle: its slice direction leans by (leanX, leanY), as tangents, to the patient's left and back.
 * For oblique series.
 */
export function leaning(geometry: Geometry, leanX: number, leanY: number): Geometry {
  const unit = (v: Vec3): Vec3 => scaled(v, 1 / Math.sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]));
  const slice = unit([leanX, leanY, 1]);
  const column = unit([1, 0, -leanX]);
  const row = cross(slice, column);
  const directions = [slice, row, column] as const;
  const middle = (axes: Geometry["directions"]): Vec3 => {
    const half = geometry.shape.map((n, i) => ((n - 1) / 2) * geometry.spacingMm[i]!);
    return [0, 1, 2].map((x) => axes.reduce((sum, axis, i) => sum + axis[x]! * half[i]!, 0)) as unknown as Vec3;
  };
  const [before, after] = [middle(geometry.directions), middle(directions)];
  return {
    ...geometry,
    directions,
    originMm: geometry.originMm.map((o, i) => o + before[i]! - after[i]!) as unknown as Vec3,
  };
}
