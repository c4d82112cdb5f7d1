import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { readHeader } from "../src/dicom/header.ts";
import type { Instance } from "../src/dicom/instance.ts";
import { scanOf } from "../src/dicom/scan-of.ts";
import { seriesOf } from "../src/dicom/series.ts";
import { openStudy } from "../src/dicom/study.ts";

/** What pydicom reads of the same files: scripts/golden/dicom_headers.py. */
const golden = JSON.parse(readFileSync(join(import.meta.dirname, "golden/dicom-headers.json"), "utf8"));
const shared = join(process.env.CAMKIT_SHARED ?? join(import.meta.dirname, "../../../../shared"), "data/ct");
const absent = !existsSync(shared);
if (absent) console.warn(`skipped: no CT files at ${shared}. Set CAMKIT_SHARED.`);

const frame = ({ positionMm, pixelSpacingMm, rescaleSlope, rescaleIntercept }: Instance["frames"][number]) => ({
  position: positionMm ?? null,
  spacing: pixelSpacingMm ?? null,
  slope: rescaleSlope,
  intercept: rescaleIntercept,
});

describe.skipIf(absent)("headers of other programs' files", () => {
  test.each<{ file: string }>(golden.files)("$file reads as pydicom reads it", (expected) => {
    const path = join(shared, expected.file);
    const bytes = new Uint8Array(readFileSync(path));
    for (const store of [{ path }, { bytes }]) {
      const { identity, pixels, frames, ...read } = readHeader(expected.file, store);
      const layout = pixels!;
      expect({
        file: read.name,
        transferSyntax: read.transferSyntaxUid,
        sopClass: read.sopClassUid,
        sopInstance: read.sopInstanceUid,
        study: identity.StudyInstanceUID,
        series: identity.SeriesInstanceUID,
        patientName: identity.PatientName ?? "",
        patientId: identity.PatientID ?? "",
        manufacturer: identity.Manufacturer ?? "",
        seriesDescription: identity.SeriesDescription ?? "",
        imageType: read.imageType,
        layout: [
          layout.numberOfFrames,
          layout.rows,
          layout.columns,
          layout.samplesPerPixel,
          layout.bitsAllocated,
          layout.bitsStored,
          layout.highBit,
          layout.pixelRepresentation,
        ],
        photometric: layout.photometricInterpretation,
        padding: layout.pixelPaddingValue ?? null,
        first: frame(frames[0]!),
        last: frame(frames.at(-1)!),
      }).toEqual(expected);
    }
  });

  test("an enhanced CT of another maker is a scan of its frames", () => {
    const path = join(shared, "transfer-syntaxes/eCT_Supplemental.dcm");
    const { scan } = scanOf(seriesOf([readHeader("eCT", { path })]).series[0]!);
    // Columns run to the right, so that the normal points to the feet: z falls.
    expect(scan.geometry).toEqual({
      shape: [2, 512, 512],
      spacingMm: [10, 0.388672, 0.388672],
      originMm: [99.5, -301.5, -149],
      directions: [
        [0, 0, -1],
        [0, 1, 0],
        [-1, 0, 0],
      ],
    });
    expect(scan.slices.map((slice) => slice.frame)).toEqual([2, 1]);
  });
});

const series = join(shared, "series/covid-ct-md-P002");
const folder = mkdtempSync(join(tmpdir(), "camkit-real-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe.skipIf(absent)("a real scan", () => {
  test("is the same scan with its names shuffled and its instance numbers scrambled", async () => {
    const heights: number[] = golden.heights;
    const names = readdirSync(series).sort();
    // 50 and 133 have no factor in common: every name is taken once.
    for (const [k, name] of names.entries()) copyFileSync(join(series, name), join(folder, `${(k * 50) % 133}.dcm`));
    const expected = scanOf((await openStudy([series])).series[0]!).scan;
    const shuffled = (await openStudy([folder])).series;
    const scrambled = shuffled[0]!.slices.map(({ instance }, k) => ({ ...instance, instanceNumber: (k * 77) % 133 }));
    const found = scanOf(seriesOf(scrambled).series[0]!).scan;

    expect(expected.geometry.shape).toEqual([133, 512, 512]);
    expect(expected.geometry.spacingMm).toEqual([2, 0.603515625, 0.603515625]);
    expect(expected.slices.map(({ name }) => heights[names.indexOf(name.slice(series.length + 1))])).toEqual(
      heights.toSorted((a, b) => a - b),
    );
    expect(found.geometry).toEqual(expected.geometry);
    expect(found.identity).toEqual(expected.identity);
    expect(found.slices.map(({ sopInstanceUid }) => sopInstanceUid)).toEqual(
      expected.slices.map(({ sopInstanceUid }) => sopInstanceUid),
    );
    expect(found.remapped).toEqual(expected.remapped);
    expect(found.remapped).toHaveLength(136); // study, series, frame of reference, and every instance
  });
});
