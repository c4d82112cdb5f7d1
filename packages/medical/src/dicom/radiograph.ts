import { luma, type Picture } from "@camkit/cam-core/data";
import { DicomError } from "../errors.ts";
import type { Geometry } from "../volume/geometry.ts";
import { displayed } from "./grey.ts";
import type { Instance } from "./instance.ts";
import { decodeFrames, decodePictures } from "./pixels/index.ts";
import type { Scan } from "./scan.ts";
import { sourceOf } from "./scan-of.ts";
import { withUids } from "./uids-of.ts";

/** One projection, ready to be looked at and fed. */
export type Radiograph = {
  /** [rows, columns], 0 black to 1 white: bone is bright, whatever the file's photometric interpretation. */
  readonly values: Float32Array;
  /** The same as 8-bit RGB, for networks that take pictures. */
  readonly picture: Picture;
  /** A single slice without a frame of reference: its millimetres are those of the picture, not of the patient. */
  readonly scan: Scan;
};

/** Computed, digital and intra-oral radiography, mammography, panoramic and fluoroscopic pictures: (0008,0060). */
const projections = new Set(["CR", "DX", "IO", "MG", "PX", "RF", "RG", "XA"]);
/** Secondary Capture and its multi-frame kin. */
const secondaryCapture = /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.7(\.|$)/;

/** Whether an instance is a single picture without a place in space: a radiograph, or one captured from a screen. */
export function isRadiograph({ modality, sopClassUid, frames }: Instance): boolean {
  if (frames.length !== 1 || frames[0]!.positionMm !== undefined) return false;
  return projections.has(modality) || secondaryCapture.test(sopClassUid);
}

/**
 * Decodes a radiograph and applies what its file says of its display: modality LUT or rescale, VOI LUT or the first window, and
 * the sense of MONOCHROME1.
 * Throws DicomError for several frames, and what decoding throws.
 */
export async function radiographOf(instance: Instance): Promise<Radiograph> {
  const { pixels, name } = instance;
  if (pixels === undefined) throw new DicomError(name, "has no pixels, expected a radiograph");
  if (instance.frames.length !== 1)
    throw new DicomError(name, `has ${instance.frames.length} frames, expected a single picture`, {
      hint: "Cines and tomosyntheses aren't radiographs.",
    });
  const { rows, columns } = pixels;
  const notes: string[] = [];
  const { values, rgb } =
    pixels.samplesPerPixel === 1 && !isPalette(instance) ? await grey(instance, notes) : await colour(instance, notes);
  return { values, picture: { width: columns, height: rows, rgb }, scan: scanOfPicture(instance, notes) };
}

const isPalette = ({ pixels }: Instance) => pixels!.photometricInterpretation === "PALETTE COLOR";

async function grey(instance: Instance, notes: string[]) {
  for await (const { samples } of decodeFrames(instance)) {
    const values = displayed(instance, samples, notes);
    const rgb = new Uint8Array(values.length * 3);
    for (let i = 0; i < rgb.length; i++) rgb[i] = Math.round(values[Math.floor(i / 3)]! * 255);
    return { values, rgb };
  }
  throw new DicomError(instance.name, "has no frame");
}

async function colour(instance: Instance, notes: string[]) {
  for await (const { data: rgb } of decodePictures(instance)) {
    notes.push("a picture in colour: its luma was taken for grey");
    return { values: Float32Array.from(luma(rgb), (value) => value / 255), rgb };
  }
  throw new DicomError(instance.name, "has no frame");
}

function scanOfPicture(instance: Instance, notes: string[]): Scan {
  const slice = { instance, frame: 0 };
  const uids = withUids([slice], "no frame of reference");
  const geometry = geometryOf(instance, notes);
  return {
    modality: instance.modality,
    geometry,
    frameOfReferenceUid: undefined,
    slices: [sourceOf(slice, uids.sopInstanceUid(instance))],
    identity: uids.identity,
    remapped: uids.remapped,
    notes: [...notes, ...uids.notes],
  };
}

function geometryOf({ pixels, frames, display }: Instance, notes: string[]): Geometry {
  const own = frames[0]!.pixelSpacingMm;
  const atDetector = display?.imagerPixelSpacingMm;
  if (own === undefined)
    notes.push(
      atDetector === undefined
        ? "no pixel spacing: lengths are in pixels, as if of 1 mm"
        : "pixel spacing at the detector: the patient is smaller by the magnification",
    );
  return {
    shape: [1, pixels!.rows, pixels!.columns],
    spacingMm: [1, ...(own ?? atDetector ?? [1, 1])],
    originMm: [0, 0, 0],
    directions: [
      [0, 0, 1],
      [0, 1, 0],
      [1, 0, 0],
    ],
  };
}
