import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import type { ByteStore } from "../instance.ts";
import { PixelFault } from "./limits.ts";

/** Bytes to be read anywhere. What `read` gives is lent until the next call. */
export type ByteReader = {
  readonly size: number;
  /** Throws PixelFault where the file ends before. */
  read(offset: number, length: number): Uint8Array;
  close(): void;
};

/** Files up to here are read at once, in one call; of larger ones only what is asked for. */
const atOnce = 1 << 20;
const window = 1 << 14;

/** Throws what the file system says. */
export function openReader(store: ByteStore): ByteReader {
  return "bytes" in store ? bytesReader(store.bytes) : fileReader(store.path);
}

export function bytesReader(bytes: Uint8Array): ByteReader {
  return {
    size: bytes.length,
    read(offset, length) {
      check(bytes.length, offset, length);
      return bytes.subarray(offset, offset + length);
    },
    close() {},
  };
}

function fileReader(path: string): ByteReader {
  const file = openSync(path, "r");
  const { size } = fstatSync(file);
  let held = new Uint8Array(0);
  let start = 0;
  const fill = (offset: number, length: number) => {
    held = Buffer.allocUnsafeSlow(length);
    start = offset;
    for (let done = 0; done < length; ) {
      const count = readSync(file, held, done, length - done, offset + done);
      if (count === 0) throw new PixelFault(`the file ended at byte ${offset + done} while it was read`);
      done += count;
    }
  };
  return {
    size,
    read(offset, length) {
      check(size, offset, length);
      if (offset < start || offset + length > start + held.length) {
        if (size <= atOnce) fill(0, size);
        else fill(offset, Math.min(Math.max(length, window), size - offset));
      }
      return held.subarray(offset - start, offset - start + length);
    },
    close: () => closeSync(file),
  };
}

function check(size: number, offset: number, length: number): void {
  if (offset + length > size)
    throw new PixelFault(`bytes ${offset} to ${offset + length} are wanted, the file has ${size}: it is truncated`);
}
