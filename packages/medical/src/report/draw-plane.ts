import { type ColormapName, colorIndex, colormap, type Picture, resample } from "@camkit/cam-core";
import type { Geometry } from "../volume/geometry.ts";
import type { Volume, VoxelMap } from "../volume/volume.ts";
import { nativeView, type View, walkOf } from "./views.ts";
import { greyOf, type WindowHu, windowPresets } from "./window.ts";

/** Black-red-yellow-white, and even in lightness: as in all of camkit's pictures. */
export const mapColors: ColormapName = "inferno";

/** Of the hottest places. */
export const mapOpacity = 0.6;

/** Slice k in grey, in the scan's own rows and columns. */
export function drawSlice(
  volume: Volume,
  k: number,
  { windowHu = windowPresets.lung }: { windowHu?: WindowHu } = {},
): Picture {
  return drawPlane(volume, nativeView(volume.geometry), k, windowHu);
}

/** Any plane of a volume in grey, a pixel per voxel. */
export function drawPlane({ geometry, data }: Volume, view: View, index: number, windowHu: WindowHu): Picture {
  const { width, height, offset, right, down } = walkOf(view, geometry.shape, index);
  const rgb = new Uint8Array(width * height * 3);
  const greys = data instanceof Int16Array ? greysOf16Bits(windowHu) : undefined;
  for (let y = 0, to = 0; y < height; y++)
    for (let x = 0, from = offset + y * down; x < width; x++, from += right, to += 3) {
      const hu = data[from]!;
      const grey = greys ? greys[hu + 32768]! : greyOf(hu, windowHu);
      rgb[to] = grey;
      rgb[to + 1] = grey;
      rgb[to + 2] = grey;
    }
  return { width, height, rgb };
}

const kept = new WeakMap<WindowHu, Uint8Array>();

/** The grey of each number of 16 bits, at index number + 32768. */
function greysOf16Bits(windowHu: WindowHu): Uint8Array {
  const known = kept.get(windowHu);
  if (known) return known;
  const greys = Uint8Array.from({ length: 65536 }, (_, i) => greyOf(i - 32768, windowHu));
  kept.set(windowHu, greys);
  return greys;
}

/**
 * Colours over a picture, in place: `values` in [0, 1], a pixel each. How much colour follows the map, as in cam-core's overlays:
 * none at 0, all of `mapOpacity` from half of the scale on; nothing below `threshold`.
 */
export function fuse({ rgb }: Picture, values: Float32Array, threshold = 0): void {
  const { table } = colormap(mapColors);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value <= 0 || value < threshold) continue;
    const t = Math.min(1, value / 0.5);
    const opacity = mapOpacity * t * t * (3 - 2 * t);
    const row = colorIndex(value) * 3;
    for (let c = 0; c < 3; c++) {
      const grey = rgb[3 * i + c]!;
      rgb[3 * i + c] = Math.round(grey + (table[row + c]! - grey) * opacity);
    }
  }
}

/** The map's values on a plane: one slice where the plane is one, else a row or column of every slice. */
export function mapPlane(map: VoxelMap, view: View, index: number): Float32Array {
  const { shape } = map.geometry;
  const slice = new Float32Array(shape[1] * shape[2]);
  const { width, height, offset, right, down } = walkOf(view, shape, index);
  const out = new Float32Array(width * height);
  const size = slice.length;
  const slices = view.fixed === 0 ? [index] : Array.from({ length: shape[0] }, (_, k) => k);
  for (const k of slices) {
    map.slice(k, slice);
    // In a coronal or sagittal plane a line of pixels lies in one slice, or one pixel of each line does.
    const at = (forward: boolean) => (forward ? k : shape[0] - 1 - k);
    const [firstY, endY] = view.down.axis === 0 ? [at(view.down.forward), at(view.down.forward) + 1] : [0, height];
    const [firstX, endX] = view.right.axis === 0 ? [at(view.right.forward), at(view.right.forward) + 1] : [0, width];
    for (let y = firstY; y < endY; y++)
      for (let x = firstX; x < endX; x++) out[y * width + x] = slice[offset + x * right + y * down - k * size]!;
  }
  return out;
}

/** The size at which a plane's pixels are square and it fits `side` × `side`. */
export function displaySize(
  view: View,
  { shape, spacingMm }: Geometry,
  side: number,
): { width: number; height: number } {
  const [across, along] = [view.right.axis, view.down.axis].map((axis) => shape[axis] * spacingMm[axis]) as [
    number,
    number,
  ];
  const scale = side / Math.max(across, along);
  return { width: Math.max(1, Math.round(across * scale)), height: Math.max(1, Math.round(along * scale)) };
}

/** The picture at another size, antialiased where it shrinks. */
export function resized({ width, height, rgb }: Picture, to: { width: number; height: number }): Picture {
  if (width === to.width && height === to.height) return { width, height, rgb };
  const { data } = resample({ width, height, channels: 3, data: rgb }, { ...to, kernel: "bilinear", antialias: true });
  return { ...to, rgb: data };
}
