import { PixelFault } from "../limits.ts";
import { extended, type HuffmanTable, lookBits } from "./huffman.ts";

/** Entropy-coded bytes without stuffing, and where in them a restart interval begins. */
export type Entropy = {
  /** Ends in zeros that aren't data: `slack` of them. */
  readonly bytes: Uint8Array;
  /** Of each restart interval: where it begins; one more: where the last ends. */
  readonly intervals: readonly number[];
  /** Where in the stream the next marker is. */
  readonly end: number;
};

/** One per thread: a scan is read to its end before the next is begun. */
let scratch = new Uint8Array(1 << 19);

/**
 * Takes the stuffing out of a scan's bytes (FF 00 → FF) and finds its restart markers: T.81, B.1.1.5, F.1.2.3. What comes back
 * is overwritten by the next call.
 */
export function unstuffed(stream: Uint8Array, offset: number, slack: number): Entropy {
  const room = stream.length - offset + slack;
  if (scratch.length < room) scratch = new Uint8Array(room);
  const into = scratch;
  const intervals = [0];
  let to = 0;
  let from = offset;
  let end = stream.length;
  for (;;) {
    const marker = stream.indexOf(0xff, from);
    const stop = marker < 0 ? stream.length : marker;
    into.set(stream.subarray(from, stop), to);
    to += stop - from;
    if (marker < 0) break;
    const next = stream[marker + 1];
    from = marker + 2;
    if (next === 0) into[to++] = 0xff;
    else if (next !== undefined && next >= 0xd0 && next <= 0xd7) intervals.push(to);
    else if (next === 0xff)
      from = marker + 1; // fill bytes
    else {
      end = marker;
      break;
    }
  }
  into.fill(0, to, to + slack);
  intervals.push(to);
  return { bytes: into, intervals, end };
}

/** What a row is written into. */
export type Samples = Uint8Array | Uint16Array;

/** Reads an interval's bits. The methods keep the state in local variables: that is what makes them fast. */
export class BitReader {
  private at = 0;
  private end = 0;
  /** The last bits that were read, and how many of them are still to be taken. */
  private held = 0;
  private count = 0;

  constructor(private readonly bytes: Uint8Array) {}

  seek(start: number, end: number): void {
    this.at = start;
    this.end = end;
    this.held = 0;
    this.count = 0;
  }

  /** Bits taken beyond the interval's end, in bytes; below zero while there are some left. */
  overrun(): number {
    return this.at - (this.count >> 3) - this.end;
  }

  /**
   * Writes the next differences into `into`, from `start` on, modulo 2^16; with `sum`, each added to the one before it, the first
   * one to `sum`: prediction from the left needs no second pass then. May take 4 bytes each.
   */
  differences(table: HuffmanTable, into: Samples, start: number, howMany: number, sum?: number): void {
    const { bytes } = this;
    const { whole } = table;
    const kept = sum === undefined ? 0 : 0xffff;
    let value = sum ?? 0;
    let { at, held, count } = this;
    for (let to = start; to < start + howMany; to++) {
      if (count < 16) {
        held = (held << 16) | (bytes[at]! << 8) | bytes[at + 1]!;
        at += 2;
        count += 16;
      }
      const entry = whole[(held >>> (count - lookBits)) & ((1 << lookBits) - 1)]!;
      if (entry !== 0) {
        count -= entry & 31;
        value = ((value & kept) + (entry >> 5)) & 0xffff;
        into[to] = value;
        continue;
      }
      const code = table.codes()[(held >>> (count - 16)) & 0xffff]!;
      if (code === 0) throw noCode();
      count -= code & 31;
      const category = code >> 5;
      if (category > 16)
        throw new PixelFault(`a difference of the JPEG stream has ${category} bits: at most 16 can be`);
      let bits = 0;
      if (category > 0 && category < 16) {
        if (count < 16) {
          held = (held << 16) | (bytes[at]! << 8) | bytes[at + 1]!;
          at += 2;
          count += 16;
        }
        count -= category;
        bits = (held >>> count) & ((1 << category) - 1);
      }
      value = ((value & kept) + extended(category, bits)) & 0xffff;
      into[to] = value;
    }
    this.at = at;
    this.held = held;
    this.count = count;
  }

  /** The next symbol. */
  symbol(table: HuffmanTable): number {
    if (this.count < 16) this.fill();
    const code = table.codes()[(this.held >>> (this.count - 16)) & 0xffff]!;
    if (code === 0) throw noCode();
    this.count -= code & 31;
    return code >> 5;
  }

  /** The next bits as a number with its sign; at most 16. */
  signed(category: number): number {
    if (category === 0) return 0;
    if (this.count < 16) this.fill();
    this.count -= category;
    const bits = (this.held >>> this.count) & ((1 << category) - 1);
    return bits < 1 << (category - 1) ? bits - (1 << category) + 1 : bits;
  }

  private fill(): void {
    this.held = (this.held << 16) | (this.bytes[this.at]! << 8) | this.bytes[this.at + 1]!;
    this.at += 2;
    this.count += 16;
  }
}

const noCode = () => new PixelFault("the JPEG stream has bits that are no code of its Huffman table: it is damaged");
