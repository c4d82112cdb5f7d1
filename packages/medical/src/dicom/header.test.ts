import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import {
  concat,
  element,
  explicitBig,
  explicitLittle,
  file,
  implicitLittle,
  item,
  smallImage,
  text,
  undefinedLength,
  words,
} from "../../test/dicom-bytes.ts";
import { readHeader } from "./header.ts";

const folder = mkdtempSync(join(tmpdir(), "camkit-header-"));
afterAll(() => rmSync(folder, { recursive: true }));
const read = (bytes: Uint8Array) => readHeader("a.dcm", { bytes });

const explicitLittleUid = "1.2.840.10008.1.2.1";
const little = smallImage(explicitLittle);
const deflated = file("1.2.840.10008.1.2.1.99", new Uint8Array(deflateRawSync(little)));

test.each([
  ["explicit little endian", file(explicitLittleUid, little), explicitLittleUid],
  ["implicit little endian", file("1.2.840.10008.1.2", smallImage(implicitLittle)), "1.2.840.10008.1.2"],
  ["explicit big endian", file("1.2.840.10008.1.2.2", smallImage(explicitBig)), "1.2.840.10008.1.2.2"],
  ["deflated", deflated, "1.2.840.10008.1.2.1.99"],
  ["no preamble", file(explicitLittleUid, little).subarray(132), explicitLittleUid],
  ["no file meta information, explicit", little, explicitLittleUid],
  ["no file meta information, implicit", smallImage(implicitLittle), "1.2.840.10008.1.2"],
  ["no file meta information, big endian", smallImage(explicitBig), "1.2.840.10008.1.2.2"],
  ["implicit, though explicit is named", file(explicitLittleUid, smallImage(implicitLittle)), explicitLittleUid],
])("%s", (_, bytes, transferSyntaxUid) => {
  const instance = read(bytes);
  expect(instance).toMatchObject({
    transferSyntaxUid,
    sopClassUid: "1.2.840.10008.5.1.4.1.1.2",
    sopInstanceUid: "1.2.3.4",
    modality: "CT",
    pixels: {
      rows: 2,
      columns: 3,
      bitsAllocated: 16,
      bitsStored: 12,
      pixelRepresentation: 1,
      pixelPaddingValue: -2000,
    },
  });
  expect(instance.frames).toEqual([expect.objectContaining({ rescaleSlope: 2, rescaleIntercept: -1024 })]);
});

