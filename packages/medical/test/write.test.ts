import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { withoutPeers } from "../../../testing/peers.ts";
import { positionOf, type Vec3 } from "../src/volume/geometry.ts";
import { decimal } from "../src/write/ct-series.ts";
import { writeParametricMap } from "../src/write/parametric-map.ts";
import { writeSecondaryCapture } from "../src/write/secondary-capture.ts";
import { writeSegmentation } from "../src/write/segmentation.ts";
import {
  allOf,
  centreOf,
  ctScan,
  geometries,
  lesionCentre,
  lesionMap,
  provenance,
  radiograph,
  voxelsApart,
} from "./results.ts";
import { dicomErrors, run } from "./validators.ts";

/** Every DICOM result, as others see it: dciodvfy judges it, dcmtk reads it back. */

const folder = mkdtempSync(join(tmpdir(), "camkit-write-"));
afterAll(() => rmSync(folder, { recursive: true }));
const fresh = (name: string) => join(folder, `${name.replaceAll(" ", "-")}.dcm`);

/** Every value of a tag in dcmtk's print-out, in the order of the file. */
const valuesOf = (dump: string, tag: string): string[] =>
  [...dump.matchAll(new RegExp(`\\(${tag}\\) \\w\\w [=[]?([^\\]\\s]*)`, "g"))].map((match) => match[1]!);
const numbers = (text: string): number[] => text.split("\\").map(Number);

const written = test.skipIf(withoutPeers("dciodvfy", "dcmdump"));

written.each(Object.entries(geometries))(
  "a Parametric Map, %s: valid, and its lesion where it was",
  async (name, geometry) => {
    const path = fresh(`pm-${name}`);
    const scan = ctScan(geometry, name);
    const map = lesionMap(geometry);
    await writeParametricMap(path, map, { scan, provenance });
    expect(dicomErrors(path)).toEqual([]);

    const dump = run("dcmdump", "+L", path);
    const [slices, rows, columns] = geometry.shape;
    const values = valuesOf(dump, "7fe0,0008")[0]!.split("\\").map(Number);
    const expected = allOf(map);
    expect(values.length).toBe(slices * rows * columns);
    expect(Math.max(...values.map((value, i) => Math.abs(value - expected[i]!)))).toBeLessThan(1e-6); // dcmdump prints 9 digits

    // The lesion's centre, by the file's own positions, orientation and spacing.
    const [iop, spacing] = [numbers(valuesOf(dump, "0020,0037")[0]!), numbers(valuesOf(dump, "0028,0030")[0]!)];
    const positions = valuesOf(dump, "0020,0032").map(numbers) as unknown as Vec3[];
    expect(positions).toHaveLength(slices);
    const step = positions[1]!.map((mm, axis) => mm - positions[0]![axis]!) as unknown as Vec3;
    const between = Math.hypot(...step);
    const asRead = {
      shape: geometry.shape,
      spacingMm: [between, spacing[0]!, spacing[1]!] as Vec3,
      originMm: positions[0]!,
      directions: [
        step.map((mm) => mm / between) as unknown as Vec3,
        iop.slice(3) as unknown as Vec3,
        iop.slice(0, 3) as unknown as Vec3,
      ] as const,
    };
    expect(voxelsApart(geometry, centreOf(values, asRead), lesionCentre(geometry))).toBeLessThan(0.5);
    expect(
      positions.at(-1)!.map((mm, axis) => Math.abs(mm - positionOf(geometry, [slices - 1, 0, 0])[axis]!)),
    ).toSatisfy((apart: number[]) => Math.max(...apart) < 1e-5);

    // Each frame refers to its slice, the whole to the series and the frame of reference.
    const references = valuesOf(dump, "0008,1155");
    const sources = scan.slices.map((slice) => slice.sopInstanceUid);
    expect(references).toEqual([...sources, ...sources]);
    expect(valuesOf(dump, "0020,0052")).toEqual([scan.frameOfReferenceUid]);
    expect(valuesOf(dump, "0020,000d")).toEqual([scan.identity.StudyInstanceUID]);
    expect(valuesOf(dump, "0020,000e")[0]).toBe(scan.identity.SeriesInstanceUID); // of the reference
    expect(valuesOf(dump, "0008,0100")).toContain("130403");
  },
);

