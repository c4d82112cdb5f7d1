import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { withoutPeers } from "../../../testing/peers.ts";
import { readHeader } from "../src/dicom/header.ts";
import { decodeFrames, decodePictures } from "../src/dicom/pixels/index.ts";
import { transferSyntaxes } from "../src/dicom/pixels/syntaxes.ts";
import { UnsupportedPixelsError } from "../src/errors.ts";

/** Files of every transfer syntax, as independent readers read them: scripts/golden/transfer_syntaxes.py. */
type Entry = { readonly file: string } & (
  | { readonly refused: true }
  | {
      readonly refused?: undefined;
      readonly syntax: string;
      readonly reader: string;
      /** [frames, rows, columns, samples] */
      readonly shape: readonly number[];
      readonly type: string;
      readonly sha256: string;
      /** Of lossy files: every n-th sample, n = samples // 1024 | 1. */
      readonly values?: readonly number[];
      readonly rgbSha256?: string;
    }
);

const root = join(import.meta.dirname, "../../..");
const folder = join(process.env.CAMKIT_SHARED ?? join(root, "../shared"), "data/ct/transfer-syntaxes");
const entries = JSON.parse(readFileSync(join(import.meta.dirname, "golden/transfer-syntaxes.json"), "utf8")) as Entry[];
const absent = !existsSync(folder);
if (absent) console.warn(`skipped: no files of every transfer syntax at ${folder}. Set CAMKIT_SHARED.`);

const open = (file: string) => readHeader(file, { path: join(folder, file) });

async function pixelsOf(file: string) {
  const hash = createHash("sha256");
  const type = new Set<string>();
  const shape = [0, 0];
  const all: Uint8Array[] = [];
  const frames: ArrayLike<number>[] = [];
  for await (const { samples } of decodeFrames(open(file))) {
    const bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
    hash.update(bytes);
    all.push(bytes);
    frames.push(samples);
    type.add(samples.constructor.name.replace("Array", "").toLowerCase());
    shape[0]!++;
    shape[1]! += samples.length;
  }
  const length = frames[0]!.length;
  const at = (i: number) => frames[Math.floor(i / length)]![i % length]!;
  return { sha256: hash.digest("hex"), type: [...type].join(), frames: shape[0]!, samples: shape[1]!, at };
}

describe.skipIf(absent)("every transfer syntax", () => {
  test.each(entries.filter(({ refused }) => refused))("$file is refused by name", async ({ file }) => {
    const reading = decodeFrames(open(file)).next();
    await expect(reading).rejects.toBeInstanceOf(UnsupportedPixelsError);
    await expect(reading).rejects.toThrow(
      /JPEG (Spectral Selection|Full Progression).*1\.2\.840\.10008\.1\.2\.4\.5[35]/,
    );
  });

  const readable = entries.filter((entry) => !entry.refused);
  test.each(readable)(
    "$file is what $reader reads",
    async ({ file, syntax, shape, type, sha256, values, rgbSha256 }) => {
      expect(transferSyntaxes[syntax]).toBeDefined();
      const read = await pixelsOf(file);
      expect({ type: read.type, frames: read.frames, samples: read.samples }).toEqual({
        type,
        frames: shape[0],
        samples: shape.reduce((product, n) => product * n),
      });
      if (transferSyntaxes[syntax]!.lossless) expect(read.sha256).toBe(sha256);
      else {
        const step = Math.floor(read.samples / 1024) | 1;
        expect(values!.length).toBeGreaterThan(1000);
        expect(Math.max(...values!.map((value, k) => Math.abs(value - read.at(k * step))))).toBeLessThanOrEqual(1);
      }
      if (rgbSha256 === undefined) return;
      const hash = createHash("sha256");
      for await (const { data } of decodePictures(open(file))) hash.update(data);
      expect(hash.digest("hex")).toBe(rgbSha256);
    },
  );

  test("the same picture in every lossless syntax is the same", async () => {
    const lossless = readable.filter(
      ({ file, syntax }) => file.startsWith("CTImage.dcm") && transferSyntaxes[syntax]!.lossless,
    );
    expect(lossless.length).toBe(10);
    expect(new Set(lossless.map(({ sha256 }) => sha256)).size).toBe(1);
  });

  // Sampled above; here all of it, by a decoder of another house.
  const twelveBits = readable.filter(({ syntax }) => syntax === "1.2.840.10008.1.2.4.51");
  test.skipIf(withoutPeers("dcmdjpeg")).each(twelveBits)(
    "$file, every pixel: within one of dcmdjpeg",
    async ({ file }) => {
      const work = mkdtempSync(join(tmpdir(), "camkit-jpeg-"));
      try {
        execFileSync("dcmdjpeg", [join(folder, file), join(work, "raw.dcm")], { stdio: "ignore" });
        const header = readHeader("raw", { path: join(work, "raw.dcm") });
        const theirs = decodeFrames(header);
        let [most, different, samples] = [0, 0, 0];
        for await (const frame of decodeFrames(open(file))) {
          const other = (await theirs.next()).value!.samples;
          for (let i = 0; i < other.length; i++) {
            const difference = Math.abs(other[i]! - frame.samples[i]!);
            most = Math.max(most, difference);
            if (difference > 0) different++;
          }
          samples += other.length;
        }
        expect(most).toBeLessThanOrEqual(1);
        expect(different / samples).toBeLessThan(0.05);
      } finally {
        rmSync(work, { recursive: true });
      }
    },
  );
});
