import { chance } from "./chance.ts";
import { type SmoothNoise, smoothNoise } from "./smooth-noise.ts";

/**
 * One patient's sizes. The frame is LPS, millimetres: x = 0 in the midline, y = 0 in the middle of the body, z = 0 at the
 * deepest point of the lungs and z = `height` at their apex.
 */
export type Anatomy = {
  /** Half of the body's width and depth, mm. */
  readonly bodyX: number;
  readonly bodyY: number;
  /** How square the body's outline is, 0 an ellipse, 1 a rectangle. */
  readonly squareness: number;
  /** Under the skin, mm. */
  readonly fatMm: number;
  readonly wallMm: number;
  /** From the deepest recess to the apex, mm. */
  readonly height: number;
  /** Heights of the domes of the diaphragm: right, left. */
  readonly domes: readonly [number, number];
  /** Of all that lies in the mediastinum, sideways and in depth, from its usual place. */
  readonly scaleX: number;
  readonly scaleY: number;
  readonly midline: number;
  readonly heart: number;
  /** Mean density of the lungs, HU, and its rise from front to back, HU/mm. */
  readonly lungHu: number;
  readonly gradientHu: number;
  /** What lies at the back of the lungs of who lies on the back: HU more at the pleura. */
  readonly dependentHu: number;
  readonly bloodHu: number;
  readonly tableY: number;
  readonly noise: SmoothNoise;
};

export function anatomyOf(seed: number): Anatomy {
  const rng = chance(seed, "anatomy");
  const bodyX = rng.uniform(148, 192);
  const bodyY = bodyX * rng.uniform(0.66, 0.78);
  const height = rng.uniform(205, 285);
  const dome = height * rng.uniform(0.2, 0.32);
  return {
    bodyX,
    bodyY,
    squareness: rng.uniform(0.2, 0.5),
    fatMm: rng.uniform(5, 18),
    wallMm: rng.uniform(16, 22),
    height,
    domes: [dome, dome - rng.uniform(4, 18)],
    scaleX: bodyX / 165,
    scaleY: bodyY / 112,
    midline: rng.uniform(-5, 5),
    heart: rng.uniform(0.85, 1.12),
    lungHu: rng.uniform(-890, -820),
    gradientHu: rng.uniform(0.2, 0.6),
    dependentHu: rng.unit() < 0.5 ? rng.uniform(20, 120) : rng.uniform(0, 40),
    bloodHu: rng.unit() < 0.6 ? rng.uniform(35, 55) : rng.uniform(110, 320),
    tableY: bodyY + rng.uniform(4, 14),
    noise: smoothNoise(chance(seed, "texture")),
  };
}

/** A tapered capsule: two balls and what lies between. Positions and radii in mm. */
export type Capsule = {
  readonly a: readonly [number, number, number];
  readonly b: readonly [number, number, number];
  readonly ra: number;
  readonly rb: number;
  readonly hu: number;
};

type Place = readonly [x: number, y: number, height: number];

/** Where great vessels run, in the usual patient: mm sideways and in depth, height as a share of the lungs'; radii in mm. */
const vessels: readonly (readonly [Place, Place, number, number])[] = [
  [[16, 38, -0.15], [18, 40, 0.3], 11, 11.5], // descending aorta
  [[18, 40, 0.3], [19, 34, 0.62], 11.5, 12.5],
  [[19, 34, 0.62], [14, 16, 0.69], 12.5, 13], // arch
  [[14, 16, 0.69], [-6, -14, 0.67], 13, 14.5],
  [[-6, -14, 0.67], [-10, -26, 0.56], 14.5, 15.5], // ascending aorta
  [[-10, -26, 0.56], [-2, -24, 0.42], 15.5, 16],
  [[12, -36, 0.42], [20, -18, 0.54], 14, 13], // pulmonary trunk
  [[20, -18, 0.54], [40, 10, 0.56], 12, 9],
  [[14, -12, 0.53], [-14, -2, 0.53], 11, 10.5],
  [[-14, -2, 0.53], [-40, 6, 0.51], 10.5, 8],
  [[-25, -14, 0.4], [-25, -10, 0.74], 9.5, 8.5], // superior vena cava
  [[-24, 0, -0.15], [-24, -6, 0.3], 12, 11], // inferior vena cava
  [[-25, -10, 0.74], [-30, -16, 1.1], 7, 6],
  [[-22, -22, 0.78], [22, -26, 0.84], 6.5, 6],
  [[22, -26, 0.84], [34, -16, 1.1], 6, 6],
  [[-2, -6, 0.72], [-18, -6, 1.1], 5.5, 5],
  [[8, 4, 0.72], [12, 2, 1.1], 4.5, 4],
  [[15, 12, 0.72], [26, 12, 1.1], 5, 5],
  [[4, 8, 0.44], [36, 16, 0.44], 8, 6], // lower pulmonary veins
  [[0, 8, 0.44], [-36, 12, 0.42], 8, 6],
];

export const carina: Place = [-1, 12, 0.6];
/** Where bronchi and vessels enter each lung: right, left. */
export const hila: readonly [Place, Place] = [
  [-40, 8, 0.52],
  [42, 12, 0.53],
];

/** A place of the usual patient in this one. */
export function placed({ scaleX, scaleY, height, midline }: Anatomy, [x, y, share]: Place): [number, number, number] {
  return [midline + x * scaleX, y * scaleY, share * height];
}

export function greatVessels(anatomy: Anatomy): Capsule[] {
  return vessels.map(([a, b, ra, rb]) => ({
    a: placed(anatomy, a),
    b: placed(anatomy, b),
    ra: ra * anatomy.heart,
    rb: rb * anatomy.heart,
    hu: anatomy.bloodHu,
  }));
}