written.each(Object.entries(geometries))(
  "a Segmentation, %s: valid, and its lesion where it was",
  async (name, geometry) => {
    const path = fresh(`seg-${name}`);
    const scan = ctScan(geometry, name);
    const result = await writeSegmentation(path, lesionMap(geometry), { scan, provenance }, 0.4);
    expect(dicomErrors(path)).toEqual([]);
    const dump = run("dcmdump", "+L", path);
    const values = allOf(lesionMap(geometry));
    const [, rows, columns] = geometry.shape;
    const inSlice = (k: number) => values.subarray(k * rows * columns, (k + 1) * rows * columns).some((v) => v >= 0.4);
    const used = scan.slices.map((_, k) => k).filter(inSlice);
    expect(used.length).toBeLessThan(scan.slices.length);
    expect(valuesOf(dump, "0028,0008")).toEqual([String(used.length)]);
    // Frame by frame: the slice it refers to, and where it lies.
    expect(valuesOf(dump, "0008,1155").slice(-used.length)).toEqual(used.map((k) => scan.slices[k]!.sopInstanceUid));
    const positions = valuesOf(dump, "0020,0032").map(numbers);
    expect(positions).toEqual(used.map((k) => positionOf(geometry, [k, 0, 0]).map((mm) => Number(decimal(mm)))));
    // Its bits, unpacked here by the rule: pixel n is bit n & 7 of byte n >> 3.
    const bytes = valuesOf(dump, "7fe0,0010")[0]!
      .split("\\")
      .map((byte) => Number.parseInt(byte, 16));
    const mask = new Uint8Array(values.length);
    used.forEach((k, frame) => {
      for (let i = 0; i < rows * columns; i++) {
        const bit = frame * rows * columns + i;
        mask[k * rows * columns + i] = (bytes[bit >> 3]! >> (bit & 7)) & 1;
      }
    });
    expect([...mask]).toEqual([...values].map((value) => Number(value >= 0.4)));
    expect(voxelsApart(geometry, centreOf(mask, geometry), lesionCentre(geometry))).toBeLessThan(1);
    const voxels = mask.reduce((a, b) => a + b);
    const ml = (voxels * geometry.spacingMm[0] * geometry.spacingMm[1] * geometry.spacingMm[2]) / 1000;
    expect(result).toMatchObject({ kind: "segmentation", voxels, volumeMl: expect.closeTo(ml, 9) });
    expect(valuesOf(dump, "0062,0008")).toEqual(["AUTOMATIC"]);
  },
);

written("a Segmentation of a radiograph has no frame of reference", async () => {
  const scan = radiograph("x-ray");
  const path = fresh("seg-radiograph");
  await writeSegmentation(path, lesionMap(scan.geometry), { scan, provenance }, 0.5);
  expect(dicomErrors(path)).toEqual([]);
  const dump = run("dcmdump", "+L", path);
  expect(valuesOf(dump, "0020,0052")).toEqual([]);
  expect(valuesOf(dump, "0008,1155")).toEqual([scan.slices[0]!.sopInstanceUid, scan.slices[0]!.sopInstanceUid]);
});

test("nothing above the threshold is said, not written", async () => {
  const geometry = geometries.axial!;
  const of = { scan: ctScan(geometry, "empty"), provenance };
  const path = fresh("seg-empty");
  const half = { geometry, slice: (k: number, into: Float32Array) => void into.fill(k === 3 ? 0.25 : 0) };
  expect(await writeSegmentation(path, half, of, 0.5)).toEqual({
    kind: "nothing-above-threshold",
    threshold: 0.5,
    largest: 0.25,
  });
  expect(existsSync(path)).toBe(false);
  await expect(writeSegmentation(path, half, of, 0)).rejects.toMatchObject({ code: "threshold" });
});

written("a Parametric Map of a radiograph has a frame of reference of its own, always the same", async () => {
  const scan = radiograph("x-ray");
  const paths = [fresh("pm-radiograph-1"), fresh("pm-radiograph-2")];
  const [first, second] = await Promise.all(
    paths.map((path, i) =>
      writeParametricMap(path, lesionMap(scan.geometry), {
        scan,
        provenance: { ...provenance, method: i === 0 ? "cam" : "input-gradient" },
      }),
    ),
  );
  for (const path of paths) expect(dicomErrors(path)).toEqual([]);
  const dumps = paths.map((path) => run("dcmdump", "+L", path));
  expect(valuesOf(dumps[0]!, "0020,0052")).toEqual(valuesOf(dumps[1]!, "0020,0052"));
  expect(valuesOf(dumps[0]!, "0020,0052")[0]).toMatch(/^2\.25\./);
  expect(valuesOf(dumps[0]!, "0008,0060")).toEqual(["CR"]);
  expect(dumps.map((dump) => valuesOf(dump, "0008,0100").find((value) => value.startsWith("13040")))).toEqual([
    "130402",
    "130404",
  ]);
  // Another result has other names; the same one again has the same.
  expect(second!.sopInstanceUid).not.toBe(first!.sopInstanceUid);
  expect(second!.seriesInstanceUid).not.toBe(first!.seriesInstanceUid);
  const again = await writeParametricMap(paths[0]!, lesionMap(scan.geometry), {
    scan,
    provenance: { ...provenance, method: "cam", time: new Date(2027, 0, 1) },
  });
  expect(again).toEqual(first);
});

