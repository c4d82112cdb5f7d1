import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import { geometries } from "../../test/results.ts";
import { writeNifti } from "../nifti/index.ts";
import { gzipped } from "./gzip.ts";
import { writePieces } from "./write-pieces.ts";

const folder = mkdtempSync(join(tmpdir(), "camkit-pieces-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Pieces in one buffer that the next overwrites, small and large. */
function* borrowed(sizes: readonly number[]) {
  const buffer = new Uint8Array(Math.max(...sizes));
  for (const [i, size] of sizes.entries()) yield buffer.fill(i + 1).subarray(0, size);
}
const sizes = [1, 100_000, 0, 7, 300_000, 16, 65_536];
const expected = Buffer.concat(sizes.map((size, i) => Buffer.alloc(size, i + 1)));

test("borrowed pieces arrive as they were", async () => {
  const path = join(folder, "new", "file");
  await writePieces(path, borrowed(sizes));
  expect(readFileSync(path).equals(expected)).toBe(true);
  await writePieces(path, gzipped(borrowed(sizes)));
  expect(gunzipSync(readFileSync(path)).equals(expected)).toBe(true);
});

test("where pieces end in an error, the old file stays and nothing else", async () => {
  const path = join(folder, "old.nii.gz");
  writeFileSync(path, "old");
  const geometry = geometries.axial!;
  const failing = {
    geometry,
    slice(k: number) {
      if (k === 3) throw new RangeError("no slice 3");
    },
  };
  await expect(writeNifti(path, failing)).rejects.toThrow("no slice 3");
  expect(readFileSync(path, "utf8")).toBe("old");
  expect(readdirSync(folder).filter((name) => name.endsWith(".part"))).toEqual([]);
  await expect(writePieces(join(path, "below"), [])).rejects.toMatchObject({ code: "file" });
});
