import type { Vec3 } from "../../volume/geometry.ts";
import type { CoarseScan } from "./coarse.ts";
import { components, grown } from "./components.ts";
import { cellsWhere, dilated, eroded } from "./distance.ts";

/** Between air and lung on one side and soft tissue on the other. */
const tissueHu = -400;

/** What an opening by this much takes off the body: the table's shell, clothes, cables. */
const shellMm = 5;

/**
 * The body, air inside it included: the largest part of what is denser than −400 HU, without the table, and in each axial slice
 * all that it encloses.
 */
export function bodyOf({ meanHu, shape, spacingMm }: CoarseScan): Uint8Array {
  const tissue = cellsWhere(meanHu.length, (cell) => meanHu[cell]! > tissueHu);
  const core = components(eroded(tissue, shellMm, shape, spacingMm), shape);
  const largest = core.parts[0]?.label;
  if (largest === undefined) return new Uint8Array(meanHu.length);
  const inCore = cellsWhere(tissue.length, (cell) => core.labels[cell] === largest);
  const opened = dilated(inCore, shellMm, shape, spacingMm);
  const seeds = cellsWhere(tissue.length, (cell) => opened[cell] === 1 && tissue[cell] === 1);
  // The opening bites holes into a thin chest wall; two steps through tissue close them, and don't go far along a table.
  return enclosed(grown(seeds, tissue, shape, 2), shape);
}

/** In each slice everything that can't be reached from the slice's border outside the mask. */
function enclosed(mask: Uint8Array, [slices, rows, columns]: Vec3): Uint8Array {
  const out = new Uint8Array(mask.length).fill(1);
  const plane = rows * columns;
  const stack: number[] = [];
  for (let k = 0; k < slices; k++) {
    const reach = (r: number, c: number) => {
      const cell = k * plane + r * columns + c;
      if (r < 0 || c < 0 || r >= rows || c >= columns || mask[cell] || !out[cell]) return;
      out[cell] = 0;
      stack.push(cell);
    };
    for (let r = 0; r < rows; r++) for (const c of [0, columns - 1]) reach(r, c);
    for (let c = 0; c < columns; c++) for (const r of [0, rows - 1]) reach(r, c);
    for (let cell = stack.pop(); cell !== undefined; cell = stack.pop()) {
      const r = Math.floor((cell - k * plane) / columns);
      const c = cell % columns;
      reach(r - 1, c);
      reach(r + 1, c);
      reach(r, c - 1);
      reach(r, c + 1);
    }
  }
  return out;
}
