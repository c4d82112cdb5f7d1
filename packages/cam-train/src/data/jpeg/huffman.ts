/**
 * A Huffman table. `fast` answers codes of up to 8 bits from the next 8: length << 8 | symbol, 0 for longer ones. Of those,
 * a code of n bits is below `limits[n]`, and its symbol is `symbols[code + offsets[n]]`.
 */
export type HuffmanTable = {
  /** As it stands in the file: 16 counts by length, then the symbols. */
  readonly bytes: Uint8Array;
  readonly fast: Uint16Array; // [256]
  readonly limits: Int32Array; // [17]
  readonly offsets: Int32Array; // [17]
  readonly symbols: Uint8Array;
};

/** Nearly all small JPEGs have the standard's four tables; the last few are kept. */
const recent: HuffmanTable[] = [];
const kept = 8;

/** The table at the beginning of `bytes`; undefined where it is cut off or has more codes than its bits allow. */
export function huffmanTable(bytes: Uint8Array): HuffmanTable | undefined {
  const known = recent.find((table) => beginsWith(bytes, table.bytes));
  if (known) return known;
  const built = build(bytes);
  if (built) {
    recent.unshift(built);
    recent.length = Math.min(recent.length, kept);
  }
  return built;
}

function beginsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  if (bytes.length < start.length) return false;
  for (let i = 0; i < start.length; i++) if (bytes[i] !== start[i]) return false;
  return true;
}

/** Codes are counted up, and doubled with every bit of length (T.81, annex C). */
function build(bytes: Uint8Array): HuffmanTable | undefined {
  if (bytes.length < 16) return undefined;
  const fast = new Uint16Array(256);
  const limits = new Int32Array(17);
  const offsets = new Int32Array(17);
  const total = bytes.subarray(0, 16).reduce((sum, count) => sum + count, 0);
  if (bytes.length < 16 + total || total > 256) return undefined;
  const own = bytes.slice(0, 16 + total);
  const symbols = own.subarray(16);
  for (let bits = 1, code = 0, next = 0; bits <= 16; bits++, code <<= 1) {
    offsets[bits] = next - code;
    for (let i = 0; i < own[bits - 1]!; i++, code++, next++) {
      if (code + 1 >= 1 << bits) return undefined; // all ones is nobody's code
      const low = code << (8 - bits);
      if (bits <= 8) fast.fill((bits << 8) | symbols[next]!, low, low + (1 << (8 - bits)));
    }
    limits[bits] = code;
  }
  return { bytes: own, fast, limits, offsets, symbols };
}
