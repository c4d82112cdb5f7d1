import { distance, type Slice } from "./slice.ts";

/** Where slices lie along the normal of the first, mm from it. */
export const depthsOf = (slices: readonly Slice[]): number[] =>
  slices.map((slice) => distance(slice, slices[0]!) - distance(slices[0]!, slices[0]!));

/**
 * How far a slice may lie from its place on an even grid, mm: a hundredth of its height changes nothing that a voxel could show,
 * and positions written with two decimals are off by 0.01.
 */
export const evenWithinMm = (spacingMm: number): number => Math.max(0.01 * spacingMm, 0.01);

/** Whether ascending depths are those of an even grid from the first to the last. */
export function isEven(depths: readonly number[]): boolean {
  const start = depths[0]!;
  const spacing = (depths.at(-1)! - start) / (depths.length - 1);
  const tolerance = evenWithinMm(spacing);
  return depths.every((depth, k) => depths.length < 3 || Math.abs(depth - start - k * spacing) <= tolerance);
}

/** The lower one of two in the middle. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)]!;
}
