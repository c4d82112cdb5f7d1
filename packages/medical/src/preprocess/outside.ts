import type { CropBox } from "./crop.ts";
import { cellsWhere, dilated } from "./lungs/distance.ts";
import type { LungMask } from "./lungs/lung-mask.ts";
import { onScan } from "./map-on-scan.ts";
import { type LungCtSettings, outsideMm } from "./options.ts";
import type { View } from "./orient.ts";
import { type Placement, resizedPlacement } from "./placement.ts";

/** What blackens a windowed plane (a view's slice, cut to rows and columns) away from the lungs; nothing for "keep". */
export function outsideFiller(outside: LungCtSettings["outside"], lungs: LungMask | undefined, view: View) {
  if (outside === "keep" || !lungs) return () => undefined;
  const { shape, factors, spacingMm } = lungs;
  const any = cellsWhere(lungs.labels.length, (cell) => lungs.labels[cell]! > 0);
  const near = Float32Array.from(dilated(any, outsideMm, shape, spacingMm));
  const along = (axis: 0 | 1 | 2) =>
    resizedPlacement({ axis, flipped: false }, view.shape[axis], {
      begin: 0,
      length: shape[axis] * factors[axis],
      cells: shape[axis],
    });
  const placement: Placement = { axes: [along(0), along(1), along(2)], scanShape: view.shape };
  const fillSlice = onScan(near, shape, placement, view.shape);
  const share = new Float32Array(view.shape[1] * view.shape[2]);
  return (plane: Float32Array, slice: number, rows: CropBox["rows"], columns: CropBox["columns"]) => {
    fillSlice(slice, share);
    for (let r = 0, to = 0; r < rows.length; r++)
      for (let c = 0; c < columns.length; c++, to++)
        if (share[(rows.begin + r) * view.shape[2] + columns.begin + c]! < 0.5) plane[to] = 0;
  };
}
