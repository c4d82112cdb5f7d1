import type { Geometry } from "../volume/geometry.ts";
import { positionOf, type Vec3 } from "../volume/geometry.ts";
import type { Volume } from "../volume/volume.ts";

/** Patient space in which the test chest is centred at 0: LPS, mm. */
type At = (positionMm: Vec3) => number;

const ellipsoid = (p: Vec3, centre: Vec3, radii: Vec3) =>
  ((p[0] - centre[0]) / radii[0]) ** 2 + ((p[1] - centre[1]) / radii[1]) ** 2 + ((p[2] - centre[2]) / radii[2]) ** 2 <
  1;

/** A body, two lungs (the right one larger), a trachea, a table, as HU in patient space. */
export const chestHu: At = (p) => {
  if (ellipsoid(p, [-75, 0, 0], [55, 80, 100]) || ellipsoid(p, [75, 0, 0], [50, 75, 95])) return -850;
  if (Math.hypot(p[0], p[1] - 10) < 9 && p[2] > -20) return -1000;
  if ((p[0] / 170) ** 2 + (p[1] / 115) ** 2 < 1) return 40;
  return p[1] > 130 && p[1] < 134 ? -300 : -1000;
};

/** A scan of something given in patient space, centred at 0. */
export function scanOf(hu: At, grid: Pick<Geometry, "shape" | "spacingMm" | "directions">): Volume {
  const centred = { ...grid, originMm: [0, 0, 0] as Vec3 };
  const middle = positionOf(centred, grid.shape.map((n) => (n - 1) / 2) as unknown as Vec3);
  const geometry: Geometry = { ...grid, originMm: middle.map((mm) => -mm) as unknown as Vec3 };
  const [slices, rows, columns] = grid.shape;
  const data = new Int16Array(slices * rows * columns);
  for (let k = 0, at = 0; k < slices; k++)
    for (let r = 0; r < rows; r++)
      for (let c = 0; c < columns; c++, at++) data[at] = hu(positionOf(geometry, [k, r, c]));
  return { geometry, data };
}

const cos = Math.cos(0.2);
const sin = Math.sin(0.2);

/** How scans lie in patients: as they are shown, feet last, turned round, coronal, oblique. */
export const grids: Readonly<Record<string, Pick<Geometry, "shape" | "spacingMm" | "directions">>> = {
  axial: {
    shape: [40, 47, 62],
    spacingMm: [6, 6, 6],
    directions: [
      [0, 0, 1],
      [0, 1, 0],
      [1, 0, 0],
    ],
  },
  "head first, prone": {
    shape: [80, 47, 62],
    spacingMm: [3, 6, 6],
    directions: [
      [0, 0, -1],
      [0, -1, 0],
      [-1, 0, 0],
    ],
  },
  coronal: {
    shape: [47, 40, 62],
    spacingMm: [6, 6, 6],
    directions: [
      [0, 1, 0],
      [0, 0, -1],
      [1, 0, 0],
    ],
  },
  oblique: {
    shape: [40, 50, 62],
    spacingMm: [6, 6, 6],
    directions: [
      [0, -sin, cos],
      [0, cos, sin],
      [1, 0, 0],
    ],
  },
};
