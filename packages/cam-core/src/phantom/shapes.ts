/**
 * Plane shapes as yes/no questions. Each lives in its own frame: x right, y up, centred, within the unit circle.
 * None of those used as a class has a hole: a map's peak in the middle of a ring would be right and counted as a miss.
 */
export type Inside = (x: number, y: number) => boolean;

const COS_18 = 0.9510565162951535;
const SIN_18 = 0.3090169943749474;
const COS_54 = 0.5877852522924731;
const SIN_54 = 0.8090169943749475;
const SIN_60 = 0.8660254037844386;

/** Radius of `disc`, so that its area is close to that of the other shapes. */
export const DISC_RADIUS = 0.9;

/** A drop: a circle of radius 0.64 round (0, −0.34), and the two tangents to it from its tip (0, 1). */
const drop: Inside = (x, y) => {
  const radius = 0.64;
  const height = 1.34; // tip to centre
  const below = y + 0.34;
  if (x * x + below * below <= radius * radius) return true;
  const fromTip = 1 - y;
  const tangentLength = height - (radius * radius) / height; // where the tangents touch, measured down from the tip
  const slope = 0.5436236708668005; // radius / sqrt(height² − radius²)
  return fromTip >= 0 && fromTip <= tangentLength && Math.abs(x) <= slope * fromTip;
};

/** A five-pointed star: five tips on the unit circle, five notches at 0.5 (a classical pentagram has 0.38). */
const STAR: readonly (readonly [x: number, y: number])[] = [
  [0, 1],
  [0.5 * COS_54, 0.5 * SIN_54],
  [COS_18, SIN_18],
  [0.5 * COS_18, -0.5 * SIN_18],
  [COS_54, -SIN_54],
  [0, -0.5],
  [-COS_54, -SIN_54],
  [-0.5 * COS_18, -0.5 * SIN_18],
  [-COS_18, SIN_18],
  [-0.5 * COS_54, 0.5 * SIN_54],
];

/** Even-odd rule: a ray to the right crosses the outline an odd number of times. */
function insidePolygon(corners: readonly (readonly [x: number, y: number])[]): Inside {
  return (x, y) => {
    let inside = false;
    let [px, py] = corners.at(-1)!;
    for (const [qx, qy] of corners) {
      if (qy > y !== py > y && x < ((px - qx) * (y - qy)) / (py - qy) + qx) inside = !inside;
      [px, py] = [qx, qy];
    }
    return inside;
  };
}

export type ShapeName = "disc" | "drop" | "triangle" | "star" | "cross" | "square" | "hexagon" | "ring" | "bar";

export const shapes: Readonly<Record<ShapeName, Inside>> = {
  disc: (x, y) => x * x + y * y <= DISC_RADIUS * DISC_RADIUS,
  drop,
  triangle: (x, y) => y >= -0.5 && SIN_60 * Math.abs(x) + 0.5 * y <= 0.5,
  star: insidePolygon(STAR),
  cross: (x, y) => {
    const ax = Math.abs(x);
    const ay = Math.abs(y);
    return Math.max(ax, ay) <= 0.92 && Math.min(ax, ay) <= 0.3;
  },
  square: (x, y) => Math.max(Math.abs(x), Math.abs(y)) <= 0.7,
  hexagon: (x, y) => Math.abs(y) <= SIN_60 && SIN_60 * Math.abs(x) + 0.5 * Math.abs(y) <= SIN_60,
  // The two below appear as distractors only.
  ring: (x, y) => {
    const squared = x * x + y * y;
    return squared <= 0.81 && squared >= 0.25;
  },
  bar: (x, y) => Math.abs(x) <= 0.94 && Math.abs(y) <= 0.28,
};

export const shapeNames: readonly ShapeName[] = Object.keys(shapes) as ShapeName[];
