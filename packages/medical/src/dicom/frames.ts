import { DicomError } from "../errors.ts";
import type { Vec3 } from "../volume/geometry.ts";
import { length as norm } from "../volume/geometry.ts";
import type { Keyword } from "./attributes.ts";
import type { Frame, Instance } from "./instance.ts";
import type { Values } from "./values.ts";

/**
 * What each frame says of its place and values. A frame of an enhanced image: its own functional groups, then the shared ones,
 * then the data set itself. Frames of other images have one and the same.
 */
export function framesOf(name: string, header: Values, numberOfFrames: number): Instance["frames"] {
  if (numberOfFrames === 0) return [];
  const shared = header.items("SharedFunctionalGroupsSequence").slice(0, 1);
  const own = header.items("PerFrameFunctionalGroupsSequence");
  if (own.length === 0) {
    const frame = frameOf(name, [...shared, header]);
    return new Array<Frame>(numberOfFrames).fill(frame);
  }
  if (own.length !== numberOfFrames)
    throw new DicomError(name, `has ${numberOfFrames} frames, but functional groups for ${own.length}`);
  return own.map((groups) => frameOf(name, [groups, ...shared, header]));
}

/** A damaged thickness must not cost a slice: nothing is placed by it. */
const descriptive = new Set<Keyword>(["SliceThickness"]);

function frameOf(name: string, places: readonly Values[]): Frame {
  // In a functional group the attribute is in the item of a sequence, in the data set it is by itself.
  const said = (sequence: Keyword, keyword: Keyword, count: number) => {
    for (const place of places) {
      const inside = place.items(sequence)[0] ?? (place === places.at(-1) ? place : undefined);
      const numbers = descriptive.has(keyword) ? inside?.leniently(keyword, count) : inside?.numbers(keyword, count);
      if (numbers !== undefined) return numbers;
    }
    return undefined;
  };
  const slope = said("PixelValueTransformationSequence", "RescaleSlope", 1)?.[0];
  const intercept = said("PixelValueTransformationSequence", "RescaleIntercept", 1)?.[0];
  if (slope === 0) throw new DicomError(name, "RescaleSlope (0028,1053) is 0: all its values would be the same");
  const rescaleType = places
    .map((place) => place.items("PixelValueTransformationSequence")[0] ?? place)
    .map((place) => place.text("RescaleType"))
    .find((type) => type !== "");
  const position = said("PlanePositionSequence", "ImagePositionPatient", 3);
  const orientation = said("PlaneOrientationSequence", "ImageOrientationPatient", 6);
  const spacing = said("PixelMeasuresSequence", "PixelSpacing", 2);
  const temporal = said("FrameContentSequence", "TemporalPositionIndex", 1)?.[0];
  return {
    positionMm: position as Vec3 | undefined,
    orientation: orientation && directionsOf(name, orientation),
    pixelSpacingMm: spacing && spacingOf(name, spacing),
    sliceThicknessMm: said("PixelMeasuresSequence", "SliceThickness", 1)?.[0],
    rescaleSlope: slope ?? 1,
    rescaleIntercept: intercept ?? 0,
    ...(slope === undefined && intercept === undefined ? {} : { rescaleType: rescaleType ?? "HU" }),
    ...(temporal === undefined ? {} : { temporalPosition: temporal }),
  };
}

function spacingOf(name: string, [row, column]: readonly number[]): readonly [number, number] {
  if (!(row! > 0 && column! > 0))
    throw new DicomError(name, `PixelSpacing (0028,0030) is ${row} by ${column} mm, expected positive numbers`);
  return [row!, column!];
}

/** Unit vectors. What files round to four digits is made orthogonal again; what isn't near it is refused. */
function directionsOf(name: string, [a, b, c, d, e, f]: readonly number[]): readonly [Vec3, Vec3] {
  const column: Vec3 = [a!, b!, c!];
  const row: Vec3 = [d!, e!, f!];
  const product = a! * d! + b! * e! + c! * f!;
  if (Math.abs(norm(column) - 1) > roundedBy || Math.abs(norm(row) - 1) > roundedBy || Math.abs(product) > roundedBy)
    throw new DicomError(
      name,
      `ImageOrientationPatient (0020,0037) is ${[...column, ...row].join("\\")}, expected two orthogonal unit vectors`,
    );
  const unit = unitVector(column);
  const along = unit[0] * d! + unit[1] * e! + unit[2] * f!;
  return [unit, unitVector([d! - along * unit[0], e! - along * unit[1], f! - along * unit[2]])];
}

/** Cosines are written with two digits by some; 1 % of a direction is far from any other plane. */
const roundedBy = 0.01;

function unitVector(v: Vec3): Vec3 {
  const by = 1 / norm(v);
  return [v[0] * by, v[1] * by, v[2] * by];
}
