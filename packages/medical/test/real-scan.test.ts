import { createHash } from "node:crypto";
import {
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { parseDicom } from "dicom-parser";
import { afterAll, describe, expect, test } from "vitest";
import { ZipFile } from "yazl";
import { closeDecoders, loadVolume } from "../src/dicom/pixels/index.ts";
import { scanOf } from "../src/dicom/scan-of.ts";
import { openStudy } from "../src/dicom/study.ts";
import { concat, element } from "./dicom-bytes.ts";

/** What pydicom with GDCM makes of the same files: scripts/golden/real_scan.py. Slices: height, sum, start of the SHA-256. */
const golden = JSON.parse(readFileSync(join(import.meta.dirname, "golden/real-scan.json"), "utf8")) as {
  readonly shape: readonly number[];
  readonly pixelSpacing: readonly number[];
  readonly origin: readonly number[];
  readonly sha256: string;
  readonly range: readonly number[];
  readonly slices: readonly (readonly [height: number, sum: number, sha256: string])[];
};
const shared = process.env.CAMKIT_SHARED ?? join(import.meta.dirname, "../../../../shared");
const series = join(shared, "data/ct/series/covid-ct-md-P002");
const absent = !existsSync(series);
if (absent) console.warn(`skipped: no real scan at ${series}. Set CAMKIT_SHARED.`);

const folder = mkdtempSync(join(tmpdir(), "camkit-real-scan-"));
afterAll(async () => {
  await closeDecoders();
  rmSync(folder, { recursive: true });
});

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** Loads it, and checks every voxel and where it lies. Returns the names of its files, in order. */
async function expectGolden(input: string): Promise<string[]> {
  const study = await openStudy([input]);
  expect(study.setAside).toEqual([]);
  expect(study.series).toHaveLength(1);
  const { scan, source } = scanOf(study.series[0]!);
  const [slices, rows, columns] = golden.shape as [number, number, number];
  expect(scan.geometry).toMatchObject({ shape: golden.shape, originMm: golden.origin });
  expect(scan.geometry.spacingMm.slice(1)).toEqual(golden.pixelSpacing);
  const { data, padding } = await loadVolume(source);
  expect(padding).toBeUndefined();
  expect(data).toBeInstanceOf(Int16Array);
  const found = Array.from({ length: slices }, (_, k) => {
    const slice = data.subarray(k * rows * columns, (k + 1) * rows * columns);
    const bytes = new Uint8Array(slice.buffer, slice.byteOffset, slice.byteLength);
    const height = scan.geometry.originMm[2] + k * scan.geometry.spacingMm[0];
    return [
      Number(height.toFixed(6)),
      (slice as Int16Array).reduce((sum, hu) => sum + hu, 0),
      sha256(bytes).slice(0, 16),
    ];
  });
  expect(found).toEqual(golden.slices);
  expect(sha256(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))).toBe(golden.sha256);
  return scan.slices.map(({ name }) => name);
}

/** The file with another instance number; its element found by another parser. */
function renumbered(bytes: Uint8Array, instanceNumber: number): Uint8Array {
  const { dataOffset, length } = parseDicom(bytes, { untilTag: "x00200013" }).elements.x00200013!;
  const text = String(instanceNumber);
  const number = element(0x00200013, "IS", text.length % 2 === 0 ? text : `${text} `);
  return concat(bytes.subarray(0, dataOffset - 8), number, bytes.subarray(dataOffset + length));
}

describe.skipIf(absent)("a real scan, voxel for voxel what pydicom with GDCM reads", () => {
  test("from its folder", async () => {
    expect(await expectGolden(series)).toHaveLength(133);
  });

  test("with its names shuffled and its instance numbers scrambled, in nested folders", async () => {
    const names = readdirSync(series).sort();
    const scrambled = join(folder, "scrambled");
    // 50 and 77 have no factor in common with 133: every name, and every number, is taken once.
    for (const [k, name] of names.entries()) {
      const place = join(scrambled, `part${k % 3}`);
      mkdirSync(place, { recursive: true });
      const bytes = renumbered(new Uint8Array(readFileSync(join(series, name))), ((k * 77) % 133) + 1);
      writeFileSync(join(place, `F${(k * 50) % 133}`), bytes);
    }
    const order = await expectGolden(scrambled);
    expect(order).not.toEqual([...order].sort());
  });

  test("from a zip archive", async () => {
    const path = join(folder, "scan.zip");
    const archive = new ZipFile();
    for (const [k, name] of readdirSync(series).sort().entries())
      archive.addFile(join(series, name), `study/${(k * 50) % 133}`, { compress: k % 2 === 0 });
    archive.end();
    await finished(archive.outputStream.pipe(createWriteStream(path)));
    await expectGolden(path);
  });
});
