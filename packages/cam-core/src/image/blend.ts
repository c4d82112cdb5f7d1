import { InputError } from "../errors.ts";
import type { Tensor } from "../tensor.ts";
import { type Colormap, colorIndex } from "./colormap.ts";
import type { Picture } from "./picture.ts";
import type { Placement } from "./prepare.ts";

/** A map on the pixels of a picture: value in 0..1, NaN where the model saw the picture but the map has no number. */
export type LaidMap = {
  readonly values: Float32Array; // [height, width] of the seen part
  /** The seen part of the picture in whole pixels. */
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
};

/** How far rounding in the graph may leave 0..1. */
const slack = 1e-3;

/**
 * A map [h, w] (leading ones allowed) laid over the pixels of a picture, bilinear between the centres of its cells and
 * constant outside the outermost. `placement` is in the pixels of this picture; what lies outside it is not covered.
 * `range` is what becomes 0 and 1. Throws InputError for other shapes and for values outside `range`.
 */
export function layMap(map: Tensor, picture: Picture, placement: Placement, range: readonly [number, number]): LaidMap {
  const { rows, columns, values } = unitValues(map, range);
  const left = Math.max(0, Math.round(placement.x));
  const top = Math.max(0, Math.round(placement.y));
  const width = Math.min(picture.width, Math.round(placement.x + placement.width)) - left;
  const height = Math.min(picture.height, Math.round(placement.y + placement.height)) - top;
  if (width <= 0 || height <= 0) throw new InputError("the placement of the map lies outside the picture");

  const across = neighbours(columns, left, width, placement.x, placement.width);
  const down = neighbours(rows, top, height, placement.y, placement.height);
  const out = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    const [above, below] = [down.first[y]! * columns, down.second[y]! * columns];
    const v = down.share[y]!;
    for (let x = 0; x < width; x++) {
      const [l, r, h] = [across.first[x]!, across.second[x]!, across.share[x]!];
      const upper = mix(values[above + l]!, values[above + r]!, h);
      out[y * width + x] = mix(upper, mix(values[below + l]!, values[below + r]!, h), v);
    }
  }
  return { values: out, left, top, width, height };
}

/**
 * The colours of a map over a picture: out = (1 - a) * picture + a * colour, in sRGB values.
 *
 * a follows the map: `opacity` where the map is half or more of its top, falling smoothly to none at 0, so that cold places show the picture as
 * it is and the eye is not drawn by a veil. Without `follow`, a is `opacity` everywhere. Where the map is NaN: grey.
 * What the model did not see is drained of colour and darkened.
 */
export function blendMap(
  picture: Picture,
  laid: LaidMap,
  { table }: Colormap,
  { opacity, follow }: { opacity: number; follow: boolean },
): Picture {
  const rgb = unseen(picture, laid);
  for (let y = 0; y < laid.height; y++)
    for (let x = 0; x < laid.width; x++) {
      const value = laid.values[y * laid.width + x]!;
      const at = ((y + laid.top) * picture.width + x + laid.left) * 3;
      const missing = Number.isNaN(value);
      const a = missing || !follow ? opacity : opacity * smoothstep(value / 0.5);
      const row = colorIndex(value) * 3;
      for (let c = 0; c < 3; c++) {
        const color = missing ? 128 : table[row + c]!;
        rgb[at + c] = Math.round(mix(picture.rgb[at + c]!, color, a));
      }
    }
  return { ...picture, rgb };
}

/** The picture itself, with what the model did not see marked as in `blendMap`. */
export function markSeen(picture: Picture, { left, top, width, height }: Omit<LaidMap, "values">): Picture {
  const rgb = unseen(picture, { width, height });
  for (let y = top; y < top + height; y++) {
    const from = (y * picture.width + left) * 3;
    rgb.set(picture.rgb.subarray(from, from + width * 3), from);
  }
  return { ...picture, rgb };
}

/** The ground for what was not seen; left black when everything was, and will be painted over. */
function unseen({ rgb, ...picture }: Picture, seen: { width: number; height: number }): Uint8Array {
  const out = new Uint8Array(rgb.length);
  if (seen.width === picture.width && seen.height === picture.height) return out;
  for (let i = 0; i < rgb.length; i += 3) {
    const grey = 0.299 * rgb[i]! + 0.587 * rgb[i + 1]! + 0.114 * rgb[i + 2]!;
    out.fill(Math.round(0.6 * grey), i, i + 3);
  }
  return out;
}

function unitValues(
  map: Tensor,
  [low, high]: readonly [number, number],
): { rows: number; columns: number; values: Float32Array } {
  const [rows, columns] = map.shape.slice(-2);
  if (rows === undefined || columns === undefined || rows * columns !== map.data.length || rows * columns === 0)
    throw new InputError(`a map to draw is [h, w], found [${map.shape.join(", ")}]`, {
      hint: "Take one map of the batch, and one slice or frame of a volume or clip.",
    });
  const values = Float32Array.from(map.data as ArrayLike<number>, (value) => (value - low) / (high - low));
  const outside = values.find((value) => value < -slack || value > 1 + slack);
  if (outside !== undefined)
    throw new InputError(`a map value of ${low + outside * (high - low)} lies outside the range ${low} to ${high}`, {
      hint: "Normalise the map, or pass its own range.",
    });
  return { rows, columns, values };
}

/** For each pixel the two cells whose centres enclose it and the second one's share. */
function neighbours(cells: number, start: number, length: number, origin: number, extent: number) {
  const first = new Int32Array(length);
  const second = new Int32Array(length);
  const share = new Float32Array(length);
  for (let i = 0; i < length; i++) {
    const at = Math.min(cells - 1, Math.max(0, ((start + i + 0.5 - origin) / extent) * cells - 0.5));
    first[i] = Math.floor(at);
    second[i] = Math.min(cells - 1, first[i]! + 1);
    share[i] = at - first[i]!;
  }
  return { first, second, share };
}

/** a + (b - a) * share; exact at both ends, so that a NaN neighbour of no weight does not spread. */
function mix(a: number, b: number, share: number): number {
  return share === 0 ? a : share === 1 ? b : a + (b - a) * share;
}

function smoothstep(x: number): number {
  const t = Math.min(1, Math.max(0, x));
  return t * t * (3 - 2 * t);
}
