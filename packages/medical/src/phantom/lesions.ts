import type { Rng } from "@camkit/cam-core/data";
import type { Anatomy } from "./anatomy.ts";
import { chance } from "./chance.ts";
import { noiseAt, type SmoothNoise } from "./smooth-noise.ts";

/** What a phantom is called, in the order of a classifier's outputs. */
export const phantomClasses = ["normal", "ground-glass", "consolidation"] as const;
export type PhantomClass = (typeof phantomClasses)[number];

/** A lesion as it is drawn: an ellipsoid whose surface low-frequency noise moves, cut by the lung's own surface. */
export type LesionShape = {
  readonly kind: Exclude<PhantomClass, "normal">;
  readonly center: readonly [number, number, number];
  readonly radius: number;
  /** Rows: the ellipsoid's axes, divided by their relative lengths. */
  readonly axes: readonly number[];
  /** How far noise moves the surface, as a share of the radius. */
  readonly roughness: number;
  readonly hu: number;
  /** Of the soft edge, mm. */
  readonly edge: number;
  /** Of the mottling inside, HU. */
  readonly mottle: number;
  readonly noise: SmoothNoise;
  /** Where its noise is read, so that two lesions differ. */
  readonly offset: number;
};

/** mm, positive inside: the surface is where it is 0. */
export function lesionDepth(
  { center, radius, axes, roughness, noise, offset }: LesionShape,
  x: number,
  y: number,
  z: number,
) {
  const [dx, dy, dz] = [x - center[0], y - center[1], z - center[2]];
  const u = axes[0]! * dx + axes[1]! * dy + axes[2]! * dz;
  const v = axes[3]! * dx + axes[4]! * dy + axes[5]! * dz;
  const w = axes[6]! * dx + axes[7]! * dy + axes[8]! * dz;
  const far = Math.sqrt(u * u + v * v + w * w);
  if (far > 1.75 * radius) return radius - far;
  const [c, f] = [0.85 * radius, 0.33 * radius];
  const coarse = noiseAt(noise, dx / c + offset, dy / c, dz / c);
  const fine = noiseAt(noise, dx / f, dy / f + offset, dz / f);
  return radius * (1 + roughness * (coarse + 0.45 * fine)) - far;
}

/** How far a lesion can reach from its centre, mm. */
export const reach = ({ radius }: LesionShape): number => 2.1 * radius;

type Depth = (x: number, y: number, z: number) => number;

/** One to four lesions, preferably near the pleura, apart from each other. `lungDepth`: mm inside the lungs. */
export function placeLesions(seed: number, kind: PhantomClass, anatomy: Anatomy, lungDepth: Depth): LesionShape[] {
  if (kind === "normal") return [];
  const rng = chance(seed, "lesions");
  const count = rng.integer(1, 4);
  const lesions: LesionShape[] = [];
  for (let i = 0; i < count; i++) {
    const diameter = i === 0 ? rng.uniform(24, 60) : rng.uniform(12, 48);
    const center = placeFor(diameter / 2, lesions, anatomy, lungDepth, rng);
    if (center) lesions.push(shapeOf(kind, center, diameter / 2, anatomy, rng));
  }
  return lesions;
}

function placeFor(radius: number, others: readonly LesionShape[], anatomy: Anatomy, depth: Depth, rng: Rng) {
  const { bodyX, bodyY, height } = anatomy;
  for (let attempt = 0; attempt < 4000; attempt++) {
    const [x, y, z] = [rng.uniform(-bodyX, bodyX), rng.uniform(-bodyY, bodyY), rng.uniform(0.04, 0.95) * height];
    const inside = depth(x, y, z);
    const wanted = rng.unit() < 0.75 ? [0.2 * radius, 0.95 * radius] : [0.8 * radius, 60];
    if (inside < Math.max(3, wanted[0]!) || inside > Math.max(6, wanted[1]!)) continue;
    const apart = others.every(({ center: c, radius: r }) => {
      const [dx, dy, dz] = [x - c[0], y - c[1], z - c[2]];
      return dx * dx + dy * dy + dz * dz > (1.25 * (r + radius) + 4) ** 2;
    });
    if (apart) return [x, y, z] as const;
  }
  return undefined;
}

function shapeOf(
  kind: LesionShape["kind"],
  center: readonly [number, number, number],
  radius: number,
  { noise }: Anatomy,
  rng: Rng,
): LesionShape {
  const glass = kind === "ground-glass";
  const stretch = [rng.uniform(0.75, 1.3), rng.uniform(0.75, 1.3)];
  const lengths = [stretch[0]!, stretch[1]!, 1 / (stretch[0]! * stretch[1]!)];
  const [p, q] = [rng.direction(), rng.direction()];
  // A turn about z, then one about the new x.
  const rows = [
    [p.cos, p.sin, 0],
    [-p.sin * q.cos, p.cos * q.cos, q.sin],
    [p.sin * q.sin, -p.cos * q.sin, q.cos],
  ];
  return {
    kind,
    center,
    radius,
    axes: rows.flatMap((row, i) => row.map((r) => r / lengths[i]!)),
    roughness: glass ? rng.uniform(0.4, 0.65) : rng.uniform(0.25, 0.5),
    hu: glass ? rng.uniform(-630, -380) : rng.uniform(-90, 45),
    edge: glass ? rng.uniform(6, 13) : rng.uniform(1.5, 4),
    mottle: glass ? rng.uniform(50, 130) : rng.uniform(15, 45),
    noise,
    offset: rng.uniform(0, 31),
  };
}
