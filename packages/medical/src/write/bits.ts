/**
 * One-bit pixels as DICOM packs them: the first pixel is the lowest bit of the first byte, and a frame goes on in the middle of
 * a byte where the one before it ended (PS3.5, 8.1.1).
 */
export class BitWriter {
  readonly #bytes: Uint8Array;
  #bits = 0;

  /** Room for so many bits, at most. */
  constructor(mostBits: number) {
    this.#bytes = new Uint8Array(Math.ceil(mostBits / 8));
  }

  /** Appends a frame, one bit for each value that is not less than the threshold. Says how many those are. */
  addAtLeast(frame: Float32Array, threshold: number): number {
    let set = 0;
    for (let i = 0; i < frame.length; i++) {
      if (!(frame[i]! >= threshold)) continue;
      const bit = this.#bits + i;
      this.#bytes[bit >>> 3]! |= 1 << (bit & 7);
      set++;
    }
    this.#bits += frame.length;
    return set;
  }

  /** What was added, to an even number of bytes, as values must be. */
  padded(): Uint8Array {
    const bytes = Math.ceil(this.#bits / 8);
    const even = new Uint8Array(bytes + (bytes % 2));
    even.set(this.#bytes.subarray(0, bytes));
    return even;
  }
}
