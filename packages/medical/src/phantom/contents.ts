import type { Rng } from "@camkit/cam-core/data";
import { type Anatomy, type Capsule, carina, hila, placed } from "./anatomy.ts";
import { chance } from "./chance.ts";
import type { LesionShape } from "./lesions.ts";
import { growTree } from "./trees.ts";

type Point = [number, number, number];
type Depth = (x: number, y: number, z: number) => number;

/** What lies in the lungs whatever their class. */
export type Contents = {
  readonly vessels: readonly Capsule[];
  /** Outer radii; the air in them is drawn over their walls. */
  readonly airways: readonly Capsule[];
  /** Calcified granulomas: bright, smaller than 6 mm. */
  readonly granulomas: readonly Capsule[];
  /** Atelectasis-like bands at the base, of thin capsules side by side. */
  readonly bands: readonly Capsule[];
  /** Blebs: balls of air. */
  readonly blebs: readonly Capsule[];
};

export function contentsOf(seed: number, anatomy: Anatomy, lungDepth: Depth): Contents {
  const rng = chance(seed, "vessels");
  const vessels: Capsule[] = [];
  const airways: Capsule[] = [];
  for (const [side, hilum] of hila.entries()) {
    const root = placed(anatomy, hilum);
    const ends = (count: number, least: number) => inLung(side, count, least, anatomy, lungDepth, rng);
    const hu = anatomy.bloodHu;
    const thin = rng.uniform(0.66, 0.95);
    vessels.push(...growTree({ root, ends: ends(190, 3), endRadius: thin, hu }, rng));
    const vein: Point = [root[0] * 0.9, root[1] + 3, root[2] - 0.09 * anatomy.height];
    vessels.push(...growTree({ root: vein, ends: ends(130, 3), endRadius: thin, hu }, rng));
    const bronchus: Point = [root[0], root[1] + 4, root[2] - 4];
    airways.push(...growTree({ root: bronchus, ends: ends(26, 14), endRadius: 1.25, hu: -985 }, rng));
  }
  return { vessels, airways, ...distractors(seed, anatomy, lungDepth) };
}

/** Random places of one lung (0 right, 1 left), at least so many mm inside. */
function inLung(side: number, count: number, least: number, anatomy: Anatomy, depth: Depth, rng: Rng): Point[] {
  const { bodyX, bodyY, height } = anatomy;
  const found: Point[] = [];
  for (let attempt = 0; found.length < count && attempt < 60 * count; attempt++) {
    const x = rng.uniform(8, bodyX) * (side === 0 ? -1 : 1);
    const [y, z] = [rng.uniform(-bodyY, bodyY), rng.uniform(0, height)];
    if (depth(x, y, z) > least) found.push([x, y, z]);
  }
  return found;
}

function distractors(seed: number, anatomy: Anatomy, depth: Depth) {
  const rng = chance(seed, "distractors");
  const somewhere = (least: number) => inLung(rng.integer(0, 1), 1, least, anatomy, depth, rng);
  const balls = (count: number, least: number, radius: () => number, hu: () => number): Capsule[] =>
    Array.from({ length: count }, () => somewhere(least)).flatMap((found) =>
      found.map((a) => {
        const r = radius();
        return { a, b: a, ra: r, rb: r, hu: hu() };
      }),
    );
  const granulomas = balls(
    rng.integer(0, 4),
    5,
    () => rng.uniform(1, 2.8),
    () => rng.uniform(250, 900),
  );
  const blebs =
    rng.unit() < 0.3
      ? balls(
          rng.integer(1, 5),
          6,
          () => rng.uniform(2, 8),
          () => -975,
        )
      : [];
  const bands: Capsule[] = [];
  for (let n = rng.integer(0, 3); n > 0; n--) {
    const [a] = inLung(rng.integer(0, 1), 1, 4, { ...anatomy, height: anatomy.height * 0.32 }, depth, rng);
    if (a === undefined) continue;
    const { cos, sin } = rng.direction();
    const long = rng.uniform(16, 42);
    const hu = rng.uniform(-450, -50);
    const r = rng.uniform(0.8, 1.6);
    const tilt = rng.uniform(-0.3, 0.3);
    for (let side = -3; side <= 3; side++) {
      const from: Point = [a[0] - sin * side * 1.6, a[1] + cos * side * 1.6, a[2] + 0.3 * side];
      const to: Point = [from[0] + cos * long, from[1] + sin * long, from[2] + tilt * long];
      bands.push({ a: from, b: to, ra: r, rb: 0.6 * r, hu });
    }
  }
  return { granulomas, blebs, bands };
}

/** Air in the bronchi that run through a consolidation: some, from its hilar side outwards. */
export function bronchograms(seed: number, anatomy: Anatomy, lesions: readonly LesionShape[]): Capsule[] {
  const rng = chance(seed, "noise");
  const middle = placed(anatomy, carina);
  return lesions.flatMap(({ kind, center, radius }) => {
    if (kind !== "consolidation" || radius < 12 || rng.unit() < 0.4) return [];
    const inward = center.map((c, i) => middle[i]! - c);
    const far = Math.sqrt(inward.reduce((sum, d) => sum + d * d, 0));
    const start = center.map((c, i) => c + (inward[i]! / far) * 1.1 * radius) as Point;
    const ends = Array.from(
      { length: rng.integer(2, 4) },
      () => center.map((c, i) => c - (inward[i]! / far) * 0.45 * radius + rng.uniform(-0.6, 0.6) * radius) as Point,
    );
    return growTree({ root: start, ends, endRadius: 1, hu: -900 }, rng);
  });
}
