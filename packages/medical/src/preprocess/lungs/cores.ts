import type { Vec3 } from "../../volume/geometry.ts";
import { airwaysOf, middleOf } from "./airways.ts";
import type { CoarseScan } from "./coarse.ts";
import { type Component, components, grown } from "./components.ts";
import { cellsWhere, squaredDistance } from "./distance.ts";

/** Labels in a lung mask: the patient's right lung and left lung. */
export const rightLung = 1;
export const leftLung = 2;
/** Within this room: gas of stomach and bowel. */
const otherAir = 3;

/** Stomach and bowel hold nothing but gas: a core below this mean isn't lung, even in an emphysema. */
const gasHu = -970;
/** Nor is a smaller part below this one, whose cells partly reach into its wall. */
const smallGasHu = -920;
/** Depths, mm, at which two lungs are looked for: what joins them (bronchi, the thin wall in front of the heart) is narrower. */
const coreDepthsMm = [6, 8, 10, 12, 15, 19, 24];
/** Gas this deep that isn't joined to a lung at this depth is a stomach, a loop of bowel. */
const gasDepthMm = 5;
/** Of the body's cells: smaller cores aren't lungs. */
const smallest = 0.001;
/** Of the larger lung's cells: what lies beside it and is smaller isn't a lung. */
const smallestBeside = 0.02;
/** Two lungs lie at least this far apart, from centre to centre, in the patient's x. */
const apartMm = 60;

/**
 * Air inside the body told apart: the right lung's (1) and the left one's (2), 0 elsewhere, undefined where no lung is found.
 * Airways are taken off; lungs and gas begin at their cores and grow until they meet. Parts of a lung that vessels or a fissure cut
 * off at depth are no gas, and are reached.
 */
export function lungAir(scan: CoarseScan, air: Uint8Array, body: Uint8Array): Uint8Array | undefined {
  const { shape, spacingMm } = scan;
  const airways = airwaysOf(scan, air, body);
  const apart = cellsWhere(air.length, (cell) => air[cell] === 1 && airways[cell] === 0);
  const squared = squaredDistance(apart, 0, shape, spacingMm);
  const seeds = lungCores(scan, squared, body);
  if (!seeds) return undefined;
  const deep = cellsWhere(apart.length, (cell) => squared[cell]! > gasDepthMm ** 2);
  const started = grown(seeds, deep, shape);
  const rest = components(
    cellsWhere(deep.length, (cell) => deep[cell] === 1 && started[cell] === 0),
    shape,
  );
  const gas = new Set(
    rest.parts.filter((part) => isGas(scan, rest.labels, part, smallGasHu)).map(({ label }) => label),
  );
  for (let cell = 0; cell < deep.length; cell++) if (gas.has(rest.labels[cell]!)) started[cell] = otherAir;
  const told = grown(started, apart, shape);
  return told.map((label) => (label === otherAir ? 0 : label));
}

/** The insides of the lungs, at the least depth at which there are two; where there never are, the one that there is. */
function lungCores(scan: CoarseScan, squared: Float32Array, body: Uint8Array): Uint8Array | undefined {
  const bodyCells = body.reduce((sum, inside) => sum + inside, 0);
  let alone: Uint8Array | undefined;
  for (const depthMm of coreDepthsMm) {
    const { labels, parts } = components(
      cellsWhere(squared.length, (cell) => squared[cell]! > depthMm ** 2),
      scan.shape,
    );
    const lungs = pair(
      parts.filter((part) => !isGas(scan, labels, part, gasHu)),
      scan.spacingMm,
    );
    if ((lungs[0]?.cells ?? 0) < smallest * bodyCells) break;
    const [right, left] = lungs.length === 2 ? lungs : onItsSide(lungs[0]!, scan, body);
    const seeds = new Uint8Array(labels.length);
    for (let cell = 0; cell < seeds.length; cell++)
      if (labels[cell])
        seeds[cell] = labels[cell] === right?.label ? rightLung : labels[cell] === left?.label ? leftLung : 0;
    if (lungs.length === 2) return seeds;
    alone ??= seeds;
  }
  return alone;
}

/** The largest part and the largest of those beside it, right before left. */
function pair(parts: readonly Component[], spacingMm: Vec3): Component[] {
  const [first] = parts;
  if (!first) return [];
  const second = parts.find(
    (part) =>
      part.cells >= smallestBeside * first.cells &&
      Math.abs(part.centre[2] - first.centre[2]) * spacingMm[2] >= apartMm &&
      part.low[0] <= first.high[0] &&
      part.high[0] >= first.low[0],
  );
  return second ? [first, second].sort((a, b) => a.centre[2] - b.centre[2]) : [first];
}

/** One part alone: right or left of the body's middle. */
function onItsSide(
  part: Component,
  { shape }: CoarseScan,
  body: Uint8Array,
): [Component | undefined, Component | undefined] {
  return part.centre[2] < middleOf(body, shape) ? [part, undefined] : [undefined, part];
}

function isGas({ meanHu }: CoarseScan, labels: Int32Array, part: Component, belowHu: number): boolean {
  let sum = 0;
  for (let cell = 0; cell < labels.length; cell++) if (labels[cell] === part.label) sum += meanHu[cell]!;
  return sum / part.cells < belowHu;
}
