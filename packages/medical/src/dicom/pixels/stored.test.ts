import { expect, test } from "vitest";
import { greyLayout } from "../../../test/encapsulated.ts";
import { checkLayout, storedValues } from "./stored.ts";

/** By hand: PS3.5, 8.1.1. */
test.each([
  ["12 bits without sign; overlay bits above them don't count", { bitsStored: 12, highBit: 11 }, 16, [0xf123], [0x123]],
  ["12 bits with a sign", { bitsStored: 12, highBit: 11, pixelRepresentation: 1 }, 16, [0x0fff, 0xf800], [-1, -2048]],
  ["12 bits at the top", { bitsStored: 12, highBit: 15 }, 16, [0x1234], [0x123]],
  ["12 bits at the top with a sign", { bitsStored: 12, highBit: 15, pixelRepresentation: 1 }, 16, [0xfff7], [-1]],
  ["16 bits with a sign", { pixelRepresentation: 1 }, 16, [0xffff, 0x8000], [-1, -32768]],
  ["a stream of 12 bits where 16 are stored, with a sign", { pixelRepresentation: 1 }, 12, [0xfff, 0x7ff], [-1, 2047]],
  ["a stream of 12 bits isn't shifted", { bitsStored: 12, highBit: 15 }, 12, [0x123], [0x123]],
] as const)("%s", (_, layout, precision, samples, values) => {
  const stored = storedValues({ samples: Uint16Array.from(samples), precision }, greyLayout(1, samples.length, layout));
  expect(Array.from(stored)).toEqual(values);
});

test("a signed stream where the header has no sign, and the other way round", () => {
  const unsigned = greyLayout(1, 1, { bitsStored: 12, highBit: 11 });
  expect(storedValues({ samples: Int16Array.of(-1), precision: 12 }, unsigned)[0]).toBe(0xfff);
  const signed = greyLayout(1, 1, { bitsStored: 12, highBit: 11, pixelRepresentation: 1 });
  expect(storedValues({ samples: Int16Array.of(-1), precision: 12 }, signed)[0]).toBe(-1);
});

test("32 bits keep all of them", () => {
  const layout = greyLayout(1, 1, { bitsAllocated: 32, bitsStored: 32, highBit: 31 });
  expect(storedValues({ samples: Uint32Array.of(4294967295), precision: 32 }, layout)[0]).toBe(4294967295);
  expect(
    storedValues({ samples: Uint32Array.of(4294967295), precision: 32 }, { ...layout, pixelRepresentation: 1 })[0],
  ).toBe(-1);
});

test("headers that can't be are refused before anything is allocated", () => {
  expect(() => checkLayout(greyLayout(65535, 65535))).toThrow("4294836225 samples: at most 67108864 are read");
  expect(() => checkLayout(greyLayout(0, 4))).toThrow("the header says rows: 0");
  expect(() => checkLayout(greyLayout(4, 4, { bitsStored: 17, highBit: 16 }))).toThrow(
    "17 bits up to bit 16 don't fit into the 16",
  );
});
