import { expect, test } from "vitest";
import { PixelFault } from "../limits.ts";
import { decodeSequential } from "./sequential.ts";

const word = (value: number) => [value >> 8, value & 255];
const segment = (marker: number, body: readonly number[]) => [0xff, marker, ...word(body.length + 2), ...body];

/** One 12-bit frame. Codes: DC categories 0..15 with 4 bits; AC: 00 end of block, 01 one bit, 10 fifteen zeros and three bits. */
function stream(rows: number, columns: number, bits: string, steps: readonly number[] = Array(64).fill(1)): Uint8Array {
  const padded = bits.padEnd(Math.ceil(bits.length / 8) * 8, "1");
  const bytes = (padded.match(/.{8}/g) ?? []).flatMap((byte) => {
    const value = Number.parseInt(byte, 2);
    return value === 0xff ? [0xff, 0] : [value];
  });
  const counts = (lengths: Record<number, number>) => Array.from({ length: 16 }, (_, i) => lengths[i + 1] ?? 0);
  return Uint8Array.from([
    ...[0xff, 0xd8],
    ...segment(0xdb, [0x10, ...steps.flatMap(word)]),
    ...segment(0xc1, [12, ...word(rows), ...word(columns), 1, 1, 0x11, 0]),
    ...segment(0xc4, [0x00, ...counts({ 4: 15 }), ...Array(15).keys()]),
    ...segment(0xc4, [0x10, ...counts({ 2: 3 }), 0x00, 0x01, 0xf3]),
    ...segment(0xda, [1, 1, 0x00, 0, 63, 0]),
    ...bytes,
    ...[0xff, 0xd9],
  ]);
}

/** A difference of DC: 4 bits of category, then its bits. */
const dc = (value: number) => {
  const category = value === 0 ? 0 : 32 - Math.clz32(Math.abs(value));
  const bits = value < 0 ? value + (1 << category) - 1 : value;
  return category.toString(2).padStart(4, "0") + (category === 0 ? "" : bits.toString(2).padStart(category, "0"));
};
const endOfBlock = "00";

test("by hand: a block of DC alone is flat, 2048 + DC / 8; DC differs from the block before", () => {
  // 9 columns: two blocks, of which the second has one column in the picture. 80 / 8 = 10; (80 - 160) / 8 = -10.
  const { samples, frame } = decodeSequential(stream(2, 9, dc(80) + endOfBlock + dc(-160) + endOfBlock));
  expect(frame).toMatchObject({ precision: 12, rows: 2, columns: 9 });
  const row = [...Array(8).fill(2058), 2038];
  expect(Array.from(samples)).toEqual([...row, ...row]);
});

test("by hand: one AC coefficient is a cosine, its step multiplies it", () => {
  // Coefficient (v 0, u 1) = 1 · 400: 400 · C(1)/2 · C(0)/2 · cos((2x+1)π/16) = 400 / 4 · √½ · cos(…)
  const steps = Array(64).fill(1);
  steps[1] = 400;
  const { samples } = decodeSequential(stream(8, 8, `${dc(0)}011${endOfBlock}`, steps));
  const row = Array.from(
    { length: 8 },
    (_, x) => 2048 + Math.round(100 * Math.SQRT1_2 * Math.cos(((2 * x + 1) * Math.PI) / 16)),
  );
  for (let y = 0; y < 8; y++) expect(Array.from(samples.subarray(8 * y, 8 * y + 8))).toEqual(row);
});

test("values beyond 12 bits are clamped", () => {
  expect(decodeSequential(stream(1, 1, dc(16383) + endOfBlock)).samples[0]).toBe(4095);
  expect(decodeSequential(stream(1, 1, dc(-16383) + endOfBlock)).samples[0]).toBe(0);
});

test("damage is named", () => {
  // 15 zeros and a value, five times: beyond the 64th coefficient.
  expect(() => decodeSequential(stream(8, 8, `${dc(0)}${"10111".repeat(5)}`))).toThrow("more than 64 coefficients");
  expect(() => decodeSequential(stream(800, 800, dc(1) + endOfBlock))).toThrow(/ends at block \d+ of 10000/);
  const progressive = stream(8, 8, dc(0) + endOfBlock);
  progressive[progressive.indexOf(0xc1)] = 0xc2;
  expect(() => decodeSequential(progressive)).toThrow("frame SOF2 isn't sequential");
  expect(() => decodeSequential(Uint8Array.of(1, 2))).toThrow(PixelFault);
});
