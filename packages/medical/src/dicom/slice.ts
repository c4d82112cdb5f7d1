import { basename } from "node:path";
import { cross, dot, type Vec3 } from "../volume/geometry.ts";
import type { Frame, Instance } from "./instance.ts";

/** One picture: an instance, or a frame of one, 0-based. */
export type Slice = { readonly instance: Instance; readonly frame: number };

export const frameOf = ({ instance, frame }: Slice): Frame => instance.frames[frame]!;

/** For messages: the file's name, and the frame where there are several. */
export const sliceName = ({ instance, frame }: Slice): string =>
  instance.frames.length > 1 ? `${basename(instance.name)} frame ${frame + 1}` : basename(instance.name);

/** "1 slice", "2 slices". */
export const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;

/** The direction along which slices follow each other, from those in which the column and the row index grow: PS3.3, C.7.6.2.1.1. */
export const normalOf = ([column, row]: readonly [Vec3, Vec3]): Vec3 => cross(column, row);

/**
 * Along the normal of a slice of the same scan, mm: along its own each slice would be elsewhere, by as much as its direction
 * cosines are rounded, times its distance from the origin. For what has no place in space its instance number stands in.
 */
export function distance(slice: Slice, along: Slice): number {
  const { orientation } = frameOf(along);
  const { positionMm } = frameOf(slice);
  if (orientation === undefined || positionMm === undefined) return slice.instance.instanceNumber ?? 0;
  return dot(positionMm, normalOf(orientation));
}

/** The larger of the angles by which rows and columns are turned, degrees. */
export function degreesBetween(a: Frame["orientation"], b: Frame["orientation"]): number {
  if (a === undefined || b === undefined) return a === b ? 0 : 180;
  return Math.max(
    ...a.map((direction, i) => {
      const other = b[i]!;
      // By the chord: an arc cosine near 1 would lose the small angles.
      const chord = Math.hypot(...direction.map((x, axis) => x - other[axis]!));
      return (2 * Math.asin(Math.min(1, chord / 2)) * 180) / Math.PI;
    }),
  );
}
