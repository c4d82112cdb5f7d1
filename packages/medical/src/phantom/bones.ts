import { type Anatomy, type Capsule, carina, hila, placed } from "./anatomy.ts";
import { chance } from "./chance.ts";
import { cageAt, cageSquareness, spineAt, squircle } from "./fields.ts";

/** Cortical bone and the marrow in it. */
export const cortexHu = 620;
export const marrowHu = 220;

type Point = [number, number, number];

/** Ribs, sternum, clavicles and shoulder blades as capsules; each is drawn dense, then its core as marrow. */
export function bonesOf(seed: number, anatomy: Anatomy): Capsule[] {
  const rng = chance(seed, "anatomy");
  const { height, bodyX, bodyY } = anatomy;
  const bones: Capsule[] = [];
  const chain = (points: readonly Point[], radius: number, hu = cortexHu) => {
    for (let i = 1; i < points.length; i++)
      bones.push({ a: points[i - 1]!, b: points[i]!, ra: radius, rb: radius, hu });
  };
  for (let rib = 0; rib < 12; rib++)
    for (const side of [-1, 1]) {
      const start = height * (1.03 - 0.083 * rib) + rng.uniform(-2, 2);
      const end = rib < 7 ? 2 : rib < 10 ? 1.7 - 0.15 * (rib - 7) : 1;
      const fall = height * (0.1 + 0.025 * Math.min(rib, 7));
      const points: Point[] = [];
      for (let s = 0; s <= end + 1e-9; s += 0.1) {
        const z = start - (fall * s) / 2;
        points.push([...onCage(anatomy, side, s, Math.min(z, 0.985 * height)), z]);
      }
      const bony = Math.min(points.length, 18);
      chain(points.slice(0, bony), 4.4);
      if (points.length > bony) chain(points.slice(bony - 1), 4.6, 120); // cartilage
    }
  const front = (share: number): Point => {
    const cage = cageAt(anatomy, share * height);
    return [0, cage.centerY - cage.y - 7, share * height];
  };
  for (const x of [-7, 0, 7])
    chain(
      [0.42, 0.52, 0.62, 0.72, 0.8].map((s) => shifted(front(s), x)),
      5.5,
    );
  const [topX, topY] = [0, front(0.82)[1]];
  for (const side of [-1, 1]) {
    chain(
      [
        [topX + 14 * side, topY, 0.84 * height],
        [60 * side, topY - 8, 0.92 * height],
        [0.78 * bodyX * side, topY + 45, 1.02 * height],
      ],
      6,
    );
    for (let plate = 0; plate < 5; plate++) {
      const z = height * (0.98 - 0.085 * plate);
      const inner = 0.4 * bodyX + 5 * plate;
      chain(
        [
          [side * inner, bodyY * 0.86 - 4, z],
          [side * 0.68 * bodyX, bodyY * 0.7, z - 4],
          [side * (0.86 - 0.03 * plate) * bodyX, bodyY * 0.38, z - 2],
        ],
        3.2,
      );
    }
  }
  for (let level = -1; level < 14; level++) {
    const z = level * 22 + 4;
    const y = spineAt(anatomy, z);
    for (const side of [-1, 1]) {
      chain(
        [
          [9 * side, y + 12, z],
          [11 * side, y + 24, z],
          [0, y + 32, z - 4],
        ],
        3.6,
      );
      chain(
        [
          [11 * side, y + 22, z],
          [30 * side, y + 27, z + 4],
        ],
        4,
      );
    }
    chain(
      [
        [0, y + 32, z - 4],
        [0, y + 45, z - 18],
      ],
      3.4,
    );
  }
  return bones;
}

const shifted = ([x, y, z]: Point, by: number): Point => [x + by, y, z];

/** Where a rib lies, 5 mm outside the cavity: s = 0 beside the spine, 1 at the side, 2 beside the sternum. */
function onCage(anatomy: Anatomy, side: number, s: number, z: number): [number, number] {
  const cage = cageAt(anatomy, z);
  const [ux, uy] = s < 1 ? [0.16 + 0.84 * s, 1 - s] : [1 - 0.75 * (s - 1), 1 - s];
  const norm = Math.sqrt(ux * ux + uy * uy);
  const [dx, dy] = [(ux / norm) * cage.x, (uy / norm) * cage.y];
  const more = squircle(dx, dy, cage.x, cage.y, cageSquareness) + 5;
  const length = Math.sqrt(dx * dx + dy * dy);
  const scale = 1 + more / length;
  return [side * (dx * scale + cage.shift), cage.centerY + dy * scale];
}

/** Trachea and main bronchi: their walls' outer radii, to be drawn before the air in them. */
export function largeAirways(anatomy: Anatomy): Capsule[] {
  const split = placed(anatomy, carina);
  const top: Point = [split[0] * 0.5, split[1] - 4, anatomy.height * 1.3];
  const [right, left] = [placed(anatomy, hila[0]), placed(anatomy, hila[1])];
  return [
    { a: top, b: split, ra: 8.8, rb: 8.4, hu: -990 },
    { a: split, b: right, ra: 7, rb: 5.4, hu: -990 },
    { a: split, b: left, ra: 6.4, rb: 5, hu: -990 },
    { a: right, b: [right[0] - 4, right[1] + 8, right[2] - 26], ra: 5, rb: 3.8, hu: -990 },
    { a: left, b: [left[0] + 5, left[1] + 9, left[2] - 22], ra: 4.6, rb: 3.6, hu: -990 },
  ];
}
