import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  affine,
  ctImage,
  type Geometry,
  part10,
  positionOf,
  readNifti,
  type Thorax,
  thoraxGeometry,
  writeCtSeries,
  writePhantom,
} from "@camkit/medical";
import { beforeAll, expect, test } from "vitest";
import { writeNetwork } from "./ct-network.ts";
import { camkit, workspace } from "./support.ts";

const at = workspace();
const size = [8, 32, 32] as const;
let thorax: Thorax;
let files: readonly string[];

beforeAll(async () => {
  const seed = 3_000_002; // consolidations
  const geometry = thoraxGeometry(seed, { size: 96, slices: 28 });
  ({ thorax, files } = await writePhantom(seed, at("phantom"), { geometry }));
  writeNetwork(at(), "net", [1, ...size], ["normal", "ground-glass", "consolidation"], {
    extensions: { medical: { preprocess: { kind: "lung-ct", size } } },
  });
});

const digest = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");

test("a series becomes a map on its own grid, and every output says the same of it", async () => {
  const run = await camkit(["ct", at("phantom/series"), "--model", at("net.onnx"), "--out", at("out"), "--json"]);
  expect(run.stderr).toBe("");
  const document = run.json();
  expect([run.code, document.error]).toEqual([0, undefined]);
  expect(document.scan.geometry.shape).toEqual([28, 96, 96]);
  expect(document.ranOn).toMatchObject({ requested: "auto", device: document.provider });
  expect(document.ranOn.nodes[document.provider]).toBeGreaterThan(20);
  expect(document.predictions).toHaveLength(3);
  expect(document.predictions.reduce((sum: number, p: { probability: number }) => sum + p.probability, 0)).toBeCloseTo(
    1,
  );
  expect(document.files.map(({ name }: { name: string }) => name)).toEqual([
    "map.pm.dcm",
    "map.seg.dcm",
    "pictures",
    "report.sr.dcm",
    "map.nii.gz",
    "map.nrrd",
    "contact-sheet.png",
    "report.html",
    "result.json",
  ]);
  // The NIfTI map, read back, has its maximum where result.json says, and the series' own place.
  const map = await readNifti(at("out/map.nii.gz"));
  const { geometry } = thorax.volume;
  expect(affine(map.geometry).flat()).toEqual(
    affine(geometry)
      .flat()
      .map((value) => expect.closeTo(value, 3)),
  );
  const values = map.data as Float32Array;
  const highest = values.reduce((best, value, i) => (value > values[best]! ? i : best), 0);
  const [k, r, c] = document.map.peak.index;
  expect(highest).toBe((k * 96 + r) * 96 + c);
  expect(document.map.peak.positionMm).toEqual(positionOf(geometry, [k, r, c]).map((mm) => expect.closeTo(mm, 3)));
  expect(values[highest]).toBeCloseTo(document.map.peak.value, 6);
  expect(document.faithfulness.deletion.scores[0]).toBeCloseTo(document.explained.probability, 5);
  expect(document.faithfulness.insertion.scores.at(-1)).toBeCloseTo(document.explained.probability, 5);
  // One instance per slice was written, and all of them are named.
  expect(readdirSync(at("out/pictures"))).toHaveLength(28);
  expect(document.dicom).toHaveLength(1 + 1 + 28 + 1);
  expect(document.dicom[2].file).toBe("pictures/SC0001.dcm");
  expect(document.seenSlices.every((k: number) => Number.isInteger(k) && k >= 0 && k < 28)).toBe(true);
  const described = readFileSync(join(import.meta.dirname, "../../../docs/results.md"), "utf8");
  for (const key of Object.keys(JSON.parse(readFileSync(at("out/result.json"), "utf8"))))
    expect(described, key).toContain(`| \`${key}\``);
  expect(readFileSync(at("out/report.html"), "utf8")).toContain("Research use only");
  expect(JSON.parse(readFileSync(at("out/result.json"), "utf8")).map).toEqual(document.map);
});

