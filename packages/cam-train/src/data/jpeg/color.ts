import type { Picture } from "@camkit/cam-core";
import type { Plane } from "./decode.ts";
import type { Header } from "./header.ts";

/** What Cr adds to red and Cb to blue, and 2^16 times what both add to green (with a half for rounding), by sample. */
const toRed = new Int32Array(256);
const toBlue = new Int32Array(256);
const crToGreen = new Int32Array(256);
const cbToGreen = new Int32Array(256);
for (let i = 0; i < 256; i++) {
  const x = i - 128;
  toRed[i] = (91881 * x + 0x8000) >> 16; // 1.402
  toBlue[i] = (116130 * x + 0x8000) >> 16; // 1.772
  crToGreen[i] = -46802 * x; // 0.71414
  cbToGreen[i] = -22554 * x + 0x8000; // 0.34414
}

/** Planes as RGB: chroma brought to full resolution, then JFIF's YCbCr (ITU-R 601, full range) in libjpeg's fixed point. */
export function toRgb({ width, height, components }: Header, [luma, cb, cr]: readonly Plane[]): Picture {
  const rgb = new Uint8ClampedArray(width * height * 3);
  const { across, down } = components[0]!;
  const columns = Math.ceil(width / across);
  const rows = Math.ceil(height / down);
  const [blues, reds] = [new Uint8Array(2 * columns), new Uint8Array(2 * columns)];
  const { samples, stride } = luma!;
  for (let y = 0, to = 0; y < height; y++) {
    if (cb && cr) {
      rowOf(cb, y, columns, rows, across, down, blues);
      rowOf(cr, y, columns, rows, across, down, reds);
    }
    for (let x = 0, from = y * stride; x < width; x++, from++, to += 3) {
      const value = samples[from]!;
      if (cb) {
        const [blue, red] = [blues[x]!, reds[x]!];
        rgb[to] = value + toRed[red]!;
        rgb[to + 1] = value + ((cbToGreen[blue]! + crToGreen[red]!) >> 16);
        rgb[to + 2] = value + toBlue[blue]!;
      } else rgb.fill(value, to, to + 3);
    }
  }
  return { width, height, rgb: new Uint8Array(rgb.buffer) };
}

/**
 * Row y of the picture out of a chroma plane of [rows, columns]. Where chroma is halved, an output sample lies a quarter off the
 * centre of its source sample: 3/4 of that and 1/4 of the next one on its side, in both directions; the edge repeats.
 * Planes of one or two columns are repeated without that, as libjpeg does.
 */
function rowOf(
  plane: Plane,
  y: number,
  columns: number,
  rows: number,
  across: number,
  down: number,
  out: Uint8Array,
): void {
  const { samples, stride } = plane;
  const row = Math.floor(y / down);
  const from = row * stride;
  if (across === 1 || columns <= 2) {
    for (let x = 0; x < columns * across; x++) out[x] = samples[from + Math.floor(x / across)]!;
    return;
  }
  // `near` has 3/4 of the weight when rows are halved too; else all of it.
  const other = (down === 1 ? row : Math.min(rows - 1, Math.max(0, y % 2 === 0 ? row - 1 : row + 1))) * stride;
  const [near, far, shift] = down === 1 ? [1, 0, 2] : [3, 1, 4];
  // libjpeg's rounding alternates: left samples up, right ones down (or the other way where rows are whole).
  const [leftHalf, rightHalf] = down === 1 ? [1, 2] : [8, 7];
  const last = columns - 1;
  let before = near * samples[from]! + far * samples[other]!;
  let here = before;
  for (let x = 0; x < columns; x++) {
    const next = Math.min(x + 1, last);
    const after = near * samples[from + next]! + far * samples[other + next]!;
    out[2 * x] = (3 * here + before + leftHalf) >> shift;
    out[2 * x + 1] = (3 * here + after + rightHalf) >> shift;
    before = here;
    here = after;
  }
}
