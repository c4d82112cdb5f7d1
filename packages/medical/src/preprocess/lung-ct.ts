import type { Tensor } from "@camkit/cam-core/data";
import { NoLungsError } from "../errors.ts";
import type { Vec3 } from "../volume/geometry.ts";
import type { Volume } from "../volume/volume.ts";
import { type CropBox, cropOf } from "./crop.ts";
import { findLungs, type LungMask } from "./lungs/lung-mask.ts";
import { type LungCtOptions, type LungCtSettings, lungCtSchema } from "./options.ts";
import { scanAxes, type View, viewOf } from "./orient.ts";
import { outsideFiller } from "./outside.ts";
import { type Placement, resizedPlacement, slicesPlacement } from "./placement.ts";
import { bilinearTaps, resizePlane } from "./resize.ts";
import { evenSlices, paperSlices, spacedSlices } from "./slices.ts";

export type PreparedCt = {
  /** float32 [1, 1, D, H, W] in [0, 1]: slices to the head, rows to the back, columns to the patient's left. */
  readonly tensor: Tensor;
  /** Where the tensor's cells lie in the scan: the way back. */
  readonly placement: Placement;
  /** Undefined only where no lungs were found and none were needed (`crop: "none"`, `outside: "keep"`). */
  readonly lungMask: LungMask | undefined;
  readonly report: PreparationReport;
};

/** What was done to a scan, as numbers and in words. */
export type PreparationReport = {
  readonly settings: LungCtSettings;
  /** The scan's slices that the network sees, in its order; repeated where there were too few. */
  readonly slices: readonly number[];
  /** The distance between neighbours among them, mm; undefined where only one is seen. */
  readonly sliceSpacingMm: number | undefined;
  /** Millimetres from one cell to the next along rows and columns of the input. */
  readonly cellMm: readonly [number, number];
  readonly lungVolumeMl: LungMask["volumeMl"] | undefined;
  readonly notes: readonly string[];
  /** One line for results: what provenance says of the preprocessing. */
  readonly words: string;
};

/**
 * A chest CT as a network's input: HU window, lungs found, slices chosen, cropped, resized as Pillow does (bilinear, antialiased),
 * in [0, 1]. Axes are exchanged and turned round where the scan's run otherwise, so that every scan lies the same way.
 * Plain arithmetic: the same bits everywhere, and cheap enough for the threads that feed a training.
 *
 * Throws NoLungsError, unless `crop` is "none" and `outside` "keep"; ZodError for options that aren't ones.
 * Source of "paper": He et al. 2021, arXiv:2101.05442, as its code does it.
 */
export function prepareLungCt(volume: Volume, options: LungCtOptions): PreparedCt {
  const settings = lungCtSchema.parse(options);
  const { geometry } = volume;
  const axes = scanAxes(geometry);
  const view = viewOf(geometry.shape, axes);
  const lungMask = findLungs(volume);
  if (!lungMask && (settings.crop !== "none" || settings.outside === "black"))
    throw new NoLungsError(settings.crop, geometry.shape);
  const box = cropOf(view, lungMask, settings);
  const spacingMm = axes.map(({ axis }) => geometry.spacingMm[axis]) as unknown as Vec3;
  const kept = keptSlices(box, spacingMm[0], settings);
  const tensor = fill(volume.data, view, kept, box, settings, outsideFiller(settings.outside, lungMask, view));
  const placement: Placement = {
    axes: [
      slicesPlacement(axes[0], view.shape[0], kept),
      resizedPlacement(axes[1], view.shape[1], box.rows),
      resizedPlacement(axes[2], view.shape[2], box.columns),
    ],
    scanShape: geometry.shape,
  };
  return { tensor, placement, lungMask, report: reportOf(settings, placement, box, spacingMm, lungMask) };
}

function keptSlices({ slices: [first, last] }: CropBox, spacingMm: number, { slices, size }: LungCtSettings): number[] {
  const n = last - first + 1;
  const chosen =
    slices === "even"
      ? evenSlices(n, size[0])
      : slices === "paper"
        ? paperSlices(n, size[0])
        : spacedSlices(n, slices.spacingMm / spacingMm, size[0]);
  return chosen.map((index) => first + index);
}

/** Slice by slice: window, black outside, resize. */
function fill(
  data: Volume["data"],
  view: View,
  kept: readonly number[],
  { rows, columns }: CropBox,
  { windowHu: [low, high], size: [, height, width] }: LungCtSettings,
  blacken: (plane: Float32Array, slice: number, rows: CropBox["rows"], columns: CropBox["columns"]) => void,
): Tensor {
  const taps = {
    down: bilinearTaps(rows.length, rows.cells, rows.first, rows.count),
    across: bilinearTaps(columns.length, columns.cells, columns.first, columns.count),
  };
  const scale = 1 / (high - low);
  const step = view.strides[2];
  const plane = new Float32Array(rows.length * columns.length);
  const scratch = new Float32Array(rows.length * width);
  const out = new Float32Array(kept.length * height * width);
  kept.forEach((slice, i) => {
    const into = out.subarray(i * height * width, (i + 1) * height * width);
    if (i > 0 && kept[i - 1] === slice) {
      into.set(out.subarray((i - 1) * height * width, i * height * width));
      return;
    }
    for (let r = 0, to = 0; r < rows.length; r++) {
      let from =
        view.offset + slice * view.strides[0] + (rows.begin + r) * view.strides[1] + columns.begin * view.strides[2];
      for (let c = 0; c < columns.length; c++, to++, from += step) {
        let value = (data[from]! - low) * scale;
        if (value < 0) value = 0;
        else if (value > 1) value = 1;
        plane[to] = value;
      }
    }
    blacken(plane, slice, rows, columns);
    resizePlane(plane, columns.length, taps, scratch, into);
  });
  return { dtype: "float32", shape: [1, 1, kept.length, height, width], data: out };
}

function reportOf(
  settings: LungCtSettings,
  { axes }: Placement,
  box: CropBox,
  spacingMm: Vec3,
  lungMask: LungMask | undefined,
): PreparationReport {
  const slices = axes[0].centres;
  const distinct = new Set(slices).size;
  const notes = [
    ...(lungMask ? [] : ["no lungs were found: the whole scan was taken"]),
    ...(distinct < slices.length ? [`${distinct} slices for a depth of ${slices.length}: slices were repeated`] : []),
    ...(lungMask && Math.min(lungMask.volumeMl.left, lungMask.volumeMl.right) === 0 ? ["only one lung was found"] : []),
  ];
  const sliceSpacingMm =
    distinct > 1 ? (Math.abs(slices.at(-1)! - slices[0]!) * spacingMm[0]) / (distinct - 1) : undefined;
  const cellMm = [
    (box.rows.length / box.rows.cells) * spacingMm[1],
    (box.columns.length / box.columns.cells) * spacingMm[2],
  ] as const;
  const { windowHu, crop, outside, marginMm } = settings;
  const chosen = typeof settings.slices === "string" ? settings.slices : `every ${settings.slices.spacingMm} mm`;
  const where = crop === "lungs" ? `lungs + ${marginMm} mm` : crop === "paper" ? "middle 4/5" : "whole slices";
  const words =
    `lung-ct: window ${windowHu[0]} to ${windowHu[1]} HU, ${where}${outside === "black" ? ", black outside the lungs" : ""}, ` +
    `${distinct} slices (${chosen}), ${slices.length} x ${settings.size[1]} x ${settings.size[2]}`;
  return { settings, slices, sliceSpacingMm, cellMm, lungVolumeMl: lungMask?.volumeMl, notes, words };
}