test("a header longer than the first read, with private data and pixels in fragments", () => {
  const bytes = file(
    explicitLittleUid,
    concat(
      element(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.2\0"),
      element(0x00090010, "LO", "SOMEBODY"),
      element(0x00091001, "OB", new Uint8Array(300_000)),
      // A private sequence of undefined length, with an item of undefined length, and one hidden in UN, which is implicit.
      element(
        0x00091002,
        "SQ",
        concat(item(element(0x00091003, "LO", "x "), explicitLittle, undefinedLength), itemEnd, sequenceEnd),
        explicitLittle,
        undefinedLength,
      ),
      element(
        0x00091004,
        "UN",
        concat(item(element(0x00091005, "", "y ", implicitLittle)), sequenceEnd),
        explicitLittle,
        undefinedLength,
      ),
      // 64-bit numbers have 32-bit lengths.
      element(0x00091006, "SV", new Uint8Array(8)),
      little.subarray(element(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.2\0").length),
    ),
  );
  const path = join(folder, "long");
  writeFileSync(path, bytes);
  for (const instance of [read(bytes), readHeader("long", { path })]) {
    expect(instance.pixels).toMatchObject({ rows: 2, columns: 3 });
    expect(instance.hash()).toBe(read(bytes).hash());
  }
});

const itemEnd = element(0xfffee00d, "", "");
const sequenceEnd = element(0xfffee0dd, "", "");

test("lengths that are odd, as some writers leave them", () => {
  const bytes = file(explicitLittleUid, smallImage(explicitLittle, [element(0x00081030, "LO", "odd")]));
  expect(read(bytes).identity.StudyDescription).toBe("odd");
});

test.each([
  [" -1.5e2\0", -150],
  ["+.25 ", 0.25],
  ["7.", 7],
])("the decimal string %j is %d", (string, number) => {
  const bytes = file(explicitLittleUid, smallImage(explicitLittle, [element(0x00200032, "DS", `0\\0\\${string}`)]));
  expect(read(bytes).frames[0]!.positionMm).toEqual([0, 0, number]);
});

test.each([
  ["1,5\\0\\0", /ImagePositionPatient \(0020,0032\) is "1,5", expected a number/],
  ["0\\0", /has 2 values, expected 3/],
  ["1e999\\0\\0", /beyond all numbers/],
  ["0x10\\0\\0", /expected a number/],
])("the position %j is refused", (string, message) => {
  const bytes = file(explicitLittleUid, smallImage(explicitLittle, [element(0x00200032, "DS", string)]));
  expect(() => read(bytes)).toThrow(message);
});

test("what no arithmetic rests on may be damaged", () => {
  const elements = [
    element(0x00180050, "DS", "thick"),
    element(0x00200013, "IS", "1st "),
    element(0x00281050, "DS", "40,5"),
    element(0x00281051, "DS", "400 "),
  ];
  const instance = read(file(explicitLittleUid, smallImage(explicitLittle, elements)));
  expect(instance).toMatchObject({ instanceNumber: undefined, display: { windows: [] } });
  expect(instance.frames[0]!.sliceThicknessMm).toBeUndefined();
});

test("an orientation that isn't one is refused, a rounded one made orthogonal", () => {
  const withOrientation = (value: string) =>
    read(file(explicitLittleUid, smallImage(explicitLittle, [element(0x00200037, "DS", value)]))).frames[0]!
      .orientation!;
  expect(() => withOrientation("1\\0\\0\\1\\0\\0")).toThrow("expected two orthogonal unit vectors");
  const [column, row] = withOrientation("0.999\\0.001\\0\\0\\0.998\\0");
  expect(Math.hypot(...column)).toBeCloseTo(1, 12);
  expect(column[0] * row[0] + column[1] * row[1] + column[2] * row[2]).toBeCloseTo(0, 12);
});

const image = file(explicitLittleUid, little);
test.each([
  ["an empty file", new Uint8Array(), /no DICOM file/],
  ["text", text("once upon a time, there was no preamble"), /no DICOM file/],
  [
    "a truncated header",
    image.subarray(0, 250),
    /truncated or damaged: an element at byte 249 needs 8 bytes, the file has 250/,
  ],
  [
    "a length beyond the file",
    file(
      explicitLittleUid,
      concat(
        little.subarray(0, element(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.2\0").length),
        element(0x00091001, "OB", "", explicitLittle, 1e9),
      ),
    ),
    /needs 1000000012 bytes, the file has/,
  ],
  ["deflated rubbish", file("1.2.840.10008.1.2.1.99", new Uint8Array(100).fill(0xff)), /can't be inflated/],
  [
    "a deflate bomb",
    file("1.2.840.10008.1.2.1.99", new Uint8Array(deflateRawSync(new Uint8Array(20 << 20)))),
    /header inflates to more than 16 MiB/,
  ],
  [
    "frames that can't be there",
    file(explicitLittleUid, smallImage(explicitLittle, [element(0x00280008, "IS", "2000000000")])),
    /claims 2000000000 frames in/,
  ],
])("%s is refused by name", (_, bytes, message) => {
  expect(() => read(bytes)).toThrow(
    expect.objectContaining({ code: "dicom", message: expect.stringMatching(message) }),
  );
});

test("sequences that nest without end are refused before the stack is full", () => {
  const level = concat(
    element(0x00091002, "SQ", "", explicitLittle, undefinedLength),
    item(text(""), explicitLittle, undefinedLength),
  );
  const nested = concat(...new Array<Uint8Array>(20_000).fill(level));
  expect(() => read(file(explicitLittleUid, nested))).toThrow("nest deeper than 64");
});

test("a report, which has no rows, is read no further than there", () => {
  const report = concat(
    element(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.88.33"),
    element(0x00080060, "CS", "SR"),
    element(0x0040a730, "SQ", "", explicitLittle, 1e9),
  );
  expect(read(file(explicitLittleUid, report))).toMatchObject({ modality: "SR", pixels: undefined, frames: [] });
});

/** The picture with a part of its bytes written otherwise. */
const edited = (from: Uint8Array, to: Uint8Array) =>
  read(Uint8Array.from(Buffer.from(Buffer.from(little).toString("latin1").replace(latin(from), latin(to)), "latin1")));
const latin = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");

test("a sequence under UN, implicit as the standard has it or explicit as some write it, is stepped over", () => {
  const inside = (encoding: typeof explicitLittle) =>
    concat(
      element(0x00091010, "UN", "", explicitLittle, undefinedLength),
      item(element(0x00091011, "LO", "abcd", encoding), encoding, undefinedLength),
      element(0xfffee00d, "", ""),
      element(0xfffee0dd, "", ""),
    );
  for (const encoding of [explicitLittle, implicitLittle])
    expect(read(file(explicitLittleUid, smallImage(explicitLittle, [inside(encoding)]))).pixels?.rows).toBe(2);
  const none = concat(element(0x00091010, "UN", "", explicitLittle, undefinedLength), element(0xfffee0dd, "", ""));
  expect(read(file(explicitLittleUid, smallImage(explicitLittle, [none]))).pixels?.rows).toBe(2);
});

test("no frames are one", () => {
  const frames = (count: string) =>
    read(file(explicitLittleUid, smallImage(explicitLittle, [element(0x00280008, "IS", count)])));
  expect(frames("0 ").frames).toHaveLength(1);
  expect(frames("").frames).toHaveLength(1);
  expect(() => frames("-1")).toThrow("claims -1 frames");
});

test("padding with another sign than the pixels has the same bits", () => {
  const padding = (vr: string) => element(0x00280120, vr, words([63536]));
  const sign = (representation: number) => element(0x00280103, "US", words([representation]));
  expect(edited(padding("SS"), padding("US")).pixels).toMatchObject({ pixelPaddingValue: -2000 });
  expect(edited(sign(1), sign(0)).pixels).toMatchObject({ pixelRepresentation: 0, pixelPaddingValue: 63536 });
});

test("a slope of 0, which would make all values one, is damage", () => {
  const slope = (text: string) => element(0x00281053, "DS", text);
  expect(() => edited(slope(" 2"), slope(" 0"))).toThrow("a.dcm: RescaleSlope (0028,1053) is 0");
});
