import { expect, test } from "vitest";
import { greyLayout } from "../../../../test/encapsulated.ts";
import { decode } from "./rle.ts";

const where = { littleEndian: true, vr: "OB", bitOffset: 0 };

function frame(...segments: readonly (readonly number[])[]): Uint8Array {
  const header = new Uint32Array(16);
  header[0] = segments.length;
  let at = 64;
  for (const [i, segment] of segments.entries()) {
    header[i + 1] = at;
    at += segment.length;
  }
  return Uint8Array.from([...new Uint8Array(header.buffer), ...segments.flat()]);
}

test("by hand: runs, literals and the byte that means nothing; the high byte comes first", () => {
  // 254: three times the next; 1: two literals; 128: nothing; 0: one literal. PS3.5, G.3.1
  const high = [254, 0x12, 1, 0x34, 0x56];
  const low = [2, 1, 2, 3, 128, 255, 9];
  const { samples } = decode(frame(high, low), greyLayout(1, 5), where);
  expect(Array.from(samples)).toEqual([0x1201, 0x1202, 0x1203, 0x3409, 0x5609]);
});

test("by hand: components come one after the other, samples pixel by pixel", () => {
  const layout = greyLayout(1, 2, { samplesPerPixel: 3, bitsAllocated: 8, bitsStored: 8, highBit: 7 });
  const { samples } = decode(frame([1, 10, 11], [255, 20], [1, 30, 31]), layout, where);
  expect(Array.from(samples)).toEqual([10, 20, 30, 11, 20, 31]);
});

test("what follows the last pixel is padding", () => {
  const { samples } = decode(frame([255, 0], [1, 7, 8, 0, 0, 0]), greyLayout(1, 2), where);
  expect(Array.from(samples)).toEqual([7, 8]);
});

test("damage is named", () => {
  const layout = greyLayout(1, 5);
  expect(() => decode(new Uint8Array(10), layout, where)).toThrow("an RLE frame of 10 bytes");
  expect(() => decode(frame([255, 0]), layout, where)).toThrow("with 1 segments: its header's bits need 2");
  expect(() => decode(frame([252, 0], [2, 1, 2, 3]), layout, where)).toThrow(
    "RLE segment 2 of 2 ends after 3 of 5 pixels",
  );
  const lying = frame([252, 0], [252, 0]);
  new DataView(lying.buffer).setUint32(8, 1 << 30, true);
  expect(() => decode(lying, layout, where)).toThrow("RLE segment 2 lies at bytes 1073741824 to 68 of 68");
});
