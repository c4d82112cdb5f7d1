import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  affine,
  drawThorax,
  type Geometry,
  leaning,
  positionOf,
  readNifti,
  thoraxGeometry,
  type Vec3,
  writeCtSeries,
} from "@camkit/medical";
import { expect, test } from "vitest";
import { centreOf, voxelsApart } from "../../../packages/medical/test/results.ts";
import { dicomErrors, entityErrors, run } from "../../../packages/medical/test/validators.ts";
import { withoutPeers } from "../../../testing/peers.ts";
import { writeBrightness } from "./ct-network.ts";
import { camkit, workspace } from "./support.ts";

/** One run's outputs beside each other and beside the phantom, by dcmtk, dicom3tools and nifti_tool. */

const at = workspace();

const geometries: Readonly<Record<string, Geometry>> = {
  anisotropic: thoraxGeometry(7, { size: 72, slices: 30 }),
  oblique: leaning(thoraxGeometry(7, { size: 72, slices: 30 }), 0, Math.tan((12 * Math.PI) / 180)),
};

const read = test.skipIf(withoutPeers("dciodvfy", "dcentvfy", "dcmdump", "nifti_tool"));

/** Every value of a tag in dcmtk's print-out, in the order of the file. */
const valuesOf = (dump: string, tag: string): string[] =>
  [...dump.matchAll(new RegExp(`\\(${tag}\\) \\w\\w [=[]?([^\\]\\s]*)`, "g"))].map((match) => match[1]!);
const numbers = (text: string): number[] => text.split("\\").map(Number);

/** Centre of mass in LPS mm of a multi-frame object, by its own positions, orientation and spacing; `value` of frame and pixel. */
function centreIn(dump: string, value: (frame: number, pixel: number) => number): Vec3 {
  const [rows, columns] = ["0028,0010", "0028,0011"].map((tag) => Number(valuesOf(dump, tag)[0]));
  const [right, down] = [0, 3].map((from) => numbers(valuesOf(dump, "0020,0037")[0]!).slice(from, from + 3));
  const [betweenRows, betweenColumns] = numbers(valuesOf(dump, "0028,0030")[0]!);
  const sum = [0, 0, 0];
  let mass = 0;
  for (const [frame, position] of valuesOf(dump, "0020,0032").map(numbers).entries())
    for (let i = 0; i < rows! * columns!; i++) {
      const weight = value(frame, i);
      if (weight === 0) continue;
      const [r, c] = [Math.floor(i / columns!) * betweenRows!, (i % columns!) * betweenColumns!];
      for (let axis = 0; axis < 3; axis++)
        sum[axis]! += weight * (position[axis]! + r * down![axis]! + c * right![axis]!);
      mass += weight;
    }
  return sum.map((mm) => mm / mass) as unknown as Vec3;
}

read.each(Object.entries(geometries))("%s: the lesion is in one place in every output", async (name, geometry) => {
  // The lesion filled with something brighter than bone, on which alone the network's one feature lights up.
  const { volume, lesionMask } = drawThorax(7, { geometry, label: "consolidation" });
  const first = lesionMask.find((number) => number > 0)!;
  const data = Int16Array.from(volume.data, (hu, i) => (lesionMask[i] === first ? 2000 : Math.min(hu, 900)));
  await writeCtSeries({ geometry, data }, at(name, "series"), { key: name, patientId: "P" });
  const truth = centreOf(
    lesionMask.map((number) => Number(number === first)),
    geometry,
  );
  const model = writeBrightness(at(), name, [24, 60, 60], "ones"); // another grid than the scan's
  const argv = ["ct", at(name, "series"), "--model", model, "--metrics", "none", "--out", at(name, "out"), "--json"];
  const document = (await camkit(argv)).json();
  expect(document.error).toBeUndefined();
  const apart = (centre: Vec3) => voxelsApart(geometry, centre, truth);
  const out = (file: string) => at(name, "out", file);

  // result.json
  expect(apart(document.map.peak.positionMm)).toBeLessThan(4); // somewhere in the lesion: it is flat
  // The Parametric Map's floats, as dcmtk prints them.
  const pm = run("dcmdump", "+L", out("map.pm.dcm"));
  const floats = numbers(valuesOf(pm, "7fe0,0008")[0]!);
  const [, rows, columns] = geometry.shape;
  expect(floats).toHaveLength(geometry.shape[0] * rows * columns);
  expect(apart(centreIn(pm, (frame, i) => floats[frame * rows * columns + i]!))).toBeLessThan(1);
  // The Segmentation's bits: pixel n is bit n & 7 of byte n >> 3.
  const seg = run("dcmdump", "+L", out("map.seg.dcm"));
  const bytes = valuesOf(seg, "7fe0,0010")[0]!
    .split("\\")
    .map((byte) => Number.parseInt(byte, 16));
  const bit = (n: number) => (bytes[n >> 3]! >> (n & 7)) & 1;
  expect(apart(centreIn(seg, (frame, i) => bit(frame * rows * columns + i)))).toBeLessThan(1);
  // NIfTI: nifti_tool's sform is the scan's, in RAS.
  const shown = run("nifti_tool", "-disp_hdr", "-infiles", out("map.nii.gz"));
  const sform = ["srow_x", "srow_y", "srow_z"].map((field) =>
    new RegExp(`${field} .*?4 +(.*)`).exec(shown)![1]!.trim().split(/\s+/).map(Number),
  );
  const expected = affine(geometry, "ras").slice(0, 3);
  expect(sform.flat()).toEqual(expected.flat().map((value) => expect.closeTo(value, 2)));
  const nifti = await readNifti(out("map.nii.gz"));
  expect(apart(centreOf(nifti.data, nifti.geometry))).toBeLessThan(1);
  expect(apart(positionOf(geometry, [0, 0, 0]))).toBeGreaterThan(10); // the measure can tell

  // The standard's rules, and that results belong to their scan.
  const files = readdirSync(at(name, "out"), { recursive: true, encoding: "utf8" }).filter((file) =>
    /\.dcm$/.test(file),
  );
  expect(files).toHaveLength(3 + geometry.shape[0]);
  const some = files.filter((file) => !/SC00[0-2][1-9]/.test(file)).map(out);
  for (const file of some) expect([file, dicomErrors(file)]).toEqual([file, []]);
  const source = readdirSync(at(name, "series")).map((file) => join(at(name, "series"), file));
  expect(entityErrors([...source, ...files.map(out)])).toEqual([]);
  expect(JSON.parse(readFileSync(out("result.json"), "utf8")).dicom).toHaveLength(files.length);
});
