import type { Vec3 } from "../volume/geometry.ts";
import type { LungMask } from "./lungs/lung-mask.ts";
import type { LungCtSettings } from "./options.ts";
import type { View } from "./orient.ts";

/** Voxels from `begin` on, `length` of them, resized to `cells`, of which `count` from `first` on are kept. */
export type Stretch = {
  readonly begin: number;
  readonly length: number;
  readonly cells: number;
  readonly first: number;
  readonly count: number;
};

/** The part of a view that a network sees: the first and last slice, and how rows and columns become cells. */
export type CropBox = { readonly slices: readonly [number, number]; readonly rows: Stretch; readonly columns: Stretch };

/** "paper": resized to 5/4 of the size, then the middle is cut out; all else: a box that becomes the size. */
export function cropOf(view: View, lungs: LungMask | undefined, { crop, size, marginMm }: LungCtSettings): CropBox {
  const [slices, rows, columns] = crop === "lungs" && lungs ? lungBox(view, lungs, marginMm) : wholeOf(view);
  const stretch = ([low, high]: readonly [number, number], cells: number): Stretch => {
    const resized = crop === "paper" ? Math.floor((5 * cells) / 4) : cells;
    return {
      begin: low,
      length: high - low + 1,
      cells: resized,
      first: Math.floor((resized - cells) / 2),
      count: cells,
    };
  };
  return { slices, rows: stretch(rows, size[1]), columns: stretch(columns, size[2]) };
}

type Range = readonly [number, number];

const wholeOf = ({ shape }: View) => shape.map((n) => [0, n - 1] as const) as unknown as [Range, Range, Range];

/** Of the fullest slice's cells: slices with less are specks beside the trachea or the tips of recesses, and don't stretch the box. */
const specks = 0.01;

/** First and last index along each axis: the lungs' cells and the margin, within the scan. */
function lungBox(view: View, { labels, shape, spacingMm, factors }: LungMask, marginMm: number): [Range, Range, Range] {
  const low = [...shape] as [number, number, number];
  const high: [number, number, number] = [-1, -1, -1];
  const inSlice = Uint32Array.from({ length: shape[0] }, (_, z) =>
    count(labels, z * shape[1] * shape[2], shape[1] * shape[2]),
  );
  const least = specks * Math.max(...inSlice);
  for (let z = 0, cell = 0; z < shape[0]; z++) {
    if (inSlice[z]! < least) {
      cell += shape[1] * shape[2];
      continue;
    }
    for (let y = 0; y < shape[1]; y++)
      for (let x = 0; x < shape[2]; x++, cell++) {
        if (!labels[cell]) continue;
        ([z, y, x] as Vec3).forEach((at, axis) => {
          low[axis] = Math.min(low[axis]!, at);
          high[axis] = Math.max(high[axis]!, at);
        });
      }
  }
  const range = (axis: 0 | 1 | 2): Range => {
    const margin = Math.round((marginMm / spacingMm[axis]) * factors[axis]);
    const last = view.shape[axis] - 1;
    return [
      Math.max(0, low[axis] * factors[axis] - margin),
      Math.min(last, (high[axis] + 1) * factors[axis] - 1 + margin),
    ];
  };
  return [range(0), range(1), range(2)];
}

function count(labels: Uint8Array, from: number, length: number): number {
  let found = 0;
  for (let cell = from; cell < from + length; cell++) if (labels[cell]) found++;
  return found;
}
