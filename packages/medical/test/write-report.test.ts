import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { withoutPeers } from "../../../testing/peers.ts";
import { openStudy, type Scan, scanOf } from "../src/dicom/index.ts";
import { statistics } from "../src/report/statistics.ts";
import { ctImageStorage, writeCtSeries } from "../src/write/ct-series.ts";
import {
  lungMeasurements,
  writeParametricMap,
  writeReport,
  writeSecondaryCapture,
  writeSegmentation,
} from "../src/write/index.ts";
import { allOf, ctScan, geometries, lesionMap, provenance, radiograph } from "./results.ts";
import { dicomErrors, entityErrors, run } from "./validators.ts";

/** The report, and all results of one scan together, as dcmtk and dicom3tools see them. */

const folder = mkdtempSync(join(tmpdir(), "camkit-report-"));
afterAll(() => rmSync(folder, { recursive: true }));
const written = test.skipIf(withoutPeers("dciodvfy", "dcentvfy", "dsrdump", "dcmdump"));

/** Columns up to 8 are the right lung, 12 and more the left. */
const lungs = {
  slice: (_: number, into: Uint8Array) =>
    into.forEach((_, i) => {
      const column = i % 19;
      into[i] = column < 8 ? 1 : column >= 12 ? 2 : 0;
    }),
};
const predictions = [
  { label: "ground-glass", probability: 0.91, isPredicted: true },
  { label: "consolidation with air bronchograms", probability: 0.09, isPredicted: false },
];

/** Every result of one scan, in files. */
async function allResults(scan: Scan, name: string) {
  const of = { scan, provenance };
  const map = lesionMap(scan.geometry);
  const parametricMap = await writeParametricMap(join(folder, `${name}-pm.dcm`), map, of);
  const segmentation = await writeSegmentation(join(folder, `${name}-seg.dcm`), map, of, 0.5);
  const picture = () => ({ width: 2, height: 2, rgb: new Uint8Array(12) });
  const [capture] = await writeSecondaryCapture(join(folder, name), picture, of, { look: "grey", slices: [0] });
  const measurements = lungMeasurements(statistics(map, lungs, { threshold: 0.5 }), provenance.method);
  const content = { predictions, measurements, parametricMap, segmentation };
  const report = await writeReport(join(folder, `${name}-sr.dcm`), of, content);
  if (segmentation.kind !== "segmentation") throw new Error("the lesion is above 0.5");
  return { parametricMap, segmentation, capture: capture!, report, measurements, content, of };
}

written("the report: valid, and dsrdump reads predictions, segment and measurements", async () => {
  const geometry = geometries.oblique!;
  const scan = ctScan(geometry, "report", { PatientName: "Müller^Jörg" });
  const { parametricMap, segmentation, report, measurements, content, of } = await allResults(scan, "one");
  expect(dicomErrors(report.path)).toEqual([]);
  const said = run("dsrdump", "+Pl", "+Pc", report.path);
  expect(said).toMatch(/Comprehensive 3D SR Document/);
  expect(said).toMatch(/Preliminary Flag +: PRELIMINARY/);
  expect(said.match(/<contains CONTAINER:\(125007,DCM,"Measurement Group"\)/g)).toHaveLength(2 + 1 + 9);
  expect(said).toMatch(/CODE:\(121071,DCM,"Finding"\)=\(ground-glass,99CAMKIT,"ground-glass"\)/);
  expect(said).toMatch(/NUM:\(111012,DCM,"Certainty of Finding"\)="91" \(%,UCUM,"Percent"\)/);
  expect(said).toMatch(/TEXT:\(111001,DCM,"Algorithm Name"\)="camkit grad-cam of covidnet3d-s"/);
  expect(said).toContain(provenance.model.sha256);
  expect(said).toContain(segmentation.trackingUid);
  expect(said).toMatch(new RegExp(`"Volume"\\)="${String(segmentation.volumeMl).slice(0, 5)}`));
  // The map's mean in the left lung, by hand: over the columns from 12 on.
  const values = allOf(lesionMap(geometry)).filter((_, i) => i % 19 >= 12);
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const left = measurements.find(
    ({ site, derivation }) => site?.label === "left lung" && derivation?.CodeMeaning === "Mean",
  );
  expect(left!.value).toBeCloseTo(mean, 7);
  expect(said).toContain(`"Gradient-weighted class activation")="${String(mean).slice(0, 8)}`);
  // What it points to: the map once in the library and once per site, the segment twice, each source once.
  const dump = run("dcmdump", "+L", report.path);
  const times = (uid: string) => dump.split(uid).length - 1;
  expect(times(parametricMap.sopInstanceUid)).toBe(1 + 1 + 9); // once more as evidence
  expect(times(segmentation.sopInstanceUid)).toBe(1 + 1 + 1);
  expect(scan.slices.map(({ sopInstanceUid }) => times(sopInstanceUid))).toEqual(scan.slices.map(() => 2));

  const again = { ...of, provenance: { ...provenance, time: new Date(2030, 1, 1) } };
  expect(await writeReport(report.path, again, content)).toEqual(report);
  const other = { ...content, predictions: [{ ...predictions[0]!, probability: 0.9 }] };
  expect((await writeReport(join(folder, "other.dcm"), of, other)).sopInstanceUid).not.toBe(report.sopInstanceUid);
});

