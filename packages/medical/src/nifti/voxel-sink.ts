import type { ScanHeader } from "./scan-header.ts";

/**
 * Takes a file's bytes as they come and keeps its voxels, scaled: in int16 as long as every one is a whole number that fits,
 * from the first that doesn't on in float32.
 */
export class VoxelSink {
  /** Voxels so far. */
  count = 0;
  #values: Int16Array | Float32Array;
  /** The beginning of a voxel whose end is in the next piece. */
  readonly #partial: Uint8Array;
  #partialBytes = 0;

  constructor(readonly header: ScanHeader) {
    this.#values = new Int16Array(header.voxels);
    this.#partial = new Uint8Array(header.type.bytes);
  }

  get isFull(): boolean {
    return this.count === this.header.voxels;
  }

  /** `offset`: of the piece's first byte from the first voxel's; negative where the piece begins before it. */
  take(piece: Uint8Array, offset: number): void {
    const { bytes } = this.header.type;
    let at = Math.max(0, -offset);
    while (this.#partialBytes > 0 && at < piece.length && !this.isFull) {
      this.#partial[this.#partialBytes++] = piece[at++]!;
      if (this.#partialBytes === bytes) {
        this.#put(new DataView(this.#partial.buffer), 0, 1);
        this.#partialBytes = 0;
      }
    }
    const whole = Math.min(Math.floor(Math.max(0, piece.length - at) / bytes), this.header.voxels - this.count);
    this.#put(new DataView(piece.buffer, piece.byteOffset, piece.byteLength), at, whole);
    at += whole * bytes;
    if (!this.isFull) while (at < piece.length) this.#partial[this.#partialBytes++] = piece[at++]!;
  }

  data(): Int16Array | Float32Array {
    return this.#values;
  }

  #put(view: DataView, from: number, voxels: number): void {
    const { type, little, slope, intercept } = this.header;
    for (let i = 0; i < voxels; i++) {
      const value = type.read(view, from + i * type.bytes, little) * slope + intercept;
      this.#values[this.count] = value;
      if (this.#values[this.count] !== value && this.#values instanceof Int16Array) {
        const wider = new Float32Array(this.header.voxels);
        wider.set(this.#values.subarray(0, this.count));
        wider[this.count] = value;
        this.#values = wider;
      }
      this.count++;
    }
  }
}
