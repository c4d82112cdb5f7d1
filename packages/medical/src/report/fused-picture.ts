import type { Picture } from "@camkit/cam-core";
import { positionOf } from "../volume/geometry.ts";
import type { Volume, VoxelMap } from "../volume/volume.ts";
import { drawSlice, fuse } from "./draw-plane.ts";
import { burn, burnColorBar, type Stamp, type StampText, stampOf } from "./stamp.ts";
import { nativeView } from "./views.ts";
import { pictureDisplay, type WindowHu, windowPresets } from "./window.ts";

export const disclaimer = "Research use only";

export type FusedOptions = {
  /** Default: the lung window; of a projection 0 to 255. */
  readonly windowHu?: WindowHu;
  /** A radiograph: its slice has neither a number nor a known place in the patient. */
  readonly isProjection?: boolean;
  /** At the upper left: what is explained, and how sure the model is. */
  readonly title: string;
  /** Under it: method and layer. */
  readonly detail?: string;
  /** The map is shown from here on. Default 0 */
  readonly threshold?: number;
};

/** A slice with the map's colours, and where in it the slice lies: each voxel is `scale` pixels wide and high. */
export type FusedPicture = Picture & { readonly place: { readonly left: 0; readonly top: 0; readonly scale: number } };

/** Below this a picture is enlarged by a whole number: letters need room. */
const leastSide = 384;

/**
 * Draws slice k with the map over it, in the scan's own rows and columns, everything that has to be read burnt in: target, slice
 * and position, orientation, colour scale, "research use only". For PACS that show plain pictures and nothing else.
 */
export async function fusedPictures(
  volume: Volume,
  map: VoxelMap,
  options: FusedOptions,
): Promise<(k: number) => Promise<FusedPicture>> {
  const { geometry } = volume;
  const [slices, rows, columns] = geometry.shape;
  const scale = Math.max(1, Math.ceil(leastSide / Math.max(rows, columns)));
  const [width, height] = [columns * scale, rows * scale];
  const size = Math.max(11, Math.round(Math.min(width, height) / 38));
  const fixed = await stampOf(width, height, fixedTexts(volume, width, height, size, options));
  const bar = {
    left: width - 2 * size,
    top: Math.round(0.3 * height),
    width: Math.round(0.7 * size),
    height: Math.round(0.4 * height),
  };
  const values = new Float32Array(rows * columns);
  const direction = geometry.directions[0];
  const windowHu = options.windowHu ?? (options.isProjection ? pictureDisplay.windows.picture : windowPresets.lung);
  return async (k) => {
    const picture = drawSlice(volume, k, { windowHu });
    map.slice(k, values);
    fuse(picture, values, options.threshold);
    const large = enlarged(picture, scale);
    const position = positionOf(geometry, [k, 0, 0]);
    const alongMm = direction.reduce((sum, d, axis) => sum + d * position[axis]!, 0);
    const label = options.isProjection
      ? undefined
      : await sliceLabel(`slice ${k + 1} of ${slices} · ${alongMm.toFixed(1)} mm`, width, size);
    burn(large, fixed);
    if (label) burn(large, label, size, height - Math.round(2.2 * size));
    burnColorBar(large, bar);
    return { ...large, place: { left: 0, top: 0, scale } };
  };
}

function sliceLabel(text: string, width: number, size: number): Promise<Stamp> {
  return stampOf(Math.min(width - size, 24 * size), Math.round(1.6 * size), [
    { text, x: 0, y: 1.1 * size, size: 0.9 * size },
  ]);
}

const noLetters = { left: "", right: "", top: "", bottom: "" };

function fixedTexts(
  { geometry }: Volume,
  width: number,
  height: number,
  size: number,
  options: FusedOptions,
): StampText[] {
  const letters = options.isProjection ? noLetters : nativeView(geometry).letters;
  const big = 1.15 * size;
  const right = width - 2 * size;
  return [
    { text: options.title, x: size, y: 1.7 * size, size, weight: 600 },
    ...(options.detail ? [{ text: options.detail, x: size, y: 2.9 * size, size: 0.8 * size }] : []),
    { text: disclaimer, x: width - size, y: height - 1.1 * size, size: 0.9 * size, weight: 600, anchor: "end" },
    { text: letters.left, x: 0.5 * size, y: height / 2, size: big, weight: 600 },
    { text: letters.right, x: width - 0.5 * size, y: 0.26 * height, size: big, weight: 600, anchor: "end" },
    { text: letters.top, x: width / 2, y: 1.7 * size, size: big, weight: 600, anchor: "middle" },
    { text: letters.bottom, x: width / 2, y: height - 0.9 * size, size: big, weight: 600, anchor: "middle" },
    { text: "1", x: right + 0.35 * size, y: 0.3 * height - 0.4 * size, size: 0.75 * size, anchor: "middle" },
    { text: "0", x: right + 0.35 * size, y: 0.7 * height + 1 * size, size: 0.75 * size, anchor: "middle" },
  ];
}

/** Each pixel as a square of `scale` × `scale`. */
function enlarged({ width, height, rgb }: Picture, scale: number): Picture {
  if (scale === 1) return { width, height, rgb };
  const [w, h] = [width * scale, height * scale];
  const out = new Uint8Array(w * h * 3);
  for (let y = 0, to = 0; y < h; y++)
    for (let x = 0; x < w; x++, to += 3) {
      const from = (Math.floor(y / scale) * width + Math.floor(x / scale)) * 3;
      out.set(rgb.subarray(from, from + 3), to);
    }
  return { width: w, height: h, rgb: out };
}
