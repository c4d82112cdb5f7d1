import { expect, test } from "vitest";
import { concat, element, explicitLittle, file, item, smallImage, words } from "../../test/dicom-bytes.ts";
import { displayed } from "./grey.ts";
import { readHeader } from "./header.ts";

/** Twelve unsigned bits unless `elements` say otherwise. */
function instance(elements: readonly Uint8Array[], change: object = {}) {
  const { pixels, ...read } = readHeader("dx", {
    bytes: file("1.2.840.10008.1.2.1", smallImage(explicitLittle, elements)),
  });
  const plain = { ...pixels!, pixelRepresentation: 0 as const, pixelPaddingValue: undefined };
  const [frame] = read.frames;
  return {
    ...read,
    frames: [{ ...frame!, rescaleSlope: 1, rescaleIntercept: 0, ...change }],
    pixels: { ...plain, ...change },
  };
}
const window = (center: string, width: string, kind: string) => [
  element(0x00281050, "DS", center),
  element(0x00281051, "DS", width),
  element(0x00281056, "CS", kind),
];
const lookupTable = (tag: number, first: number, bits: number, entries: readonly number[]) =>
  element(
    tag,
    "SQ",
    item(
      concat(
        element(0x00283002, "US", words([entries.length, first, bits])),
        element(0x00283006, "US", words(entries)),
      ),
    ),
  );
const stored = [0, 100, 1000, 2047, 2048, 3000, 4095];

// What pydicom 3.0.2 makes of the same values (apply_modality_lut, apply_voi_lut), brought to 0..1.
test.each<[string, Uint8Array[], object, number[]]>([
  ["LINEAR", window("2048", "4096", "LINEAR"), {}, [0, 0.02442, 0.2442, 0.499878, 0.500122, 0.732601, 1]],
  ["LINEAR, narrow", window("1000", "101", "LINEAR"), {}, [0, 0, 0.505, 1, 1, 1, 1]],
  [
    "LINEAR_EXACT",
    window("2048", "4096", "LINEAR_EXACT"),
    {},
    [0, 0.024414, 0.244141, 0.499756, 0.5, 0.732422, 0.999756],
  ],
  ["SIGMOID", window("2048", "1000", "SIGMOID"), {}, [0.000277, 0.000413, 0.014891, 0.499, 0.5, 0.978289, 0.999722]],
  [
    "after a rescale",
    window("500", "1000", "LINEAR"),
    { rescaleSlope: 0.5, rescaleIntercept: -100 },
    [0, 0, 0.4004, 0.924424, 0.924925, 1, 1],
  ],
])("a window, %s", (_, elements, change, expected) => {
  displayed(instance(elements, change), stored, []).forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i]!, 5);
  });
});

test("a VOI LUT comes before a window", () => {
  const elements = [...window("0", "1", "LINEAR"), lookupTable(0x00283010, 1000, 8, [10, 60, 200, 255])];
  const expected = [0.039216, 0.039216, 0.235294, 0.784314, 1, 1];
  displayed(instance(elements), [0, 1000, 1001, 1002, 1003, 4095], []).forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i]!, 5);
  });
});

test("a modality LUT replaces the rescale, and comes before the window", () => {
  const elements = [lookupTable(0x00283000, 1000, 16, [0, 500, 1500, 4000]), ...window("1000", "2000", "LINEAR")];
  const expected = [0, 0, 0.250125, 0.750375, 1, 1];
  displayed(instance(elements, { rescaleSlope: 7 }), [0, 1000, 1001, 1002, 1003, 4095], []).forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i]!, 5);
  });
});

test("MONOCHROME1 is turned over; padding is black in either sense", () => {
  const elements = window("50.5", "101", "LINEAR");
  const values = [0, 25, 100, 9999];
  const padded = { pixelPaddingValue: 9999 };
  expect([...displayed(instance(elements, padded), values, [])]).toEqual([0, 0.25, 1, 0]);
  expect([
    ...displayed(instance(elements, { ...padded, photometricInterpretation: "MONOCHROME1" }), values, []),
  ]).toEqual([1, 0.75, 0, 0]);
});

test.each([
  ["no window", []],
  ["no usable window", window("50", "0", "LINEAR")],
])("with %s, the picture's own range is spread, without its padding", (said, elements) => {
  const notes: string[] = [];
  expect([...displayed(instance(elements, { pixelPaddingValue: 0 }), [0, 200, 300, 400], notes)]).toEqual([
    0, 0, 0.5, 1,
  ]);
  expect(notes).toEqual([`${said}: its values, 200 to 400, were spread from black to white`]);
  expect([...displayed(instance(elements), [5, 5], [])]).toEqual([0, 0]); // a constant picture is black
});

test("tables of eight bits may be packed, two entries to a word", () => {
  const packed = element(
    0x00283010,
    "SQ",
    item(
      concat(element(0x00283002, "US", words([4, 0, 8])), element(0x00283006, "OW", new Uint8Array([0, 51, 102, 255]))),
    ),
  );
  expect([...displayed(instance([packed]), [0, 1, 2, 3], [])].map((value) => Math.round(value * 255))).toEqual([
    0, 51, 102, 255,
  ]);
});
