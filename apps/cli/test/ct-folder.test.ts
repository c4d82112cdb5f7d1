import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type Thorax, thoraxGeometry, writeNifti, writePhantom } from "@camkit/medical";
import { beforeAll, expect, test } from "vitest";
import { writeBrightness, writeNetwork } from "./ct-network.ts";
import { abortAfter, camkit, scenesModel, workspace } from "./support.ts";

/** What a run leaves in a folder, alone, after another one, cut short, and for many scans. */

const at = workspace();
const labels = ["normal", "ground-glass", "consolidation"];
let long: Thorax;
let net: string;

beforeAll(async () => {
  const phantom = (seed: number, slices: number) =>
    writePhantom(seed, at(`in/${seed}`), { geometry: thoraxGeometry(seed, { size: 64, slices }) });
  long = (await phantom(3_000_002, 20)).thorax;
  await phantom(3_000_003, 14);
  net = writeNetwork(at(), "net", [1, 8, 32, 32], labels, {
    extensions: { medical: { preprocess: { kind: "lung-ct", size: [8, 32, 32] } } },
  });
});

const result = (folder: string) => JSON.parse(readFileSync(at(folder, "result.json"), "utf8"));
const explain = (seed: number, out: string, ...more: string[]) =>
  camkit(["ct", at(`in/${seed}`), "--model", net, "--metrics", "none", "--out", at(out), "--json", ...more]);

test("a folder holds one run: what an earlier one left goes, what is another's stays", async () => {
  expect((await explain(3_000_002, "one", "--outputs", "pm,sc,report")).code).toBe(0);
  expect(readdirSync(at("one/pictures"))).toHaveLength(20);
  writeFileSync(at("one/notes.txt"), "mine");
  writeFileSync(at("one/map.nrrd"), "not of a run that result.json knows");
  await explain(3_000_003, "one", "--outputs", "sc");
  expect(readdirSync(at("one/pictures"))).toHaveLength(14);
  expect(readdirSync(at("one")).sort()).toEqual(["map.nrrd", "notes.txt", "pictures", "result.json"]);
  expect(result("one")).toMatchObject({ state: "finished", files: [{ name: "pictures" }, { name: "result.json" }] });
  writeFileSync(at("one/pictures/mine.png"), "");
  await explain(3_000_003, "one", "--outputs", "seg");
  expect(readdirSync(at("one/pictures"))).toEqual(["mine.png"]);
});

test("a run that is cut short while it writes says so, and the next one takes away what it left", async () => {
  let looks = 1;
  for (; ; looks += 3) {
    const argv = ["ct", at("in/3000002"), "--model", net, "--metrics", "none", "--outputs", "sc", "--out", at("cut")];
    const { code } = await camkit(argv, abortAfter(looks));
    if (code === 0) throw new Error("never cut short while writing");
    expect(code).toBe(130);
    if (existsSync(at("cut/pictures"))) break;
  }
  expect(result("cut").state).toBe("unfinished");
  expect(readdirSync(at("cut/pictures")).every((name) => /^SC\d{4}\.dcm$/.test(name))).toBe(true);
  await explain(3_000_003, "cut", "--outputs", "nifti");
  expect(readdirSync(at("cut")).sort()).toEqual(["map.nii.gz", "result.json"]);
});

test("what fails before anything is written leaves an earlier result as it was", async () => {
  await explain(3_000_002, "kept", "--outputs", "nifti");
  const before = result("kept");
  expect((await explain(3_000_002, "kept", "--outputs", "nifti", "--target", "mumps")).code).toBe(2);
  expect(result("kept")).toEqual(before);
});

test("an empty map is told of, and everything that can be written is", async () => {
  const model = writeBrightness(at(), "blind", [8, 32, 32], "zeros");
  const run = await camkit(["ct", at("in/3000002"), "--model", model, "--out", at("empty")]);
  expect(run.stderr).toContain("warning: the map is 0 everywhere");
  expect(run.stdout).toContain("map of dark: 0 everywhere");
  expect(run.stdout).not.toContain("NaN");
  const { map, notes, files, faithfulness } = result("empty");
  expect(map).toMatchObject({ peak: null, energyInLungs: null });
  expect(notes).toEqual(
    expect.arrayContaining([expect.stringContaining("0 everywhere"), expect.stringContaining("no segmentation")]),
  );
  expect(faithfulness).toBeUndefined();
  expect(files.map(({ name }: { name: string }) => name)).toContain("report.html");
  expect(existsSync(at("empty/map.seg.dcm"))).toBe(false);
  expect(readFileSync(at("empty/report.html"), "utf8")).toContain("The map is 0 everywhere");
});

