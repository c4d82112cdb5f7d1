import { type DataElement, tagName } from "../elements.ts";
import { PixelFault } from "./limits.ts";
import type { PixelElements } from "./locate.ts";
import type { ByteReader } from "./reader.ts";

const item = 0xfffee000;
const sequenceEnd = 0xfffee0dd;

/** A stretch of the data set. */
export type Stretch = { readonly offset: number; readonly length: number };

/**
 * Which fragments each frame of encapsulated pixel data is made of: PS3.5, A.4. By the extended offset table, the basic one,
 * one fragment per frame, or, where neither is of use, by the frames' own first bytes. Throws PixelFault where fragments are
 * missing or the tables contradict them.
 */
export function framesOf(
  { reader, pixelData, extendedOffsets }: PixelElements,
  count: number,
): readonly (readonly Stretch[])[] {
  const [table, ...fragments] = itemsOf(reader, pixelData.offset);
  if (!table) throw new PixelFault("encapsulated pixel data without a single item: the offset table is missing");
  if (fragments.length === 0) throw new PixelFault("encapsulated pixel data without fragments");
  if (fragments.length === count) return fragments.map((fragment) => [fragment]);
  if (count === 1) return [fragments];
  // Offsets count from the first fragment's item.
  const base = fragments[0]!.offset - 8;
  const offsets = new Set(extendedOffsets ? wholeNumbers(extendedOffsets) : basicOffsets(reader, table));
  return (
    groupedAt(fragments, ({ offset }) => offsets.has(offset - 8 - base), count) ??
    groupedAt(fragments, (fragment) => beginsFrame(reader, fragment), count) ??
    missing(fragments.length, count)
  );
}

function missing(fragments: number, count: number): never {
  throw new PixelFault(
    `${fragments} fragments can't be shared out among ${count} frames: ` +
      "offset tables and the fragments' first bytes say otherwise, fragments may be missing",
  );
}

/** Items up to the sequence's end, or the file's: a missing end alone does no harm. */
function itemsOf(reader: ByteReader, start: number): Stretch[] {
  const items: Stretch[] = [];
  for (let at = start; at + 8 <= reader.size; ) {
    const { tag, length } = itemAt(reader, at);
    if (tag === sequenceEnd) break;
    const previous = items.at(-1);
    // Some writers count a fragment's padding in its place but not in its length.
    if (tag !== item && previous && previous.length % 2 === 1 && at === previous.offset + previous.length) {
      at++;
      continue;
    }
    if (tag !== item) throw new PixelFault(`a fragment is expected at byte ${at}, ${tagName(tag)} found`);
    const offset = at + 8;
    if (offset + length > reader.size)
      throw new PixelFault(
        `the fragment at byte ${at} says that it has ${length} bytes, ${reader.size - offset} remain: the file is truncated`,
      );
    items.push({ offset, length });
    at = offset + length;
  }
  return items;
}

function itemAt(reader: ByteReader, at: number): { tag: number; length: number } {
  const bytes = reader.read(at, 8);
  const view = new DataView(bytes.buffer, bytes.byteOffset, 8);
  return { tag: view.getUint16(0, true) * 0x10000 + view.getUint16(2, true), length: view.getUint32(4, true) };
}

/** Frames begin where `begins` says, the first one with the first fragment; undefined where that isn't `count` of them. */
function groupedAt(
  fragments: readonly Stretch[],
  begins: (fragment: Stretch) => boolean,
  count: number,
): Stretch[][] | undefined {
  const frames: Stretch[][] = [];
  for (const fragment of fragments) {
    if (begins(fragment)) frames.push([]);
    if (frames.length === 0) return undefined;
    frames.at(-1)!.push(fragment);
  }
  return frames.length === count ? frames : undefined;
}

function basicOffsets(reader: ByteReader, { offset, length }: Stretch): number[] {
  const bytes = reader.read(offset, length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  return Array.from({ length: length >> 2 }, (_, i) => view.getUint32(4 * i, true));
}

/** 64 bits each. */
function wholeNumbers({ bytes }: DataElement): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: bytes.length >> 3 }, (_, i) => Number(view.getBigUint64(8 * i, true)));
}

/** JPEG and JPEG-LS begin with FF D8 FF, JPEG 2000 with FF 4F FF. */
function beginsFrame(reader: ByteReader, { offset, length }: Stretch): boolean {
  if (length < 3) return false;
  const [first, second, third] = reader.read(offset, 3);
  return first === 0xff && (second === 0xd8 || second === 0x4f) && third === 0xff;
}

/** A frame's bytes; of several fragments, joined. */
export function joined(reader: ByteReader, stretches: readonly Stretch[]): Uint8Array {
  if (stretches.length === 1) return reader.read(stretches[0]!.offset, stretches[0]!.length);
  const total = stretches.reduce((sum, { length }) => sum + length, 0);
  const bytes = new Uint8Array(total);
  let at = 0;
  for (const { offset, length } of stretches) {
    bytes.set(reader.read(offset, length), at);
    at += length;
  }
  return bytes;
}