test("names and instance numbers don't matter: the same map, to the byte, from a shuffled series", async () => {
  const { volume } = thorax;
  mkdirSync(at("shuffled"));
  for (const [i, path] of files.entries())
    writeFileSync(at("shuffled", `${createHash("md5").update(String(i)).digest("hex")}`), readFileSync(path));
  await writeCtSeries(volume, at("scrambled"), {
    key: "other numbers",
    patientId: "P",
    edit: (dataset, k) => ({ ...dataset, InstanceNumber: String((k * 37) % 28) }),
  });
  const options = ["--model", at("net.onnx"), "--outputs", "nrrd,nifti", "--metrics", "none", "--json"];
  for (const folder of ["shuffled", "scrambled"]) {
    const run = await camkit(["ct", at(folder), "--out", at(`out-${folder}`), ...options]);
    expect(run.code).toBe(0);
    const map = await readNifti(at(`out-${folder}/map.nii.gz`));
    expect(map.data).toEqual((await readNifti(at("out/map.nii.gz"))).data);
  }
});

test("twice the same: DICOM results have the same names, so a second store stores nothing twice", async () => {
  const options = ["--model", at("net.onnx"), "--outputs", "seg,sr", "--metrics", "none", "--json"];
  const first = (await camkit(["ct", at("phantom/series"), "--out", at("a"), ...options])).json();
  const second = (await camkit(["ct", at("phantom/series"), "--out", at("b"), ...options])).json();
  expect(second.dicom).toEqual(first.dicom);
  const other = await camkit(["ct", at("phantom/series"), "--out", at("c"), ...options, "--target", "normal"]);
  expect(other.json().dicom[0].sopInstanceUid).not.toBe(first.dicom[0].sopInstanceUid);
});

test("a gap is refused with its numbers, and resampled when that is asked for", async () => {
  await writeCtSeries(thorax.volume, at("gap"), {
    key: "gap",
    patientId: "P",
    edit: (dataset, k) => (k === 11 || k === 12 ? undefined : dataset),
  });
  const options = ["--model", at("net.onnx"), "--outputs", "seg", "--metrics", "none", "--json"];
  const refused = await camkit(["ct", at("gap"), "--out", at("out-gap"), ...options]);
  expect(refused.code).toBe(1);
  expect(refused.json().error).toMatchObject({
    code: "irregular-series",
    message: expect.stringMatching(/IM0011.*IM0014/),
  });
  expect(existsSync(at("out-gap"))).toBe(false);
  const allowed = (await camkit(["ct", at("gap"), "--out", at("out-gap"), ...options, "--allow-irregular"])).json();
  expect(allowed.scan.geometry.shape).toEqual([28, 96, 96]);
  expect(allowed.scan.notes.join()).toContain("resampled");
});

test("results of a series without legal UIDs are stored only with --remap-uids", async () => {
  await writeCtSeries(thorax.volume, at("illegal"), {
    key: "illegal",
    patientId: "P",
    edit: (dataset) => ({ ...dataset, SeriesInstanceUID: "09bc8aea-ff9c-4106-8514-294cbcf9a082" }),
  });
  const options = ["--model", at("net.onnx"), "--outputs", "seg", "--metrics", "none", "--json"];
  const run = await camkit([
    "ct",
    at("illegal"),
    "--out",
    at("out-illegal"),
    ...options,
    "--dimse",
    "PACS@127.0.0.1:1",
  ]);
  expect(run.code).toBe(1);
  expect(run.json().error.message).toContain("SeriesInstanceUID");
  expect(run.json().error.hint).toContain("--remap-uids");
  const kept = (await camkit(["ct", at("illegal"), "--out", at("out-illegal"), ...options])).json();
  expect(kept.scan.remappedUids).toEqual([
    { keyword: "SeriesInstanceUID", old: "09bc8aea-ff9c-4106-8514-294cbcf9a082", uid: kept.scan.seriesInstanceUid },
  ]);
});

test("a NIfTI scan gives the same map, and no DICOM objects", async () => {
  const volume = thorax.volume;
  const { writeNifti } = await import("@camkit/medical");
  await writeNifti(at("scan.nii.gz"), volume);
  const run = await camkit([
    "ct",
    at("scan.nii.gz"),
    "--model",
    at("net.onnx"),
    "--out",
    at("out-nifti"),
    "--metrics",
    "none",
    "--json",
  ]);
  expect(run.code).toBe(0);
  expect(run.json().dicom).toEqual([]);
  expect((await readNifti(at("out-nifti/map.nii.gz"))).data).toEqual((await readNifti(at("out/map.nii.gz"))).data);
});

