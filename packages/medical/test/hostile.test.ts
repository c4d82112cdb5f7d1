import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CamError } from "@camkit/cam-core/data";
import { afterAll, expect, test } from "vitest";
import type { Instance } from "../src/dicom/instance.ts";
import { closeDecoders, loadVolume } from "../src/dicom/pixels/index.ts";
import { scanOf } from "../src/dicom/scan-of.ts";
import { seriesOf } from "../src/dicom/series.ts";
import { openStudy } from "../src/dicom/study.ts";
import { writeCtSeries } from "../src/write/ct-series.ts";
import { smallGeometry } from "./ct-instances.ts";
import { hostileFile } from "./hostile-files.ts";

const count = 1000;
const folder = mkdtempSync(join(tmpdir(), "camkit-hostile-"));
afterAll(async () => {
  await closeDecoders();
  rmSync(folder, { recursive: true });
});

const files = Array.from({ length: count }, (_, index) => {
  const { name, bytes, isZip } = hostileFile(4, index);
  const path = join(folder, isZip ? "archives" : "files", name.replaceAll(" ", "-"));
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, bytes);
  return { name, path, isZip };
});

/** How an attempt ended: with a result, or an error's code. All other errors are thrown on, with the file's name. */
async function ending(name: string, act: () => Promise<unknown>): Promise<string> {
  try {
    await act();
    return "read";
  } catch (error) {
    if (error instanceof CamError) return error.code;
    throw new Error(`${name}: ${(error as Error).stack}`, { cause: error });
  }
}

/** Everything that is done with a file until its voxels are there; what a scan refuses is decoded all the same. */
async function loadAll(instances: readonly Instance[]): Promise<void> {
  for (const one of seriesOf(instances).series) {
    const { instance } = one.slices[0]!;
    const { rows, columns } = instance.pixels!;
    const geometry = { ...smallGeometry(1), shape: [one.slices.length, rows, columns] as const };
    let source = { geometry, slices: one.slices };
    try {
      source = scanOf(one, { allowIrregular: true }).source as typeof source;
    } catch (error) {
      if (!(error instanceof CamError)) throw error;
    }
    const { data } = await loadVolume(source);
    expect(data).toHaveLength(source.slices.length * rows * columns);
  }
}

const megabytes = (bytes: number) => Math.round(bytes / 2 ** 20);

test("a thousand damaged and hostile files beside a sound series", { timeout: 60_000 }, async () => {
  const sound = smallGeometry(5);
  const data = Int16Array.from({ length: 100 }, (_, i) => i * 7 - 300);
  await writeCtSeries({ geometry: sound, data }, join(folder, "files", "sound"), { key: "sound", patientId: "P" });
  const [before, start] = [process.memoryUsage().rss, performance.now()];
  let peak = before;
  const watch = () => {
    peak = Math.max(peak, process.memoryUsage().rss);
  };

  // All of them at once, as a user gives a folder; then each by itself, to its voxels.
  const study = await openStudy([join(folder, "files")], { onProgress: watch });
  const archives = files.filter(({ isZip }) => isZip);
  const read = new Set(study.series.flatMap(({ slices }) => slices.map(({ instance }) => instance)));
  expect(read.size + study.setAside.length).toBe(count - archives.length + sound.shape[0]); // none is lost
  const endings = new Map<string, number>([["set aside", study.setAside.length]]);
  const note = (end: string) => endings.set(end, (endings.get(end) ?? 0) + 1);
  for (const instance of read) {
    if (instance.identity.PatientID !== "P") note(await ending(instance.name, () => loadAll([instance])));
    watch();
  }
  for (const { name, path } of archives) {
    const load = async () => {
      const { series } = await openStudy([path]);
      await loadAll(series.flatMap(({ slices }) => slices.map(({ instance }) => instance)));
    };
    note(await ending(name, load));
    watch();
  }
  console.info(
    `${count} hostile files in ${Math.round(performance.now() - start)} ms, ${megabytes(peak - before)} MB more at most:`,
    Object.fromEntries(endings),
  );
  expect([...endings.values()].reduce((a, b) => a + b)).toBe(count);
  // Not a suite that passes because nothing of it is harmful, nor because nothing is ever read.
  expect(endings.get("set aside")).toBeGreaterThan(200);
  expect(endings.get("pixel-data")).toBeGreaterThan(50);
  expect(endings.get("read")).toBeGreaterThan(100);
  expect(megabytes(peak - before)).toBeLessThan(512);
  expect(readdirSync(folder).sort()).toEqual(["archives", "files"]); // nothing was unpacked

  const [series] = study.series.filter(({ identity }) => identity.PatientID === "P");
  const { scan, source } = scanOf(series!);
  expect(scan.geometry).toEqual(sound);
  expect([...(await loadVolume(source)).data]).toEqual([...data]);
});
