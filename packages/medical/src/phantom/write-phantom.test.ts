import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeNpy } from "@camkit/cam-core/data";
import dicomParser from "dicom-parser";
import { expect, test } from "vitest";
import { leaning, thoraxGeometry } from "./grid.ts";
import { writePhantom } from "./write-phantom.ts";

test("an oblique phantom on disk: slices where they lie, pixels in HU, masks and truth beside them", async () => {
  const folder = await mkdtemp(join(tmpdir(), "camkit-phantom-"));
  try {
    const geometry = leaning(thoraxGeometry(7, { size: 64, slices: 24 }), 0.1, -0.05);
    const { thorax, files } = await writePhantom(7, folder, { geometry });
    expect(files.length).toBe(24);
    const bytes = await readFile(files[5]!);
    const header = dicomParser.parseDicom(bytes);
    const numbers = (tag: string) => header.string(tag)!.split("\\").map(Number);
    // The centre of the sixth slice's first voxel, by hand: five steps along the slices' direction.
    const [slice, row, column] = geometry.directions;
    const position = geometry.originMm.map((o, i) => o + 5 * geometry.spacingMm[0] * slice[i]!);
    for (const [i, at] of numbers("x00200032").entries()) expect(at).toBeCloseTo(position[i]!, 6);
    for (const [i, at] of numbers("x00200037").entries()) expect(at).toBeCloseTo([...column, ...row][i]!, 9);
    const { dataOffset, length } = header.elements.x7fe00010!;
    const pixels = new Int16Array(
      bytes.buffer.slice(bytes.byteOffset + dataOffset, bytes.byteOffset + dataOffset + length),
    );
    expect(pixels).toEqual(thorax.volume.data.subarray(5 * 64 * 64, 6 * 64 * 64));

    const lesions = decodeNpy(await readFile(join(folder, "lesions.npy")));
    expect(lesions.shape).toEqual([24, 64, 64]);
    expect(Buffer.compare(lesions.data as Uint8Array, thorax.lesionMask)).toBe(0);
    const truth = JSON.parse(await readFile(join(folder, "truth.json"), "utf8"));
    expect(truth).toMatchObject({ seed: 7, label: "ground-glass", lesions: thorax.lesions, geometry });
  } finally {
    await rm(folder, { recursive: true });
  }
});
