import { PixelFault } from "../limits.ts";
import { BitReader, type Samples, unstuffed } from "./bits.ts";
import type { HuffmanTable } from "./huffman.ts";
import { type FrameHeader, type Scan, scansOf } from "./markers.ts";

/** Samples of a decoded stream, pixel by pixel, with as many bits as `precision` says. */
export type JpegSamples = {
  readonly samples: Samples;
  readonly frame: FrameHeader;
};

/**
 * Lossless JPEG with Huffman coding, process 14: all seven predictors, 2 to 16 bits, point transform, restart markers, up to
 * four components, interleaved or one scan each. ITU-T T.81, annex H.
 *
 * Grey predicted from the left, which most archives have, is one loop; other rows are read as differences first, then summed up
 * by their predictor: two short loops, which the compiler does better than a long one.
 */
export function decodeLossless(stream: Uint8Array): JpegSamples {
  let result: JpegSamples | undefined;
  let missing = 0;
  const scans = scansOf(stream);
  for (let step = scans.next(); !step.done; ) {
    const scan = step.value;
    if (!result) {
      result = { frame: scan.frame, samples: room(scan.frame) };
      missing = scan.frame.components.length;
    }
    const end = decodeScan(stream, scan, result.samples);
    missing -= scan.components.length;
    // What comes after the last scan doesn't matter, not even that an end marker is missing.
    if (missing <= 0) return result;
    step = scans.next(end);
  }
  throw new PixelFault(result ? `the JPEG stream lacks ${missing} of its components` : "the JPEG stream has no scan");
}

function room({ marker, precision, rows, columns, components }: FrameHeader): Samples {
  if (marker !== 0xc3)
    throw new PixelFault(
      `the JPEG stream isn't lossless with Huffman codes: its frame is SOF${marker - 0xc0}, not SOF3`,
    );
  if (precision < 2 || precision > 16) throw new PixelFault(`lossless JPEG of ${precision} bits: 2 to 16 are legal`);
  if (components.some(({ horizontal, vertical }) => horizontal !== 1 || vertical !== 1))
    throw new PixelFault("lossless JPEG with subsampled components isn't supported", "unsupported");
  const count = rows * columns * components.length;
  return precision <= 8 ? new Uint8Array(count) : new Uint16Array(count);
}

/** Returns where the scan's bytes end. */
function decodeScan(stream: Uint8Array, scan: Scan, samples: Samples): number {
  const { frame, components, start: predictor, low: shift, restartInterval } = scan;
  const { rows, columns, precision } = frame;
  if (predictor < 1 || predictor > 7)
    throw new PixelFault(`lossless JPEG with predictor ${predictor}: 1 to 7 are legal`);
  if (shift >= precision) throw new PixelFault(`lossless JPEG of ${precision} bits with a point transform of ${shift}`);
  if (restartInterval % columns !== 0)
    throw new PixelFault(`restart markers every ${restartInterval} pixels, which aren't whole rows of ${columns}`);
  const tables = components.map(({ dc }) => scan.dcTables[dc] ?? fail(`Huffman table ${dc} is missing`));

  const perRow = columns * components.length;
  const { bytes, intervals, end } = unstuffed(stream, scan.offset, 4 * perRow + 16);
  const reader = new BitReader(bytes);
  const differences = new Uint16Array(perRow);
  const rowsPerInterval = restartInterval === 0 ? rows : restartInterval / columns;
  const all = frame.components.length;
  const initial = 1 << (precision - shift - 1);
  for (let y = 0, interval = 0; y < rows; y++) {
    const first = y % rowsPerInterval === 0;
    if (first) {
      if (interval + 1 >= intervals.length)
        throw new PixelFault(`the JPEG stream ends at row ${y} of ${rows}: ${intervals.length - 1} restart intervals`);
      reader.seek(intervals[interval]!, intervals[interval + 1]!);
      interval++;
    }
    if (all === 1 && (first || predictor === 1))
      reader.differences(tables[0]!, samples, y * columns, columns, first ? initial : samples[(y - 1) * columns]!);
    else {
      readRow(reader, tables, differences, columns);
      for (const [c, { index }] of components.entries()) {
        const at = y * columns * all + index;
        if (first) firstRow(differences, c, components.length, samples, at, all, columns, initial);
        else predictors[predictor]!(differences, c, components.length, samples, at, all, columns);
      }
    }
    if (reader.overrun() > 0) throw new PixelFault(`the JPEG stream ends at row ${y} of ${rows}`);
  }
  if (shift > 0) for (let i = 0; i < samples.length; i++) samples[i] = samples[i]! << shift;
  return end;
}

function fail(reason: string): never {
  throw new PixelFault(`the JPEG stream is damaged: ${reason}`);
}

function readRow(reader: BitReader, tables: readonly HuffmanTable[], into: Uint16Array, columns: number): void {
  const [table] = tables;
  if (tables.every((other) => other === table)) reader.differences(table!, into, 0, into.length);
  else
    for (let x = 0; x < columns; x++)
      for (let c = 0; c < tables.length; c++) reader.differences(tables[c]!, into, x * tables.length + c, 1);
}

/**
 * Sums up a row of one component: `from` + i · `step` in differences, `at` + i · `stride` in samples, of which the row above
 * lies `columns` · `stride` earlier. Typed arrays take sums modulo 2^16, as H.1.2.1 wants.
 */
type Predictor = (
  differences: Uint16Array,
  from: number,
  step: number,
  samples: Samples,
  at: number,
  stride: number,
  columns: number,
) => void;

/** The first row of the picture, and after a restart: from the left, beginning in the middle of the range. */
function firstRow(
  differences: Uint16Array,
  from: number,
  step: number,
  samples: Samples,
  at: number,
  stride: number,
  columns: number,
  initial: number,
): void {
  let value = initial;
  for (let x = 0, d = from, s = at; x < columns; x++, d += step, s += stride) {
    value = (value + differences[d]!) & 0xffff;
    samples[s] = value;
  }
}

/** Any row's first sample is predicted from the one above. */
const fromLeft: Predictor = (differences, from, step, samples, at, stride, columns) => {
  let value = samples[at - columns * stride]!;
  for (let x = 0, d = from, s = at; x < columns; x++, d += step, s += stride) {
    value = (value + differences[d]!) & 0xffff;
    samples[s] = value;
  }
};

/** a: left, b: above, c: above left; T.81, table H.1. */
const predictedBy =
  (predict: (a: number, b: number, c: number) => number): Predictor =>
  (differences, from, step, samples, at, stride, columns) => {
    const above = columns * stride;
    let c = samples[at - above]!;
    let a = (c + differences[from]!) & 0xffff;
    samples[at] = a;
    for (let x = 1, d = from + step, s = at + stride; x < columns; x++, d += step, s += stride) {
      const b = samples[s - above]!;
      a = (predict(a, b, c) + differences[d]!) & 0xffff;
      samples[s] = a;
      c = b;
    }
  };

const predictors: readonly (Predictor | undefined)[] = [
  undefined,
  fromLeft,
  predictedBy((_, b) => b),
  predictedBy((_a, _b, c) => c),
  predictedBy((a, b, c) => a + b - c),
  predictedBy((a, b, c) => a + ((b - c) >> 1)),
  predictedBy((a, b, c) => b + ((a - c) >> 1)),
  predictedBy((a, b) => (a + b) >> 1),
];
