import { type Anatomy, type Capsule, placed } from "./anatomy.ts";
import { smoothstep } from "./chance.ts";
import { noiseAt } from "./smooth-noise.ts";

/**
 * The large shapes as fields over space: distances in mm, positive inside. They are smooth, so that a rasteriser may evaluate
 * them every few millimetres and interpolate; their zero is the surface.
 */
export const field = {
  skin: 0,
  /** Under the fat. */
  muscle: 1,
  /** The inside of the rib cage. */
  cavity: 2,
  lung: 3,
  /** Below the diaphragm. */
  abdomen: 4,
  heart: 5,
  liver: 6,
  /** The fissures of the lungs, signed by side; far away where there is none. */
  major: 7,
  minor: 8,
  /** Density of the lung's tissue, HU. */
  tissue: 9,
  /** Smooth noise, -1 to 1: sheets of fat between muscles, mottling of organs. */
  mottle: 10,
  /** Spleen and stomach, and the gas in the stomach. */
  spleen: 11,
  gas: 12,
} as const;
export const fieldCount = 13;

/** The distance to a squircle with half axes a and b about the origin, along the ray: (x/a)² + (y/b)² - k (xy/ab)² = 1. */
export function squircle(x: number, y: number, a: number, b: number, k: number): number {
  const [X, Y] = [(x * x) / (a * a), (y * y) / (b * b)];
  const sum = X + Y;
  if (sum < 1e-9) return Math.min(a, b);
  const product = k * X * Y;
  // The ray meets it at s times (x, y): s² sum - s⁴ product = 1.
  const s2 = 2 / (sum + Math.sqrt(Math.max(0, sum * sum - 4 * product)));
  return Math.sqrt(x * x + y * y) * (Math.sqrt(s2) - 1);
}

/** The distance to a tapered capsule, negative outside. */
export function capsuleDepth({ a, b, ra, rb }: Capsule, x: number, y: number, z: number): number {
  const [ux, uy, uz] = [b[0] - a[0], b[1] - a[1], b[2] - a[2]];
  const [px, py, pz] = [x - a[0], y - a[1], z - a[2]];
  const length2 = ux * ux + uy * uy + uz * uz;
  const along = length2 > 0 ? (px * ux + py * uy + pz * uz) / length2 : 0;
  const s = along < 0 ? 0 : Math.min(along, 1);
  const [dx, dy, dz] = [px - s * ux, py - s * uy, pz - s * uz];
  return ra + (rb - ra) * s - Math.sqrt(dx * dx + dy * dy + dz * dz);
}

/** The larger of two, rounded over `k` mm where they meet. */
function joined(a: number, b: number, k: number): number {
  const h = Math.max(0, k - Math.abs(a - b));
  return Math.max(a, b) + (h * h) / (4 * k);
}

export type Cage = { readonly shift: number; readonly x: number; readonly y: number; readonly centerY: number };

/** The inside of the rib cage at a height: half axes about (±shift, centerY). Each lung's apex is a dome of its own. */
export function cageAt({ bodyX, bodyY, fatMm, wallMm, height }: Anatomy, z: number): Cage {
  const t = Math.min(0.999, Math.max(0, z / height));
  const below = 1 - t;
  const round = Math.sqrt(below * (2 - below)); // 1 at the base, 0 at the apex
  const dome = round * (0.7 + 0.3 * round);
  const shift = 33 * smoothstep((t - 0.45) / 0.55);
  const wall = wallMm + 0.6 * fatMm;
  const full = bodyY - (wallMm + 0.5 * fatMm) - 2; // half depth of the cavity at its widest
  const y = full * (0.1 + 0.9 * round);
  const back = bodyY - wallMm - 0.4 * fatMm - 36 * smoothstep((t - 0.5) / 0.55);
  return { shift, x: (bodyX - wall) * dome * (0.95 + 0.05 * (1 - below)) - shift * dome, y, centerY: back - y };
}

