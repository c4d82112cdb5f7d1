import type { Geometry, Vec3 } from "../../volume/geometry.ts";
import type { Volume } from "../../volume/volume.ts";
import { type ScanAxis, scanAxes, viewOf } from "../orient.ts";
import { type Placement, resizedPlacement } from "../placement.ts";

/** A scan in cells of about 4 mm: slices to the head, rows to the back, columns to the left. */
export type CoarseScan = {
  readonly shape: Vec3;
  readonly spacingMm: Vec3;
  /** Mean HU of the voxels of each cell, by every second one along axes where a cell has four or more. */
  readonly meanHu: Float32Array;
  readonly axes: readonly [ScanAxis, ScanAxis, ScanAxis];
  /** Voxels along each axis that make a cell. */
  readonly factors: Vec3;
  readonly placement: Placement;
};

const cellMm = 4;

/** Padding outside the reconstructed circle is −2000, −3024 and the like: less than air there would drag the means down. */
const airHu = -1024;

export function coarseScan({ geometry, data }: Volume): CoarseScan {
  const axes = scanAxes(geometry);
  const view = viewOf(geometry.shape, axes);
  const spacing = axes.map(({ axis }) => geometry.spacingMm[axis]);
  const factors = spacing.map((mm, i) =>
    Math.max(1, Math.min(view.shape[i]!, Math.round(cellMm / mm))),
  ) as unknown as Vec3;
  const shape = factors.map((factor, i) => Math.ceil(view.shape[i]! / factor)) as unknown as Vec3;
  const steps = factors.map((factor) => (factor >= 4 ? 2 : 1));
  const meanHu = new Float32Array(shape[0] * shape[1] * shape[2]);
  const counts = new Uint32Array(meanHu.length);
  const cellOf = Int32Array.from({ length: view.shape[2] }, (_, x) => Math.floor(x / factors[2]));
  const stepX = steps[2]!;
  const strideX = stepX * view.strides[2];
  for (let z = 0; z < view.shape[0]; z += steps[0]!)
    for (let y = 0; y < view.shape[1]; y += steps[1]!) {
      const row = (Math.floor(z / factors[0]) * shape[1] + Math.floor(y / factors[1])) * shape[2];
      let from = view.offset + z * view.strides[0] + y * view.strides[1];
      for (let x = 0; x < cellOf.length; x += stepX, from += strideX) {
        const cell = row + cellOf[x]!;
        const hu = data[from]!;
        meanHu[cell]! += Math.max(hu, airHu);
        counts[cell]!++;
      }
    }
  for (let cell = 0; cell < meanHu.length; cell++) meanHu[cell]! /= counts[cell]!;
  const spacingMm = spacing.map((mm, i) => mm * factors[i]!) as unknown as Vec3;
  return { shape, spacingMm, meanHu, axes, factors, placement: coarsePlacement(geometry, axes, shape, factors) };
}

function coarsePlacement(geometry: Geometry, axes: CoarseScan["axes"], shape: Vec3, factors: Vec3): Placement {
  const along = (i: number) =>
    resizedPlacement(axes[i]!, geometry.shape[axes[i]!.axis], {
      begin: 0,
      length: shape[i]! * factors[i]!,
      cells: shape[i]!,
    });
  return { axes: [along(0), along(1), along(2)], scanShape: geometry.shape };
}