test("--all: each scan has a folder and a row, whatever becomes of the others", async () => {
  mkdirSync(at("in/broken"));
  const names = readdirSync(at("in/3000003/series"));
  for (const name of names.filter((_, k) => k !== 5 && k !== 6)) {
    const bytes = readFileSync(at("in/3000003/series", name));
    // Another series: the last digit of every UID of its own.
    const text = Buffer.from(bytes).toString("latin1").replaceAll(seriesUid(bytes), otherUid(bytes));
    writeFileSync(at("in/broken", name), Buffer.from(text, "latin1"));
  }
  await writeNifti(at("scan.nii.gz"), long.volume);
  const argv = ["ct", at("in"), at("scan.nii.gz"), "--all", "--model", net, "--metrics", "none", "--outputs", "nifti"];
  const run = await camkit([...argv, "--out", at("all"), "--json"]);
  const { scans, failed } = run.json();
  expect([run.code, failed]).toEqual([1, 1]);
  const folders = scans.map(({ folder }: { folder: string }) => folder);
  expect(folders).toEqual(expect.arrayContaining(["phantom-3000002-phantom-3000002-1", "scan"]));
  expect(folders).toHaveLength(4);
  const lines = readFileSync(at("all/summary.csv"), "utf8").trimEnd().split("\r\n");
  expect(lines).toHaveLength(5);
  expect(lines[0]).toContain("probability normal,probability ground-glass,probability consolidation");
  expect(lines.filter((line) => line.includes("irregular-series: "))).toHaveLength(1);
  for (const { folder, probabilities, peakIndex, error } of scans) {
    if (error !== "") continue;
    const own = result(`all/${folder}`);
    expect(peakIndex).toEqual(own.map.peak.index);
    const byClass = [...own.predictions].sort((a, b) => a.class - b.class);
    expect(probabilities).toEqual(byClass.map(({ probability }) => probability));
  }

  // Going on: what is finished stays as it is, what isn't is done again, so is everything when another thing is asked.
  const time = (folder: string) => result(`all/${folder}`).time;
  const done: string[] = scans.filter(({ error }: { error: string }) => error === "").map((row: Row) => row.folder);
  const before = done.map(time);
  rmSync(at("all", done[0]!, "map.nii.gz"));
  writeFileSync(at("all", done[1]!, "result.json"), "null");
  const again = await camkit([...argv, "--out", at("all"), "--json", "--resume"]);
  expect([again.code, again.json().kept]).toEqual([1, 1]);
  expect(again.json().scans).toEqual(scans);
  expect(done.map(time).map((now, i) => now === before[i])).toEqual([false, false, true]);
  expect(existsSync(at("all", done[0]!, "map.nii.gz"))).toBe(true);
  const other = await camkit([...argv, "--target", "normal", "--out", at("all"), "--json", "--resume"]);
  expect(other.json().kept).toBe(0);
  expect((await camkit(["ct", at("in/3000002"), "--model", net, "--resume"])).code).toBe(2);

  const nobody = await camkit([...argv.slice(0, 1), at("scan.nii.gz"), at("scan.nii.gz"), "--model", net]);
  expect(nobody.stderr).toContain("--all");
});

type Row = { readonly folder: string };
const uidIn = (bytes: Buffer) => {
  const from = bytes.indexOf(Buffer.from([0x20, 0x00, 0x0e, 0x00, 0x55, 0x49]));
  return bytes.subarray(from + 8, from + 8 + bytes.readUInt16LE(from + 6)).toString("latin1");
};
const seriesUid = (bytes: Buffer) => uidIn(bytes).replace("\0", "");
const otherUid = (bytes: Buffer) => seriesUid(bytes).replace(/\d$/, (digit) => String((Number(digit) + 1) % 10));

test("a folder named twice is read once, also when it lies in another that is named", async () => {
  const argv = ["--model", net, "--metrics", "none", "--outputs", "nifti", "--out", at("twice")];
  const run = await camkit(["ct", at("in/3000002/series"), at("in/3000002"), at("in/3000002/"), ...argv, "--json"]);
  expect(run.json().scan.geometry.shape).toEqual([20, 64, 64]);
});

test("what isn't there, and a network that takes no scans, are said", async () => {
  writeFileSync(at("notes.txt"), "no image at all, though long enough to be one, if one only looked at its length");
  const none = await camkit(["ct", at("notes.txt"), "--model", net, "--out", at("none")]);
  expect([none.code, none.stderr]).toEqual([1, expect.stringMatching(/set aside: .*notes.txt[\s\S]*no DICOM series/)]);
  const flat = await camkit(["ct", at("in/3000002"), "--model", scenesModel, "--out", at("none"), "--json"]);
  expect([flat.code, flat.json().error.message]).toEqual([1, expect.stringContaining("takes no volumes")]);
  expect(existsSync(at("none"))).toBe(false);
});
