import { AbortedError, encodePicture, type Picture, resample } from "@camkit/cam-core";
import type { Vec3 } from "../volume/geometry.ts";
import type { Volume, VoxelMap } from "../volume/volume.ts";
import { bytesOfValues } from "./companding.ts";
import type { Display } from "./window.ts";

/** A scan and its map as pictures in text: what a page carries. */
export type Sprites = {
  /** [slices, rows, columns] of the grey pictures: the scan's, or fewer rows and columns. */
  readonly shape: Vec3;
  /** JPEGs, one per slice, base64. */
  readonly slices: readonly string[];
  /** Rows and columns of the map in each tile. */
  readonly mapShape: readonly [number, number];
  /** WebP sheets of `tiles` slices each, one below the other, base64. */
  readonly mapSheets: readonly string[];
  readonly tiles: number;
};

/** Voxels that a page may carry: 300 slices of 512 × 512 take about 11 MB in it. */
const mostVoxels = 300 * 512 * 512;
const mostSide = { scan: 512, picture: 1400 };
/** Maps are smooth: they come from grids of some ten cells. */
const mapSide = 128;
const tiles = 8;
const quality = { slices: 70, map: 90 };

/** Makes the pictures, slice by slice. `signal` is checked between slices: AbortedError. */
export async function spritesOf(
  volume: Volume,
  map: VoxelMap,
  display: Pick<Display, "knots">,
  signal?: AbortSignal,
): Promise<Sprites> {
  const [count, rows, columns] = volume.geometry.shape;
  const side = count === 1 ? mostSide.picture : mostSide.scan;
  const share = Math.min(1, side / Math.max(rows, columns), Math.sqrt(mostVoxels / (count * rows * columns)));
  const size = { width: Math.max(1, Math.round(columns * share)), height: Math.max(1, Math.round(rows * share)) };
  const mapShare = Math.min(1, mapSide / Math.max(rows, columns));
  const tile = { width: Math.max(1, Math.round(columns * mapShare)), height: Math.max(1, Math.round(rows * mapShare)) };
  const bytes = bytesOfValues(display);
  const values = new Float32Array(rows * columns);
  const slices: string[] = [];
  const mapSheets: string[] = [];
  let sheet = new Uint8Array(tile.width * tile.height * tiles);
  for (let k = 0; k < count; k++) {
    if (signal?.aborted) throw new AbortedError();
    const grey = companded(volume.data, k * rows * columns, rows * columns, bytes);
    slices.push(await encoded(shrunk(grey, columns, rows, size), size, "jpeg", quality.slices));
    map.slice(k, values);
    sheet.set(shrunk(levels(values), columns, rows, tile), (k % tiles) * tile.width * tile.height);
    if (k % tiles < tiles - 1 && k < count - 1) continue;
    mapSheets.push(await encoded(sheet, { ...tile, height: tile.height * tiles }, "webp", quality.map));
    sheet = new Uint8Array(sheet.length);
  }
  return { shape: [count, size.height, size.width], slices, mapShape: [tile.height, tile.width], mapSheets, tiles };
}

// Loops over every voxel, in functions of their own: inside an async one the engine doesn't optimise them.

function companded(data: Volume["data"], from: number, length: number, bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(length);
  for (let i = 0; i < length; i++)
    out[i] = bytes[Math.round(Math.min(32767, Math.max(-32768, data[from + i]!))) + 32768]!;
  return out;
}

function levels(values: Float32Array): Uint8Array {
  const out = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i++) out[i] = Math.round(Math.min(1, Math.max(0, values[i]!)) * 255);
  return out;
}

function inRgb(grey: Uint8Array): Uint8Array {
  const rgb = new Uint8Array(grey.length * 3);
  for (let i = 0, to = 0; i < grey.length; i++, to += 3) {
    rgb[to] = grey[i]!;
    rgb[to + 1] = grey[i]!;
    rgb[to + 2] = grey[i]!;
  }
  return rgb;
}

type Size = { width: number; height: number };

function shrunk(data: Uint8Array, width: number, height: number, to: Size): Uint8Array {
  if (to.width === width && to.height === height) return data;
  return resample({ width, height, channels: 1, data }, { ...to, kernel: "bilinear", antialias: true }).data;
}

async function encoded(grey: Uint8Array, size: Size, format: "jpeg" | "webp", quality: number): Promise<string> {
  const picture: Picture = { ...size, rgb: inRgb(grey) };
  return Buffer.from(await encodePicture(picture, { format, quality })).toString("base64");
}
