import { expect, test } from "vitest";
import { BitWriter } from "./bits.ts";

test("frames of nine pixels go on inside bytes", () => {
  const bits = new BitWriter(27);
  // Pixels 0, 2 and 8 of the first frame: 1 + 4 = 5, then bit 0 of the second byte.
  expect(bits.addAtLeast(Float32Array.of(1, 0, 0.5, 0, 0, 0, 0, 0, 0.7), 0.5)).toBe(3);
  // Pixels 0 and 6 of the second are bits 9 and 15: 2 + 128 in the second byte, beside the 1.
  expect(bits.addAtLeast(Float32Array.of(0.9, 0.49, 0, 0, 0, 0, 1, 0, 0), 0.5)).toBe(2);
  expect([...bits.padded()]).toEqual([5, 1 + 2 + 128, 0, 0]); // 18 bits are 3 bytes, and one to make it even
});
