import { constants, mkdirSync, openSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import { sha256Hex } from "@camkit/cam-core/data";

type Size = [number, number, number];

/** A prepared phantom as it lies on the disk. */
export type Kept = {
  readonly input: Uint16Array; // [D, H, W], 65535 is 1
  readonly lesion: Uint8Array; // [D, H, W]
};

type Make = (seed: number, size: Size) => Kept;

/**
 * Making with a memory: what was made once lies in a file of `folder`, for later epochs and runs and for every thread. Two that
 * make the same phantom at once write the same bytes. The file's name holds a digest of its first phantom, so that what another
 * version drew is left alone. A record ends with a byte that is 1: one that was cut off hasn't got it.
 */
export function keptSamples(folder: string, first: number, size: Size, make: Make): Make {
  mkdirSync(folder, { recursive: true });
  const { input, lesion } = make(first, size);
  const version = sha256Hex(bytesOf(input)).slice(0, 8);
  const cells = lesion.length;
  const record = 3 * cells + 1;
  const path = join(folder, `phantoms-${size.join("x")}-${first}-${version}.bin`);
  const file = openSync(path, constants.O_RDWR | constants.O_CREAT);
  // Open as long as its thread lives: Node closes what a worker has opened.
  return (seed) => {
    const bytes = new Uint8Array(record);
    const position = (seed - first) * record;
    const length = readSync(file, bytes, 0, record, position);
    if (length < record || bytes[record - 1] !== 1) {
      const made = make(seed, size);
      bytes.set(bytesOf(made.input));
      bytes.set(made.lesion, 2 * cells);
      bytes[record - 1] = 1;
      writeSync(file, bytes, 0, record, position);
    }
    return { input: new Uint16Array(bytes.buffer, 0, cells), lesion: bytes.subarray(2 * cells, 3 * cells) };
  };
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Uint16Array) => new Uint8Array(buffer, byteOffset, byteLength);
