import { PixelFault } from "../limits.ts";
import { BitReader, unstuffed } from "./bits.ts";
import type { JpegSamples } from "./lossless.ts";
import { scansOf } from "./markers.ts";

/**
 * Sequential DCT with Huffman coding, processes 1, 2 and 4, of one component with 8 or 12 bits: ITU-T T.81, annex F. What
 * 12-bit CT and radiographs use; colour has 8 bits, and goes to libjpeg-turbo.
 *
 * The inverse transform is done in float64 and rounded once: within one of any decoder that meets the standard's accuracy.
 */
export function decodeSequential(stream: Uint8Array): JpegSamples {
  const scan = scansOf(stream).next().value;
  if (!scan) throw new PixelFault("the JPEG stream has no scan");
  const { frame, restartInterval } = scan;
  const { marker, precision, rows, columns } = frame;
  if (marker !== 0xc0 && marker !== 0xc1)
    throw new PixelFault(`JPEG with frame SOF${marker - 0xc0} isn't sequential with Huffman codes`, "unsupported");
  if (precision !== 8 && precision !== 12)
    throw new PixelFault(`sequential JPEG of ${precision} bits: 8 or 12 are legal`);
  if (frame.components.length !== 1) throw new PixelFault("JPEG of 12 bits in colour isn't supported", "unsupported");
  const { dc, ac } = scan.components[0]!;
  const dcTable = scan.dcTables[dc];
  const acTable = scan.acTables[ac];
  const steps = scan.quantisation[frame.components[0]!.quantisation];
  if (!dcTable || !acTable || !steps) throw new PixelFault("the JPEG stream lacks a table that its scan needs");

  // A block takes at most 64 · (16 + 15) bits.
  const { bytes, intervals } = unstuffed(stream, scan.offset, 512);
  const reader = new BitReader(bytes);
  const samples = precision === 8 ? new Uint8Array(rows * columns) : new Uint16Array(rows * columns);
  const block = new Float64Array(64);
  const across = Math.ceil(columns / 8);
  const count = across * Math.ceil(rows / 8);
  const perInterval = restartInterval || count;
  let previous = 0;
  for (let k = 0; k < count; k++) {
    if (k % perInterval === 0) {
      const interval = k / perInterval;
      if (interval + 1 >= intervals.length) throw truncated(k, count);
      reader.seek(intervals[interval]!, intervals[interval + 1]!);
      previous = 0;
    }
    block.fill(0);
    previous += reader.signed(reader.symbol(dcTable) & 15);
    block[0] = previous * steps[0]!;
    for (let i = 1; i < 64; i++) {
      const symbol = reader.symbol(acTable);
      const size = symbol & 15;
      if (size === 0 && symbol !== 0xf0) break; // end of block
      i += symbol >> 4;
      if (size === 0) continue;
      if (i > 63) throw new PixelFault("a block of the JPEG stream has more than 64 coefficients: it is damaged");
      block[zigzag[i]!] = reader.signed(size) * steps[i]!;
    }
    if (reader.overrun() > 0) throw truncated(k, count);
    inverse(block);
    place(block, samples, rows, columns, Math.floor(k / across) * 8, (k % across) * 8, precision);
  }
  return { samples, frame };
}

const truncated = (block: number, count: number) =>
  new PixelFault(`the JPEG stream ends at block ${block} of ${count}: it is truncated`);

/** Natural position of the i-th coefficient: T.81, figure 5. */
const zigzag = new Uint8Array([
  0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
  35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47,
  55, 62, 63,
]);

/** basis[x · 8 + u] = C(u) / 2 · cos((2x + 1) u π / 16): T.81, A.3.3. */
const basis = Float64Array.from({ length: 64 }, (_, i) => {
  const [x, u] = [i >> 3, i & 7];
  return ((u === 0 ? Math.SQRT1_2 : 1) / 2) * Math.cos(((2 * x + 1) * u * Math.PI) / 16);
});

const columnsDone = new Float64Array(64);

/** In place: coefficients [v, u] → samples [y, x]. */
function inverse(block: Float64Array): void {
  for (let v = 0; v < 8; v++)
    for (let x = 0; x < 8; x++) {
      let sum = 0;
      for (let u = 0; u < 8; u++) sum += basis[x * 8 + u]! * block[v * 8 + u]!;
      columnsDone[v * 8 + x] = sum;
    }
  for (let y = 0; y < 8; y++)
    for (let x = 0; x < 8; x++) {
      let sum = 0;
      for (let v = 0; v < 8; v++) sum += basis[y * 8 + v]! * columnsDone[v * 8 + x]!;
      block[y * 8 + x] = sum;
    }
}

/** Shifts levels back and clamps; blocks at the right and lower edge are wider than the picture. */
function place(
  block: Float64Array,
  samples: Uint8Array | Uint16Array,
  rows: number,
  columns: number,
  top: number,
  left: number,
  precision: number,
): void {
  const middle = 1 << (precision - 1);
  const greatest = (1 << precision) - 1;
  for (let y = 0; y < 8 && top + y < rows; y++)
    for (let x = 0; x < 8 && left + x < columns; x++) {
      const value = Math.round(block[y * 8 + x]!) + middle;
      samples[(top + y) * columns + left + x] = Math.max(0, Math.min(greatest, value));
    }
}
