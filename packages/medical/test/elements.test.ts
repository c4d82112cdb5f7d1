import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Element, type DataSet as Parsed, parseDicom } from "dicom-parser";
import { afterAll, describe, expect, test } from "vitest";
import type { DataSet, Wanted } from "../src/dicom/elements.ts";
import { readHead } from "../src/dicom/file-head.ts";
import { writeParametricMap } from "../src/write/parametric-map.ts";
import { writeSegmentation } from "../src/write/segmentation.ts";
import {
  concat,
  element,
  explicitBig,
  explicitLittle,
  file,
  item,
  smallImage,
  undefinedLength,
} from "./dicom-bytes.ts";
import { ctScan, geometries, lesionMap, provenance } from "./results.ts";

/** Our walk over data elements against dicom-parser's, which Cornerstone reads with. */

const root = join(process.env.CAMKIT_SHARED ?? join(import.meta.dirname, "../../../../shared"), "data/ct");
const absent = !existsSync(root);
if (absent) console.warn(`skipped: no CT files at ${root}. Set CAMKIT_SHARED.`);
const folder = mkdtempSync(join(tmpdir(), "camkit-elements-"));
afterAll(() => rmSync(folder, { recursive: true }));

const firstPixels = 0x7fe00008;
const explicitLittleUid = "1.2.840.10008.1.2.1";
const deflated = "1.2.840.10008.1.2.1.99";

/** What both say of an element: tag, VR, where its value lies and how long it is; of a sequence its items. */
type Told =
  | readonly [tag: number, vr: string | undefined, offset: number, length: number]
  | readonly [number, Told[][]];

const preamble = new Set([0x49444d43, 0x4c550004]);
/**
 * The data set's elements up to the pixels, without file meta information; nor what dicom-parser makes of the preamble of a
 * deflated file: zeros, "DICM", and the beginning of the file meta information's length.
 */
const before = ({ elements }: Parsed): [number, Element][] =>
  Object.values(elements)
    .map((parsed): [number, Element] => [Number.parseInt(parsed.tag.slice(1), 16), parsed])
    .filter(([tag]) => tag >>> 16 >= 8 && tag < firstPixels && !preamble.has(tag))
    .sort(([a], [b]) => a - b);
const isSequence = ({ vr, items }: Element) => vr === "SQ" || items !== undefined;

function theirs(parsed: Parsed): Told[] {
  return before(parsed).map(([tag, element]) =>
    isSequence(element)
      ? [tag, (element.items ?? []).map(({ dataSet }) => theirs(dataSet!))]
      : [tag, element.vr, element.dataOffset, element.length],
  );
}

/** Everything that they found, asked of ours. */
const asked = (parsed: Parsed): Wanted =>
  new Map(
    before(parsed).map(([tag, element]) => [
      tag,
      isSequence(element) ? new Map((element.items ?? []).flatMap(({ dataSet }) => [...asked(dataSet!)])) : undefined,
    ]),
  );

function ours(elements: DataSet, start: number): Told[] {
  return [...elements]
    .filter(([tag]) => tag >>> 16 !== 2)
    .sort(([a], [b]) => a - b)
    .map(([tag, { vr, bytes, items }]) =>
      vr === "SQ"
        ? [tag, items.map((content) => ours(content, start))]
        : [tag, vr, bytes.byteOffset - start, bytes.length],
    );
}

const hasPrefix = (bytes: Uint8Array) => Buffer.from(bytes.subarray(128, 132)).toString("latin1") === "DICM";

/** Checks a file; returns how many elements it has, those in sequences included. */
function expectSame(content: Uint8Array): number {
  // dicom-parser needs file meta information, and inflates only what is a Buffer.
  const bytes = Buffer.from(hasPrefix(content) ? content : file(explicitLittleUid, content));
  const parsed = parseDicom(bytes);
  const { elements, transferSyntaxUid } = readHead("file", { bytes }, asked(parsed));
  // Deflated ones lie in memory of their own, which begins with the first element.
  const [first] = theirs(parsed);
  const start =
    transferSyntaxUid === deflated
      ? elements.get(first![0])!.bytes.byteOffset - (first![2] as number)
      : bytes.byteOffset;
  const found = ours(elements, start);
  expect(found).toEqual(theirs(parsed));
  return JSON.stringify(found).split("[").length;
}

describe.skipIf(absent)("tags, VRs, offsets and lengths are dicom-parser's", () => {
  const names = ["", "transfer-syntaxes"].flatMap((place) =>
    absent
      ? []
      : readdirSync(join(root, place))
          .filter((name) => name.endsWith(".dcm"))
          .map((name) => join(place, name)),
  );
  const series = "series/covid-ct-md-P002";
  const slice = absent
    ? []
    : readdirSync(join(root, series))
        .slice(0, 1)
        .map((name) => join(series, name));
  test.each([...names, ...slice])("%s", (name) => {
    expect(expectSame(new Uint8Array(readFileSync(join(root, name))))).toBeGreaterThan(10);
  });
});

describe("and in what was written here", () => {
  const geometry = geometries.oblique!;
  test("a parametric map and a segmentation, sequences in sequences", async () => {
    const [map, scan] = [lesionMap(geometry), ctScan(geometry, "elements")];
    const pm = await writeParametricMap(join(folder, "pm.dcm"), map, { scan, provenance });
    const seg = await writeSegmentation(join(folder, "seg.dcm"), map, { scan, provenance }, 0.5);
    for (const written of [pm, seg])
      expect(expectSame(new Uint8Array(readFileSync((written as { path: string }).path)))).toBeGreaterThan(200);
  });

  test("private, unknown and nested sequences of known and of undefined length; odd lengths", () => {
    const inner = element(0x00081155, "UI", "1.2.3.4.5", explicitLittle);
    const implicit = { explicit: false, littleEndian: true };
    const end = (tag: number) => element(tag, "", "", explicitLittle);
    const nested = element(0x00081140, "SQ", item(concat(element(0x00081199, "SQ", item(inner)), inner)));
    const endless = concat(
      element(0x00082112, "SQ", "", explicitLittle, undefinedLength),
      item(inner, explicitLittle, undefinedLength),
      end(0xfffee00d),
      item(inner),
      end(0xfffee0dd),
    );
    const unknown = concat(
      element(0x00091010, "UN", "", explicitLittle, undefinedLength),
      item(element(0x00091011, "", "abcd", implicit), implicit),
      end(0xfffee0dd),
    );
    const data = smallImage(explicitLittle, [nested, endless, unknown, element(0x00100020, "LO", "odd")]);
    expect(expectSame(file(explicitLittleUid, data))).toBeGreaterThan(25);
    expect(expectSame(file("1.2.840.10008.1.2.2", smallImage(explicitBig)))).toBeGreaterThan(10);
  });

  test("not where dicom-parser goes astray: OV, SV and UV have 32-bit lengths, PS3.5, 7.1.2", () => {
    const offsets = element(0x00189998, "UV", new Uint8Array(16));
    const bytes = file(explicitLittleUid, smallImage(explicitLittle, [offsets]));
    const { elements } = readHead("file", { bytes }, new Map([[0x00189998, undefined]]));
    expect(elements.get(0x00189998)?.bytes.length).toBe(16);
    expect(elements.get(0x00280010)?.bytes.length).toBe(2); // what comes after it
    expect(() => expectSame(bytes)).toThrow();
  });
});