written("a radiograph's report, without a segment, has no lungs and no frame of reference", async () => {
  const path = join(folder, "x-ray.dcm");
  const nothing = { kind: "nothing-above-threshold", threshold: 0.5, largest: 0.2 } as const;
  const content = { predictions, measurements: [], segmentation: nothing };
  await writeReport(path, { scan: radiograph("x-ray"), provenance }, content);
  expect(dicomErrors(path)).toEqual([]);
  const said = run("dsrdump", path);
  expect(said).toMatch(/Plain radiography/);
  expect(said).not.toMatch(/Frame of Reference|Referenced Segment/);
});

written("source and results agree on patient, study and frame of reference", async () => {
  const geometry = geometries.anisotropic!;
  const data = new Int16Array(geometry.shape[0] * geometry.shape[1] * geometry.shape[2]);
  const sources = await writeCtSeries({ geometry, data }, join(folder, "ct"), { key: "set", patientId: "P1" });
  const scan = ctScan(geometry, "set");
  expect(scan.slices[0]!.sopClassUid).toBe(ctImageStorage);
  const { parametricMap, segmentation, capture, report } = await allResults(scan, "set");
  const results = [parametricMap, segmentation, capture, report];
  const uids = results.flatMap((result) => [result.sopInstanceUid, result.seriesInstanceUid]);
  expect(new Set(uids).size).toBe(uids.length);
  expect(entityErrors([...sources, ...results.map(({ path }) => path)])).toEqual([]);
});

written.each([
  {},
  { BodyPartExamined: "BREAST", Laterality: "L" },
  { BodyPartExamined: "CHEST", Laterality: "R" },
  { BodyPartExamined: "Torax", PatientSex: "MALE" },
  { PatientName: undefined, PatientID: undefined, StudyDate: undefined, Manufacturer: undefined },
])("valid, whatever the source says of itself: %j", async (identity) => {
  const scan = ctScan(geometries.axial!, "identity", { BodyPartExamined: undefined, ...identity });
  const { parametricMap, segmentation, capture, report } = await allResults(scan, "identity");
  for (const { path } of [parametricMap, segmentation, capture, report]) expect(dicomErrors(path)).toEqual([]);
});

written("a source in ISO 8859-1 gives results in UTF-8", async () => {
  const geometry = geometries.axial!;
  const data = new Int16Array(geometry.shape[0] * geometry.shape[1] * geometry.shape[2]);
  const patient = { patientId: "P1", patientName: "M#ller^J#rg" };
  const paths = await writeCtSeries({ geometry, data }, join(folder, "latin"), { key: "latin", ...patient });
  for (const path of paths) {
    const bytes = readFileSync(path);
    bytes.write("ISO_IR 100", bytes.indexOf("ISO_IR 192"), "latin1");
    bytes.write("M\u00fcller^J\u00f6rg", bytes.indexOf("M#ller"), "latin1");
    writeFileSync(path, bytes);
  }
  expect(run("dcmdump", "-q", "+P", "0008,0005", paths[0]!)).toContain("ISO_IR 100");
  const { scan } = scanOf((await openStudy(paths)).series[0]!);
  const { parametricMap, segmentation, capture, report } = await allResults(scan, "latin");
  for (const { path } of [parametricMap, segmentation, capture, report]) {
    expect(dicomErrors(path)).toEqual([]);
    expect(run("dcmdump", "+P", "0010,0010", path)).toContain("[Müller^Jörg]");
    expect(run("dcmdump", "+P", "0008,0005", path)).toContain("ISO_IR 192");
  }
});

written("a multi-frame source is referred to by its frames", async () => {
  const plain = ctScan(geometries.axial!, "frames");
  const slices = plain.slices.map((slice, k) => ({
    ...slice,
    sopClassUid: "1.2.840.10008.5.1.4.1.1.2.1",
    sopInstanceUid: plain.slices[0]!.sopInstanceUid,
    frame: k + 1,
  }));
  const { parametricMap, segmentation, report } = await allResults({ ...plain, slices }, "frames");
  for (const { path } of [parametricMap, segmentation, report]) expect(dicomErrors(path)).toEqual([]);
  const dump = run("dcmdump", "+L", parametricMap.path);
  const frames = [...dump.matchAll(/\(0008,1160\) IS \[(\d+)\]/g)].map((match) => Number(match[1]));
  expect(frames).toEqual(slices.map((_, k) => k + 1));
  expect(dump.split(slices[0]!.sopInstanceUid).length - 1).toBe(1 + slices.length); // the series names it once
});
