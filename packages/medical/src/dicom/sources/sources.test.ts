import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, deflateRawSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import { smallGeometry } from "../../../test/ct-instances.ts";
import { type ZipPart, zip } from "../../../test/zip-bytes.ts";
import { ctImage } from "../../write/ct-series.ts";
import { part10 } from "../../write/part10.ts";
import { openStudy } from "../study.ts";

const folder = mkdtempSync(join(tmpdir(), "camkit-sources-"));
afterAll(() => rmSync(folder, { recursive: true }));

const image = (k: number, change: object = {}) =>
  part10({
    ...ctImage({ geometry: smallGeometry(9), data: new Int16Array(180) }, k, { key: "s", patientId: "P" }),
    ...change,
  });

function write(name: string, bytes: Uint8Array | string): string {
  const path = join(folder, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, bytes);
  return path;
}

test("a folder: nested, without extensions, with a DICOMDIR, strays, links and a damaged file", async () => {
  write("study/DICOMDIR", part10({ SOPClassUID: "1.2.840.10008.1.3.10", SOPInstanceUID: "1.2.3" }));
  write("study/a/b/1", image(1));
  write("study/a/2.dcm", image(2));
  write("study/0", image(0));
  write("study/a/readme.txt", "a stray file, and no more than that");
  write("study/a/broken", image(3).subarray(0, 400));
  write("study/.hidden", image(4));
  write("study/a/old.zip", zip([{ name: "0", content: image(0) }]));
  symlinkSync(join(folder, "study"), join(folder, "study/a/b/up"));
  symlinkSync(join(folder, "nowhere"), join(folder, "study/dangling"));
  const counts: number[] = [];
  const { series, setAside } = await openStudy([join(folder, "study")], { onProgress: (files) => counts.push(files) });
  expect(series.map(({ slices }) => slices.map(({ instance }) => instance.name))).toEqual([
    ["0", "a/b/1", "a/2.dcm"].map((name) => join(folder, "study", name)),
  ]);
  expect(setAside.map(({ name, reason }) => [name.slice(folder.length + 7), reason])).toEqual([
    [".hidden", "hidden"],
    ["dangling", "a link to nothing"],
    ["a/broken", expect.stringMatching(/^truncated or damaged: element/)],
    ["a/old.zip", "a zip archive, expected a DICOM file"],
    ["a/readme.txt", 'no DICOM file: neither "DICM" at byte 128 nor a data set at its start'],
    ["a/b/up", expect.stringMatching(/^the same folder as .*study, which was read$/)],
    ["DICOMDIR", "a directory of files (DICOMDIR)"],
  ]);
  expect(counts).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  const byDirectory = await openStudy([join(folder, "study/DICOMDIR")]);
  expect(byDirectory.series[0]!.slices).toHaveLength(3);
});

test("lists: single files, and a text file with paths relative to it", async () => {
  const paths = [0, 1].map((k) => write(`list/${k}`, image(k)));
  const list = write("list/files.txt", "# two slices\n0\r\n  1  \n\n");
  for (const inputs of [paths, [`@${list}`]]) {
    const { series, setAside } = await openStudy(inputs);
    expect(series[0]!.slices.map(({ instance }) => instance.name)).toEqual(paths);
    expect(setAside).toEqual([]);
  }
});

test("what isn't there is an error, and a signal stops", async () => {
  await expect(openStudy([join(folder, "nothing")])).rejects.toMatchObject({ code: "file" });
  await expect(openStudy([`@${join(folder, "nothing")}`])).rejects.toMatchObject({ code: "file" });
  const signal = AbortSignal.abort();
  await expect(openStudy([write("abort/0", image(0))], { signal })).rejects.toMatchObject({ code: "aborted" });
});

async function openZip(parts: readonly ZipPart[]) {
  const path = write(`zips/${Math.random()}`, zip(parts));
  const before = readdirSync(folder, { recursive: true }).length;
  const study = await openStudy([path]);
  expect(readdirSync(folder, { recursive: true })).toHaveLength(before); // nothing was unpacked
  return {
    series: study.series,
    setAside: study.setAside.map(({ name, reason }) => [name.slice(path.length + 1), reason]),
  };
}

test("a zip: stored and deflated, whatever its names; the pixels are there when they are asked for", async () => {
  const { series, setAside } = await openZip([
    { name: "folder/", content: new Uint8Array() },
    { name: "folder/0", content: image(0) },
    { name: "../../etc/1", content: image(1), deflate: true },
    { name: "/absolute/2", content: image(2), deflate: true },
    { name: "C:\\windows\\3", content: image(3) },
    { name: "stray.txt", content: Buffer.from("stray, but long enough to be looked at"), deflate: true },
  ]);
  expect(setAside).toEqual([["stray.txt", expect.stringMatching(/^no DICOM file/)]]);
  const { slices } = series[0]!;
  expect(slices.map(({ instance }) => instance.name.replace(/^.*?:/, ""))).toEqual([
    "folder/0",
    "../../etc/1",
    "/absolute/2",
    "C:/windows/3",
  ]);
  const { store } = slices[1]!.instance;
  expect("bytes" in store && Buffer.from(store.bytes).equals(image(1))).toBe(true);
});

test.each<[string, Partial<ZipPart>, RegExp]>([
  ["an encrypted entry", { flags: 1 }, /^encrypted$/],
  ["a method that isn't read", { method: 14 }, /^compressed by method 14, expected stored/],
  ["a wrong checksum", { checksum: 1 }, /^damaged: its checksum/],
  ["a size that is too small", { deflate: true, unpacked: 100 }, /^can't be inflated to the 100 bytes/],
  ["a size that is too large", { deflate: true, unpacked: 5000 }, /^has \d+ bytes, its archive says 5000$/],
  ["an offset that leads astray", { offset: 1 }, /^no entry at byte 1 of its archive$/],
])("%s is set aside, the others are read", async (_, change, reason) => {
  const { series, setAside } = await openZip([
    { name: "bad", content: image(1), ...change },
    { name: "good", content: image(2) },
  ]);
  expect(series[0]!.slices).toHaveLength(1);
  expect(setAside).toEqual([["bad", expect.stringMatching(reason)]]);
});

test("bombs: an entry that claims too much, or gives more than it claims; an archive of overlapping entries", async () => {
  const zeros = new Uint8Array(24 << 20);
  const packed = new Uint8Array(deflateRawSync(zeros));
  const bomb = { content: packed, method: 8, checksum: crc32(zeros) };
  const { setAside } = await openZip([
    { name: "honest", ...bomb, unpacked: zeros.length },
    { name: "lying", ...bomb, unpacked: 1000 },
  ]);
  expect(setAside).toEqual([
    ["honest", expect.stringMatching(/^\d+ bytes that claim to hold 25165824: a bomb$/)],
    ["lying", "can't be inflated to the 1000 bytes that its archive says"],
  ]);
  const overlapping = zip([{ name: "a", content: packed, method: 8, unpacked: 1 << 20, copies: 50 }]);
  await expect(openStudy([write("overlap.zip", overlapping)])).rejects.toMatchObject({
    code: "dicom",
    message: expect.stringMatching(/its entries overlap: they claim \d+ bytes in a file of \d+/),
  });
  await expect(
    openStudy([write("cut.zip", zip([{ name: "a", content: image(0) }]).subarray(0, 300))]),
  ).rejects.toMatchObject({
    code: "dicom",
    message: expect.stringMatching(/no readable zip archive/),
  });
});
