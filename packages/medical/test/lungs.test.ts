import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { openStudy, scanOf } from "../src/dicom/index.ts";
import { closeDecoders, loadVolume } from "../src/dicom/pixels/index.ts";
import { NoLungsError } from "../src/errors.ts";
import { readNifti } from "../src/nifti/index.ts";
import { drawThorax, thoraxGeometry } from "../src/phantom/index.ts";
import { findLungs, type LungMask, mapOnScan, prepareLungCt } from "../src/preprocess/index.ts";
import type { Volume } from "../src/volume/volume.ts";

/** The lungs of real scans, and of phantoms whose lungs are known. */

const shared = join(process.env.CAMKIT_SHARED ?? join(import.meta.dirname, "../../../../shared"), "data/ct");
const absent = !existsSync(shared);
if (absent) console.warn(`skipped: no CT at ${shared}. Set CAMKIT_SHARED.`);
afterAll(closeDecoders);

async function loaded(path: string): Promise<Volume> {
  const { series } = await openStudy([join(shared, path)]);
  return loadVolume(scanOf(series[0]!).source);
}

/** Shares of two masks in common, 2 · |A ∩ B| / (|A| + |B|), by a mask's slices and a rule for the voxels of the other. */
function dice(lungs: LungMask, { geometry }: Volume, label: (voxel: number) => number, wanted: number): number {
  const size = geometry.shape[1] * geometry.shape[2];
  const plane = new Uint8Array(size);
  let both = 0;
  let sum = 0;
  for (let k = 0; k < geometry.shape[0]; k++) {
    lungs.slice(k, plane);
    for (let i = 0; i < size; i++) {
      const [a, b] = [plane[i] === wanted, label(k * size + i) === wanted];
      both += Number(a && b);
      sum += Number(a) + Number(b);
    }
  }
  return (2 * both) / sum;
}

test.skipIf(absent)(
  "a real chest CT: both lungs, without the trachea in the neck, right larger than left",
  async () => {
    const volume = await loaded("series/covid-ct-md-P002");
    const { lungMask, report, placement } = prepareLungCt(volume, { size: [32, 128, 128] });
    // With pydicom and numpy: air (−950 … −400 HU) inside the body takes 3.3 l; vessels, opacities and the wall's cells come on top.
    expect(lungMask!.volumeMl.right + lungMask!.volumeMl.left).toBeGreaterThan(3300);
    expect(lungMask!.volumeMl.right + lungMask!.volumeMl.left).toBeLessThan(4600);
    expect(lungMask!.volumeMl.right).toBeGreaterThan(lungMask!.volumeMl.left);
    const [, rows, columns] = volume.geometry.shape;
    const plane = new Uint8Array(rows * columns);
    const count = (k: number) => {
      lungMask!.slice(k, plane);
      return plane.reduce((sum, label) => sum + Number(label > 0), 0);
    };
    expect(count(60)).toBeGreaterThan(50_000); // through the heart: 512 × 512 × a fifth
    expect(count(131)).toBe(0); // the neck: trachea alone
    expect(count(0)).toBe(0); // the liver: a gas-filled loop of bowel alone
    expect(report.slices).toHaveLength(32);
    // Every voxel of the lungs was seen: a map that is not 0 anywhere is not 0 there.
    const raw = { dtype: "float32" as const, shape: [2, 1, 1], data: Float32Array.of(1, 2) };
    const map = mapOnScan(raw, placement, volume.geometry, { signed: false });
    const values = new Float32Array(rows * columns);
    map.slice(report.slices.at(-1)!, values);
    lungMask!.slice(report.slices.at(-1)!, plane);
    expect(plane.every((label, i) => label === 0 || values[i]! > 0)).toBe(true);
  },
);

test.skipIf(absent).each([0, 1])("a single slice, lungmask_%i.dcm", async (n) => {
  const lungs = findLungs(await loaded(`lungmask_${n}.dcm`))!;
  expect(lungs.volumeMl.right).toBeGreaterThan(8); // 1 mm thick: square centimetres × 0.1
  expect(lungs.volumeMl.left).toBeGreaterThan(4);
});

test.skipIf(absent)("the lungs' bases above an abdomen, against TotalSegmentator's lobes", async () => {
  const volume = await readNifti(join(shared, "nifti/example_ct_sm.nii.gz"));
  const lobes = await readNifti(join(shared, "nifti/example_seg.nii.gz"));
  const side = new Map([10, 11, 12, 13, 14].map((lobe) => [lobe, lobe < 12 ? 2 : 1]));
  const label = (voxel: number) => side.get(lobes.data[voxel]!) ?? 0;
  // Crescents of 3 to 6 voxels of 3 mm: half of their voxels lie at an edge. Found: 0.966 and 0.960.
  const lungs = findLungs(volume)!;
  expect(dice(lungs, volume, label, 1)).toBeGreaterThan(0.93);
  expect(dice(lungs, volume, label, 2)).toBeGreaterThan(0.93);
});

test.skipIf(absent)("pelvis and abdomen with a sliver of lung: refused by name", async () => {
  const volume = await readNifti(join(shared, "nifti/example_ct.nii.gz"));
  expect(() => prepareLungCt(volume, { size: [8, 16, 16] })).toThrow(NoLungsError);
});

test.each([
  [1, "ground glass"],
  [8, "consolidations at the wall"],
])("phantom %i, %s: right and left lung, and most of the lesions", (seed) => {
  const { volume, lungMask, lesionMask } = drawThorax(seed, {
    geometry: thoraxGeometry(seed, { size: 96, slices: 40 }),
  });
  const lungs = findLungs(volume)!;
  for (const wanted of [1, 2]) expect(dice(lungs, volume, (voxel) => lungMask[voxel]!, wanted)).toBeGreaterThan(0.93);
  const size = 96 * 96;
  const plane = new Uint8Array(size);
  let inside = 0;
  for (let k = 0; k < 40; k++) {
    lungs.slice(k, plane);
    for (let i = 0; i < size; i++) inside += Number(plane[i]! > 0 && lesionMask[k * size + i]! > 0);
  }
  const lesion = lesionMask.reduce((sum, label) => sum + Number(label > 0), 0);
  if (lesion > 0) expect(inside / lesion).toBeGreaterThan(0.8);
});
