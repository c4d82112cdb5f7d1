import { expect, test } from "vitest";
import type { Vec3 } from "../../volume/geometry.ts";
import { onScan } from "../map-on-scan.ts";
import { type Placement, resizedPlacement } from "../placement.ts";
import { labelSlices } from "./label-slices.ts";

/** Cells of 4, 3 and 5 voxels along the array's axes, in another order and turned round: as a coronal series may lie. */
const scanShape: Vec3 = [9, 14, 23];
const shape: Vec3 = [5, 5, 3];
const axes: Placement["axes"] = [
  resizedPlacement({ axis: 1, flipped: true }, 14, { begin: 0, length: 15, cells: 5 }),
  resizedPlacement({ axis: 2, flipped: true }, 23, { begin: 0, length: 25, cells: 5 }),
  resizedPlacement({ axis: 0, flipped: false }, 9, { begin: 0, length: 12, cells: 3 }),
];
const placement: Placement = { axes, scanShape };
const labels = Uint8Array.from({ length: 75 }, (_, i) => (i * 7 + Math.floor(i / 4)) % 3);

test("a voxel has a label where at least half of it does, linear between cells", () => {
  const slice = labelSlices(labels, [1, 2], shape, placement);
  const fills = [1, 2].map((label) =>
    onScan(
      Float32Array.from(labels, (at) => Number(at === label)),
      shape,
      placement,
      scanShape,
    ),
  );
  const found = new Uint8Array(14 * 23);
  const share = new Float32Array(14 * 23);
  const met = new Set<number>();
  for (let k = 0; k < scanShape[0]; k++) {
    const expected = new Uint8Array(14 * 23);
    fills.forEach((fill, i) => {
      fill(k, share);
      share.forEach((at, voxel) => {
        if (at >= 0.5) expected[voxel] = i + 1;
      });
    });
    slice(k, found);
    expect(found).toEqual(expected);
    for (const label of found) met.add(label);
  }
  expect([...met].sort()).toEqual([0, 1, 2]);
});
