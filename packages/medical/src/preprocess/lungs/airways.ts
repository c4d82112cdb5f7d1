import type { Vec3 } from "../../volume/geometry.ts";
import type { CoarseScan } from "./coarse.ts";
import { components } from "./components.ts";
import { cellsWhere, dilated } from "./distance.ts";

/** The lumen of trachea and main bronchi; normal lung is denser. */
const lumenHu = -930;
/** A tube: no more than this in the mean of its axial sections, mm². Two main bronchi together have some 400. */
const widestMm2 = 1000;
/** At least this long, mm. */
const shortestMm = 20;
/** The trachea lies at most this far from the body's middle, mm. */
const fromMiddleMm = 50;
/** What the wall and half-filled cells around a lumen take, mm. */
const wallMm = 4.5;

/**
 * Trachea and main bronchi with their walls: long thin parts of pure air near the middle. On cells of 4 mm a wall of 2 mm between
 * trachea and lung is no wall, so that a lung would run up to the neck. In an emphysema that is as black, and in bullae, they
 * can't be told from lung: then nothing is taken off, or a hole that the closing fills.
 */
export function airwaysOf({ meanHu, shape, spacingMm }: CoarseScan, air: Uint8Array, body: Uint8Array): Uint8Array {
  const { labels, parts } = components(
    cellsWhere(air.length, (cell) => air[cell] === 1 && meanHu[cell]! < lumenHu),
    shape,
  );
  const middle = middleOf(body, shape);
  const tubes = parts.filter(({ low, high, cells, centre }) => {
    const lengthMm = (high[0] - low[0] + 1) * spacingMm[0];
    const sectionMm2 = (cells * spacingMm[0] * spacingMm[1] * spacingMm[2]) / lengthMm;
    return (
      lengthMm >= shortestMm && sectionMm2 <= widestMm2 && Math.abs(centre[2] - middle) * spacingMm[2] <= fromMiddleMm
    );
  });
  const wanted = new Set(tubes.map(({ label }) => label));
  return dilated(
    cellsWhere(air.length, (cell) => wanted.has(labels[cell]!)),
    wallMm,
    shape,
    spacingMm,
  );
}

/** The column of the body's centre. */
export function middleOf(body: Uint8Array, shape: Vec3): number {
  let sum = 0;
  let cells = 0;
  for (let cell = 0; cell < body.length; cell++) {
    if (!body[cell]) continue;
    sum += cell % shape[2];
    cells++;
  }
  return sum / cells;
}
