import { type HuffmanTable, huffmanTable } from "./huffman.ts";

export type Component = {
  /** Blocks of this component in a minimal coded unit (MCU). */
  readonly across: number;
  readonly down: number;
  readonly quantization: Uint8Array; // [64] in zigzag order
  readonly dc: HuffmanTable;
  readonly ac: HuffmanTable;
};

export type Header = {
  readonly width: number;
  readonly height: number;
  readonly components: readonly Component[];
  readonly mcusAcross: number;
  readonly mcusDown: number;
  /** Where the coded blocks begin. */
  readonly scanStart: number;
};

/** Sampling factors, across and down, of luma over chroma: 4:4:4, 4:2:2 and 4:2:0. */
const plainSampling = ["1,1", "2,1", "2,2"];

/** Class (0 DC, 1 AC) * 16 + number. */
const legalTables = new Set([0, 1, 2, 3, 16, 17, 18, 19]);
const isForDc = ({ symbols }: HuffmanTable): boolean => symbols.every((bits) => bits < 16);

type Frame = { width: number; height: number; parts: { id: number; sampling: string; table: number }[] };

/** What comes before the coded blocks; undefined where it isn't plain, see `decodeSmallJpeg`. */
export function readHeader(bytes: Uint8Array): Header | undefined {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return undefined;
  const quantization = new Map<number, Uint8Array>();
  const huffman = new Map<number, HuffmanTable>(); // by class and number, see `legalTables`
  let frame: Frame | undefined;
  for (let at = 2; at + 4 <= bytes.length; ) {
    const [marker, length] = [bytes[at + 1]!, (bytes[at + 2]! << 8) | bytes[at + 3]!];
    const end = at + 2 + length;
    if (bytes[at] !== 0xff || length < 2 || end > bytes.length) return undefined;
    const body = bytes.subarray(at + 4, end);
    at = end;

    if (marker === 0xdb) {
      // Quantization tables; those of 16 bits aren't plain.
      for (let i = 0; i < body.length; i += 65) {
        if (body[i]! > 3 || i + 65 > body.length) return undefined;
        quantization.set(body[i]!, body.subarray(i + 1, i + 65));
      }
    } else if (marker === 0xc4) {
      for (let i = 0; i < body.length; ) {
        const table = huffmanTable(body.subarray(i + 1));
        const isLegal = table !== undefined && legalTables.has(body[i]!) && (body[i]! > 3 || isForDc(table));
        if (!isLegal) return undefined;
        huffman.set(body[i]!, table);
        i += 1 + table.bytes.length;
      }
    } else if (marker === 0xc0) {
      frame = readFrame(body);
      if (frame === undefined) return undefined;
    } else if (marker === 0xda) {
      return frame && headerOf(frame, body, quantization, huffman, end);
    } else {
      const isExif = marker === 0xe1 && body[0] === 0x45; // "Exif"
      const isPassedOver = marker === 0xfe || (marker >= 0xe0 && marker <= 0xef && marker !== 0xee && !isExif);
      if (!isPassedOver) return undefined; // progressive, restarts, Adobe's colours, …
    }
  }
  return undefined;
}

function readFrame(body: Uint8Array): Frame | undefined {
  const [precision, h1, h2, w1, w2, count] = body as unknown as number[];
  if (precision !== 8 || (count !== 1 && count !== 3) || body.length !== 6 + 3 * count) return undefined;
  const parts = Array.from({ length: count }, (_, i) => {
    const [id, sampling, table] = body.subarray(6 + 3 * i) as unknown as number[];
    return { id: id!, sampling: `${sampling! >> 4},${sampling! & 15}`, table: table! };
  });
  return { height: (h1! << 8) | h2!, width: (w1! << 8) | w2!, parts };
}

function headerOf(
  { width, height, parts }: Frame,
  scan: Uint8Array,
  quantization: ReadonlyMap<number, Uint8Array>,
  huffman: ReadonlyMap<number, HuffmanTable>,
  scanStart: number,
): Header | undefined {
  const isColor = parts.length === 3;
  const isPlain = parts.every(({ sampling }, i) => (i === 0 ? plainSampling.includes(sampling) : sampling === "1,1"));
  const isYcc = parts.every(({ id }, i) => id === i + 1);
  // One scan of all components, of all coefficients (0 to 63) in all their bits.
  const isWhole = scan.length === 4 + 2 * parts.length && scan[0] === parts.length && endsWith(scan, [0, 63, 0]);
  if (width === 0 || height === 0 || !isPlain || (isColor && !isYcc) || !isWhole) return undefined;
  const components: Component[] = [];
  for (const [i, { id, sampling, table }] of parts.entries()) {
    const [across, down] = isColor ? (sampling.split(",").map(Number) as [number, number]) : [1, 1];
    const [scanned, tables] = [scan[1 + 2 * i], scan[2 + 2 * i]!];
    const [steps, dc, ac] = [quantization.get(table), huffman.get(tables >> 4), huffman.get(16 + (tables & 15))];
    if (scanned !== id || steps === undefined || dc === undefined || ac === undefined) return undefined;
    components.push({ across, down, quantization: steps, dc, ac });
  }
  const { across, down } = components[0]!;
  const mcusAcross = Math.ceil(width / (8 * across));
  return { width, height, components, mcusAcross, mcusDown: Math.ceil(height / (8 * down)), scanStart };
}

function endsWith(bytes: Uint8Array, end: readonly number[]): boolean {
  return end.every((byte, i) => bytes[bytes.length - end.length + i] === byte);
}