written.each(Object.entries(geometries))(
  "Secondary Captures, %s: valid, and in the slice's plane",
  async (name, geometry) => {
    const scan = ctScan(geometry, name);
    const [, rows, columns] = geometry.shape;
    const scale = 3;
    const [width, height] = [columns * scale + 11, rows * scale + 4];
    const draw = (k: number) => {
      const rgb = new Uint8Array(width * height * 3).fill(k);
      rgb.set([10, 20, 30]);
      return { width, height, rgb, place: { left: 5, top: 2, scale } };
    };
    const options = { look: "inferno over lung window", slices: [0, 4] };
    const files = await writeSecondaryCapture(join(folder, `sc-${name}`), draw, { scan, provenance }, options);
    expect(files).toHaveLength(2);
    expect(new Set(files.map((file) => file.seriesInstanceUid)).size).toBe(1);
    for (const file of files) expect(dicomErrors(file.path)).toEqual([]);
    const dump = run("dcmdump", "+L", files[1]!.path);
    expect(valuesOf(dump, "0028,0301")).toEqual(["YES"]);
    expect(valuesOf(dump, "0008,1155").at(-1)).toBe(scan.slices[4]!.sopInstanceUid);
    const bytes = valuesOf(dump, "7fe0,0010")[0]!
      .split("\\")
      .map((byte) => Number.parseInt(byte, 16));
    expect(bytes.slice(0, 6)).toEqual([10, 20, 30, 4, 4, 4]);
    expect(bytes.length).toBe(Math.ceil((width * height * 3) / 2) * 2);
    expect(valuesOf(dump, "0020,0020")).toEqual([name === "oblique" ? "LA\\PLH" : "L\\P"]); // see `turned` in results.ts
    // The middle of voxel (row 2, column 3) is 5 + 3.5 * 3 pixels' edges from the left: 5 + 10.5 - 0.5 = pixel 15; 2 + 7.5 - 0.5 = 9.
    const [position, iop, spacing] = ["0020,0032", "0020,0037", "0028,0030"].map((tag) =>
      numbers(valuesOf(dump, tag)[0]!),
    );
    const place = position!.map(
      (mm, axis) => mm + 15 * spacing![1]! * iop![axis]! + 9 * spacing![0]! * iop![axis + 3]!,
    );
    const expected = positionOf(geometry, [4, 2, 3]);
    expect(Math.max(...place.map((mm, axis) => Math.abs(mm - expected[axis]!)))).toBeLessThan(1e-5);
  },
);

written("a Secondary Capture of a radiograph", async () => {
  const scan = radiograph("x-ray");
  const picture = {
    width: 3,
    height: 3,
    rgb: Uint8Array.from({ length: 27 }, (_, i) => i),
    place: { left: 0, top: 0, scale: 1 },
  };
  const [file] = await writeSecondaryCapture(join(folder, "sc-x"), () => picture, { scan, provenance }, { look: "a" });
  expect(dicomErrors(file!.path)).toEqual([]);
  const dump = run("dcmdump", "+L", file!.path);
  expect(valuesOf(dump, "0020,0032")).toEqual([]);
  const wrong = { ...picture, width: 4 };
  const other = writeSecondaryCapture(join(folder, "sc-y"), () => wrong, { scan, provenance }, { look: "b" });
  await expect(other).rejects.toThrow(/picture of slice 0: 4 x 3 pixels in 27 bytes/);
});

written("names beyond ASCII are UTF-8, and what a source says illegally is left out", async () => {
  const path = fresh("pm-names");
  const scan = ctScan(geometries.axial!, "names", {
    PatientName: "Müller^Jörg=山田^太郎",
    PatientBirthDate: "1970-01-01",
    PatientAge: "56",
    PatientWeight: "72,5",
    StudyDescription: "Thörax\\native ".repeat(8),
    InstitutionName: "Universitätsklinikum",
  });
  await writeParametricMap(path, lesionMap(scan.geometry), { scan, provenance });
  expect(dicomErrors(path)).toEqual([]);
  const dump = run("dcmdump", path);
  expect(dump).toMatch(/\(0008,0005\) CS \[ISO_IR 192\]/);
  expect(dump).toMatch(/\(0010,0010\) PN \[Müller\^Jörg=山田\^太郎\]/);
  expect(dump).toMatch(/\(0010,0030\) DA \(no value available\)/);
  expect(dump).not.toMatch(/\(0010,10[13]0\)/);
  expect(dump).toMatch(/\(0008,0080\) LO \[Universitätsklinikum\]/);
});