test("a radiograph goes through a 2-D classifier by its manifest alone", async () => {
  writeNetwork(
    at(),
    "xray",
    [1, 32, 32],
    ["Effusion", "Pneumonia", "Nodule"],
    {
      inputs: {
        image: {
          layout: "NCHW",
          size: [32, 32],
          channelOrder: "grey",
          range: [-1024, 1024],
          resize: { kernel: "bilinear", antialias: true, fit: "short-side" },
        },
      },
      output: { kind: "logits", activation: "sigmoid" },
    },
    0.003,
  );
  const geometry: Geometry = { ...thorax.volume.geometry, shape: [1, 60, 40] };
  const data = Int16Array.from({ length: 2400 }, (_, i) => (i % 40) * 20 + Math.floor(i / 40) * 5);
  mkdirSync(at("dx"));
  writeFileSync(
    at("dx/chest"),
    part10({
      ...ctImage({ geometry, data }, 0, { key: "dx", patientId: "P" }),
      SOPClassUID: "1.2.840.10008.5.1.4.1.1.1.1",
      Modality: "DX",
      ImagePositionPatient: undefined,
      ImageOrientationPatient: undefined,
      FrameOfReferenceUID: undefined,
      PhotometricInterpretation: "MONOCHROME1",
      WindowCenter: "500",
      WindowWidth: "1000",
    }),
  );
  const run = await camkit([
    "ct",
    at("dx"),
    "--select",
    at("dx.json"),
    "--model",
    at("xray.onnx"),
    "--out",
    at("out-dx"),
    "--json",
  ]);
  expect(run.json().error.code).toBe("file");
  writeFileSync(at("dx.json"), JSON.stringify({ selections: [{ conditions: { Modality: "DX" } }] }));
  const done = await camkit([
    "ct",
    at("dx"),
    "--select",
    at("dx.json"),
    "--model",
    at("xray.onnx"),
    "--out",
    at("out-dx"),
    "--json",
  ]);
  expect(done.stdout).not.toContain('"error"');
  const document = done.json();
  expect(document.scan.frameOfReferenceUid).toBeNull();
  expect(
    document.predictions.every(({ probability }: { probability: number }) => probability > 0 && probability < 1),
  ).toBe(true);
  expect(document.preprocessing).toContain("-1024 to 1024");
  expect(document.files.map(({ name }: { name: string }) => name)).toContain("map.pm.dcm");
});

test("what can't be is said before anything is read", async () => {
  const errors = async (...argv: string[]) =>
    (await camkit(["ct", at("phantom/series"), "--model", at("net.onnx"), ...argv, "--json"])).json().error;
  expect((await errors("--outputs", "pm,gif")).message).toBe('unknown output "gif"');
  expect((await errors("--threshold", "0")).message).toContain("--threshold");
  expect((await errors("--target", "tuberculosis")).code).toBe("unknown-name");
  expect((await errors("--store")).hint ?? (await errors("--store")).message).toContain("--dicomweb");
  expect((await errors("--series", "1.2.3")).hint).toContain("Phantom");
  const none = await camkit(["ct", "--model", at("net.onnx")]);
  expect([none.code, none.stderr]).toEqual([2, expect.stringContaining("nothing to read")]);
});

test("ct series lists what is there and why something isn't", async () => {
  mkdirSync(at("mixed"));
  for (const path of files) writeFileSync(join(at("mixed"), path.split("/").at(-1)!), readFileSync(path));
  writeFileSync(at("mixed/readme.txt"), "hello");
  const document = (await camkit(["ct", "series", at("mixed"), "--json"])).json();
  expect(document.series).toEqual([expect.objectContaining({ modality: "CT", slices: 28, chosen: true })]);
  expect(document.setAside).toEqual([expect.objectContaining({ name: expect.stringContaining("readme.txt") })]);
  const text = (await camkit(["ct", "series", at("mixed")])).stdout;
  expect(text).toContain("28 x 96 x 96 voxels");
});

test("ct phantom draws the same series again, to the byte", async () => {
  const argv = ["ct", "phantom", "5", "--size", "64", "--slices", "12", "--class", "ground-glass", "--json"];
  const first = (await camkit([...argv, "--out", at("five")])).json();
  expect(first.phantoms).toEqual([expect.objectContaining({ seed: 5, label: "ground-glass", slices: 12 })]);
  await camkit([...argv, "--out", at("again")]);
  const names = readdirSync(at("five/series"));
  expect(names).toHaveLength(12);
  expect(names.map((name) => digest(at("again/series", name)))).toEqual(
    names.map((name) => digest(at("five/series", name))),
  );
  const lean = (await camkit(["ct", "phantom", "5", "--lean", "60", "--out", at("no"), "--json"])).json();
  expect(lean.error.message).toContain("45");
});
