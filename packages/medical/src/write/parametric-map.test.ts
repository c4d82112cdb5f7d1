import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import dcmjs from "dcmjs";
import dicomParser from "dicom-parser";
import { afterAll, expect, test } from "vitest";
import { allOf, ctScan, geometries, lesionMap, provenance } from "../../test/results.ts";
import { writeParametricMap } from "./parametric-map.ts";
import { elementHeader } from "./part10.ts";

const folder = mkdtempSync(join(tmpdir(), "camkit-pm-"));
afterAll(() => rmSync(folder, { recursive: true }));
const geometry = geometries.anisotropic!;
const scan = ctScan(geometry, "pm");

test("the last slice's values end the file", async () => {
  const path = join(folder, "map.dcm");
  await writeParametricMap(path, lesionMap(geometry), { scan, provenance });
  const bytes = readFileSync(path);
  const file = dicomParser.parseDicom(bytes);
  const { dataOffset, length } = file.elements.x7fe00008!;
  expect(dataOffset + length).toBe(bytes.length);
  expect(length).toBe(7 * 31 * 18 * 4);
  const last = new Float32Array(31 * 18);
  lesionMap(geometry).slice(6, last);
  const read = Array.from(last, (_, i) => bytes.readFloatLE(bytes.length - last.byteLength + 4 * i));
  expect(read).toEqual([...last]);
  expect(file.elements.x52009230!.items).toHaveLength(7);
});

test("it is what OHIF's reader takes: dcmjs's normalised data set, frame by frame", async () => {
  // @cornerstonejs/adapters, Cornerstone/ParametricMap: floats without pixel data beside them, one orientation for all frames,
  // each frame's source by SOP Instance UID, rows and columns of the source, the source's series by ReferencedSeriesSequence.
  type Item = { [keyword: string]: Item } & { [i: number]: Item };
  const path = join(folder, "ohif.dcm");
  await writeParametricMap(path, lesionMap(geometry), { scan, provenance });
  const bytes = readFileSync(path);
  const { dict } = dcmjs.data.DicomMessage.readFile(
    bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length),
  );
  const natural = dcmjs.data.DicomMetaDictionary.naturalizeDataset(dict);
  const multiframe = dcmjs.normalizers.Normalizer.normalizeToDataset([natural]);
  const { SharedFunctionalGroupsSequence: shared, PerFrameFunctionalGroupsSequence: frames } = multiframe as Item;
  expect([...(shared!.PlaneOrientationSequence!.ImageOrientationPatient as unknown as number[])].map(Number)).toEqual([
    1, 0, 0, 0, 1, 0,
  ]);
  expect(multiframe).toMatchObject({ Rows: 31, Columns: 18, FrameOfReferenceUID: scan.frameOfReferenceUid });
  expect(multiframe.PixelData).toBeUndefined();
  expect((natural as Item).ReferencedSeriesSequence!.SeriesInstanceUID).toBe(scan.identity.SeriesInstanceUID);
  const sources = scan.slices.map(
    (_, k) => frames![k]!.DerivationImageSequence!.SourceImageSequence!.ReferencedSOPInstanceUID,
  );
  expect(sources).toEqual(scan.slices.map(({ sopInstanceUid }) => sopInstanceUid));
  const data = (multiframe.FloatPixelData as ArrayBuffer[])[0]!;
  expect([...new Float32Array(data)]).toEqual([...allOf(lesionMap(geometry))]);
});

test("a map with NaN, out of range or on another grid is refused, and no file is left", async () => {
  const path = join(folder, "refused.dcm");
  const withValue = (value: number) => ({
    geometry,
    slice(k: number, into: Float32Array) {
      into.fill(0);
      if (k === 4) into[18 + 2] = value;
    },
  });
  const of = { scan, provenance };
  for (const value of [Number.NaN, 1.01, -0.01])
    await expect(writeParametricMap(path, withValue(value), of)).rejects.toMatchObject({
      code: "map-value",
      voxel: [4, 1, 2],
    });
  await expect(writeParametricMap(path, lesionMap(geometries.axial!), of)).rejects.toMatchObject({ code: "map-grid" });
  expect(existsSync(path)).toBe(false);
  expect(readdirSync(folder).filter((name) => name.endsWith(".part"))).toEqual([]);
});

test("an element longer than its length field is refused", () => {
  expect([...elementHeader(0x7fe0, 0x0008, "OF", 0x01020304)]).toEqual([
    0xe0, 0x7f, 0x08, 0x00, 0x4f, 0x46, 0, 0, 4, 3, 2, 1,
  ]);
  expect(() => elementHeader(0x7fe0, 0x0008, "OF", 2 ** 32)).toThrow(/4294967296 bytes/);
});
