import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readImageNode } from "@itk-wasm/image-io";
import { afterAll, expect, test } from "vitest";
import { withoutPeers } from "../../../testing/peers.ts";
import { writeNifti } from "../src/nifti/index.ts";
import { affine, type Geometry, type Vec3 } from "../src/volume/geometry.ts";
import { writeNrrd } from "../src/write/nrrd.ts";
import { allOf, centreOf, geometries, lesionCentre, lesionMap, provenance, voxelsApart } from "./results.ts";
import { run } from "./validators.ts";

/** NIfTI and NRRD files, as others read them: ITK (in WebAssembly) and the NIfTI project's own tool. */

const folder = mkdtempSync(join(tmpdir(), "camkit-volumes-"));
afterAll(() => rmSync(folder, { recursive: true }));
const cases = Object.entries(geometries);
const formats = { "nii.gz": writeNifti, nii: writeNifti, nrrd: writeNrrd };

/** What ITK read, as a grid of ours: LPS; its matrix has the directions of columns, rows, slices as columns. */
function geometryOf(image: Awaited<ReturnType<typeof readImageNode>>): Geometry {
  const column = (i: number) => [0, 1, 2].map((axis) => image.direction[axis * 3 + i]!) as unknown as Vec3;
  return {
    shape: [...image.size].reverse() as unknown as Vec3,
    spacingMm: [...image.spacing].reverse() as unknown as Vec3,
    originMm: image.origin as unknown as Vec3,
    directions: [column(2), column(1), column(0)],
  };
}

test.each(
  Object.entries(formats).flatMap(([ending, write]) => cases.map(([name, g]) => [ending, name, g, write] as const)),
)("%s, %s: ITK reads the same values at the same places", async (ending, name, geometry, write) => {
  const path = join(folder, `${name.replaceAll(" ", "-")}.${ending}`);
  await write(path, lesionMap(geometry), provenance);
  const image = await readImageNode(path);
  const read = geometryOf(image);
  expect(image.imageType.componentType).toBe("float32");
  expect(read.shape).toEqual(geometry.shape);
  const apart = affine(read, "lps").flatMap((row, i) =>
    row.map((mm, j) => Math.abs(mm - affine(geometry, "lps")[i]![j]!)),
  );
  expect(Math.max(...apart)).toBeLessThan(1e-4);
  const values = image.data as Float32Array;
  expect([...values]).toEqual([...allOf(lesionMap(geometry))]);
  expect(voxelsApart(geometry, centreOf(values, read), lesionCentre(geometry))).toBeLessThan(0.5);
});

test("int16 scans too, and NRRD says how it came about", async () => {
  const geometry = geometries.anisotropic!;
  const data = Int16Array.from(allOf(lesionMap(geometry)), (value) => Math.round(2000 * value) - 1024);
  for (const [ending, write] of Object.entries(formats)) {
    const path = join(folder, `scan.${ending}`);
    await write(path, { geometry, data });
    const image = await readImageNode(path);
    expect(image.imageType.componentType).toBe("int16");
    expect([...(image.data as Int16Array)]).toEqual([...data]);
  }
  const path = join(folder, "facts.nrrd");
  await writeNrrd(path, lesionMap(geometry), provenance);
  const { metadata } = await readImageNode(path);
  expect(metadata.get("camkit sha256")).toBe(provenance.model.sha256);
  expect(metadata.get("camkit use")).toBe("research use only");
  expect(metadata.get("camkit preprocessing")).toBe(provenance.preprocessing);
});

test.skipIf(withoutPeers("nifti_tool")).each(cases)(
  "nifti_tool, %s: a sound header with both forms",
  async (name, geometry) => {
    const path = join(folder, `tool-${name.replaceAll(" ", "-")}.nii.gz`);
    await writeNifti(path, lesionMap(geometry), provenance);
    expect(run("nifti_tool", "-check_hdr", "-infiles", path)).toMatch(/header IS GOOD/);
    const said = run(
      "nifti_tool",
      "-disp_hdr",
      "-infiles",
      path,
      ...["qform_code", "sform_code", "srow_x", "srow_y", "srow_z", "intent_code", "dim", "vox_offset"].flatMap((f) => [
        "-field",
        f,
      ]),
    );
    const field = (name: string) =>
      new RegExp(`^ *${name} .*? \\d+ +(\\S.*)$`, "m")
        .exec(said.replace(/^ +(\w+) +\d+ +/gm, " $1 0 "))![1]!
        .trim()
        .split(/\s+/)
        .map(Number);
    expect([field("qform_code"), field("sform_code"), field("intent_code")]).toEqual([[1], [1], [1001]]);
    expect(field("dim").slice(0, 4)).toEqual([3, ...[...geometry.shape].reverse()]);
    const expected = affine(geometry, "ras").slice(0, 3).flat();
    const rows = ["srow_x", "srow_y", "srow_z"].flatMap(field);
    expect(Math.max(...rows.map((mm, i) => Math.abs(mm - expected[i]!)))).toBeLessThan(1e-4);
    expect(run("nifti_tool", "-disp_ext", "-infiles", path)).toContain(provenance.model.sha256);
  },
);