export const spineAt = ({ bodyY, wallMm, fatMm, height }: Anatomy, z: number): number => {
  const t = z / height - 0.42;
  return bodyY - wallMm - 0.4 * fatMm - 30 - 55 * t * t; // the middle of the vertebral body, thoracic kyphosis
};

export const cageSquareness = 0.35;

/** This far outside a shape, mm, what lies in it isn't computed; its fields are then `-far`. */
const beyond = 14;
const far = 50;

/** Makes the function that fills `out` with all fields at a position of the patient's frame. */
export function fieldsOf(anatomy: Anatomy, great: readonly Capsule[]) {
  const { bodyX, bodyY, squareness, fatMm, height, domes, midline, scaleX, scaleY, noise } = anatomy;
  const { lungHu, gradientHu, dependentHu, heart } = anatomy;
  const base = cageAt(anatomy, 0.2 * height);
  const ventricles = placed(anatomy, [24, -30, 0.3]);
  const rightAtrium = placed(anatomy, [-20, -16, 0.36]);
  const leftAtrium = placed(anatomy, [2, 8, 0.43]);

  // For each vessel the box beyond which it is too far: lowest z, highest z, x, x, y, y.
  const boxes = Float64Array.from(
    great.flatMap(({ a, b, ra, rb }) => {
      const margin = Math.max(ra, rb) + beyond;
      return [2, 0, 1].flatMap((i) => [Math.min(a[i]!, b[i]!) - margin, Math.max(a[i]!, b[i]!) + margin]);
    }),
  );
  const isNear = (i: number, x: number, y: number, z: number) =>
    z > boxes[6 * i]! &&
    z < boxes[6 * i + 1]! &&
    x > boxes[6 * i + 2]! &&
    x < boxes[6 * i + 3]! &&
    y > boxes[6 * i + 4]! &&
    y < boxes[6 * i + 5]!;

  return (x: number, y: number, z: number, out: Float64Array, at: number): void => {
    const t = z / height;
    out.fill(-far, at, at + fieldCount);
    const slow = noiseAt(noise, x / 70, y / 70, z / 70);
    const other = noiseAt(noise, x / 31 + 9, y / 31, z / 31);

    // The body widens to the shoulders and gets flatter towards the neck.
    const shoulders = smoothstep((t - 0.72) / 0.4);
    const flat = bodyY * (1 - 0.3 * smoothstep((t - 0.75) / 0.4));
    const wide = bodyX * (1 + 0.16 * shoulders);
    const skin = squircle(x, y - 0.75 * (bodyY - flat), wide, flat, squareness) + 4 * slow;
    const frontal = y < 0 ? 1 + (0.5 * -y) / bodyY : 1;
    out[at] = skin;
    if (skin < -beyond) return;
    out[at + 1] = skin - fatMm * frontal * (1 + 0.35 * slow) - 2;

    const cage = cageAt(anatomy, z);
    const cavityX = Math.max(0, Math.abs(x) - cage.shift);
    const above = Math.max(0, z - height);
    const cavity = squircle(cavityX, y - cage.centerY, cage.x, cage.y, cageSquareness) + 2 * slow - above;
    out[at + 2] = cavity;
    out[at + 10] = other + 0.35 * slow;
    if (cavity < -beyond) return;

    // Mediastinum: a sheet that is thick in the middle, the heart, the great vessels and the spine.
    const fromMiddle = (y - 2 * scaleY) / (48 * scaleY);
    const bump = Math.max(0, 1 - fromMiddle * fromMiddle);
    const upper = smoothstep((t - 0.55) / 0.3);
    let mediastinum = 3 + (15 + 9 * upper) * scaleX * bump * bump + 2 * other - Math.abs(x - midline);
    const [vx, vy, vz] = [x - ventricles[0], y - ventricles[1], z - ventricles[2]];
    const [lx, ly] = [0.8 * vx - 0.6 * vy, 0.6 * vx + 0.8 * vy]; // the heart's axis points to the left and to the front
    const hearts = joined(
      ball(lx, ly, vz + 0.25 * lx, 60 * heart * scaleX, 43 * heart * scaleY, 46 * heart),
      joined(
        ball(x - rightAtrium[0], y - rightAtrium[1], z - rightAtrium[2], 32 * scaleX, 35 * scaleY, 40),
        ball(x - leftAtrium[0], y - leftAtrium[1], z - leftAtrium[2], 36 * scaleX, 20 * scaleY, 24),
        10,
      ),
      10,
    );
    out[at + 5] = hearts + 2 * other;
    mediastinum = joined(mediastinum, hearts + 4.5, 12);
    for (let i = 0; i < great.length; i++)
      if (isNear(i, x, y, z)) mediastinum = joined(mediastinum, capsuleDepth(great[i]!, x, y, z) + 2.5, 6);
    const spine = ball(x - midline * 0.3, y - spineAt(anatomy, z), 0, 20, 18, 1);
    mediastinum = joined(mediastinum, spine, 8);

    // Diaphragm: a dome on each side that reaches down to the recess at the wall, the heart between them.
    const ahead = (base.centerY - y) / base.y; // 1 at the front wall, where the recess is shallow
    const fromWall = squircle(x, y - base.centerY, base.x, base.y, cageSquareness) + 16 * Math.max(0, ahead);
    const flatness = 1 - Math.min(1, Math.max(0, fromWall / (0.8 * base.y)));
    const side = smoothstep(x / 90 + 0.5);
    const between = 1 - 0.16 * Math.max(0, 1 - ((x - 8) / 50) ** 2);
    const lean = 1 + 0.2 * ahead; // higher in front
    const rise = (domes[0] + (domes[1] - domes[0]) * side) * between * lean;
    const top = rise * (1 - flatness * flatness) - 60 * Math.max(0, -fromWall / 20) + 4 * slow;
    const abdomen = (top - z) * (0.85 - 0.4 * flatness);
    out[at + 4] = abdomen;
    const inside = Math.min(abdomen - 1.2, cavity - 1.5);
    const edge = (52 + 25 * slow) * scaleX - x - 0.35 * (domes[0] - z) - 0.3 * Math.max(0, y);
    out[at + 6] = Math.min(inside, 0.8 * edge);
    out[at + 11] = Math.min(
      inside - 1.5,
      Math.max(
        ball(x - 92 * scaleX, y - 34 * scaleY, z - 0.45 * domes[1], 38 * scaleX, 42 * scaleY, 50),
        ball(x - 66 * scaleX, y + 14 * scaleY, z - 0.4 * domes[1], 38 * scaleX, 46 * scaleY, 44),
      ),
    );
    // Gas gathers in front: who lies on the back has it under the front wall.
    out[at + 12] = Math.min(
      inside - 4,
      ball(x - 66 * scaleX, y + 14 * scaleY, z - 0.4 * domes[1], 34 * scaleX, 42 * scaleY, 40),
      -y - 24 * scaleY + 4 * other,
    );

    const lung = Math.min(cavity, -mediastinum, -abdomen);
    out[at + 3] = lung;

    // Fissures. The major one falls from the back to the front; the minor one, on the right, lies before it.
    const slope = 0.92 * (height / 250);
    const major = (z - height * (x < 0 ? 0.36 : 0.39) - slope * y + 12 * slow) / Math.sqrt(1 + slope * slope);
    out[at + 7] = Math.abs(x) < 8 ? 50 : major;
    out[at + 8] = x < -8 && major > 0 ? z - 0.47 * height + 10 * slow + 0.05 * x : 50;

    const depth = cage.centerY + cage.y - y; // from the back of the cavity
    const dependent = dependentHu * (1 - smoothstep(depth / 38)) * (0.6 + 0.6 * slow);
    out[at + 9] = lungHu + gradientHu * (y - cage.centerY) + 14 * slow + 12 * other + dependent;
  };
}

/** About the distance to an ellipsoid about the origin. */
function ball(x: number, y: number, z: number, a: number, b: number, c: number): number {
  const q = Math.sqrt((x * x) / (a * a) + (y * y) / (b * b) + (z * z) / (c * c));
  return (1 - q) * Math.min(a, b);
}
