import { basename } from "node:path";
import type { Metadata } from "sharp";
import { InputError } from "../errors.ts";
import { readBytes } from "../runtime/files.ts";
import { decodeBmp, isBmp } from "./bmp.ts";
import { checkClaim } from "./claim.ts";
import { checkDrawing } from "./drawing.ts";
import type { Picture } from "./picture.ts";
import { onWhite } from "./rgba.ts";

/** A picture, and what was done to get it that a reader of the result should know ("turned as EXIF says"). */
export type DecodedPicture = Picture & { readonly format: string; readonly notes: readonly string[] };

/**
 * A picture file, or its bytes, as 8-bit sRGB: JPEG, PNG, WebP, TIFF, GIF, AVIF, SVG and BMP.
 *
 * Turned upright as EXIF says; transparency is laid on white; grey becomes R = G = B; 16 bits become 8 (the high byte);
 * CMYK is converted through its colour profile; of several frames or pages the first. An RGB picture's own colour profile
 * is not applied: training pipelines (Pillow, OpenCV) read the stored numbers, and so does the model.
 * JPEGs come out bit for bit as Pillow decodes them.
 *
 * Throws FileError when the file can't be read, InputError when it is no picture, is damaged or truncated, has
 * floating-point pixels, more than 268 million of them, or more than its few bytes can hold, or a drawing that shows its own
 * parts millions of times.
 */
export async function decodePicture(input: string | Uint8Array, source?: string): Promise<DecodedPicture> {
  const name = source ?? (typeof input === "string" ? basename(input) : "picture");
  const bytes = typeof input === "string" ? await readBytes(input) : input;
  if (bytes.length === 0) throw new InputError(`${name}: an empty file is no picture`);
  if (isBmp(bytes)) return { ...decodeBmp(bytes, name), format: "bmp", notes: [] };

  const { default: sharp } = await import("sharp"); // 80 ms that a thread with small JPEGs, arrays or scenes never needs
  try {
    const facts = await sharp(bytes, { failOn: "error" }).metadata();
    if (facts.depth === "float" || facts.depth === "double" || facts.depth === "complex")
      throw new InputError(`${name}: floating-point pixels have no agreed black and white`, {
        hint: "Save the values as .npy and pass that; it is fed to the model as it is.",
      });
    checkClaim(facts.width, facts.height, bytes.length, name);
    if (facts.format === "svg") checkDrawing(bytes, name);
    const cmyk = facts.space === "cmyk";
    const { data, info } = await sharp(bytes, { failOn: "error", ignoreIcc: !cmyk })
      .autoOrient()
      .toColourspace("srgb")
      .raw({ depth: "uchar" })
      .toBuffer({ resolveWithObject: true });
    const { rgb, transparent } = onWhite(new Uint8Array(data.buffer, data.byteOffset, data.length), info);
    return { width: info.width, height: info.height, rgb, format: facts.format, notes: notesOf(facts, transparent) };
  } catch (cause) {
    if (cause instanceof InputError) throw cause;
    throw undecodable(name, cause as Error);
  }
}

function notesOf(facts: Metadata, transparent: boolean): string[] {
  const turned = facts.orientation !== undefined && facts.orientation > 1;
  return [
    turned && `turned upright, EXIF orientation ${facts.orientation}`,
    transparent && "transparency laid on white",
    facts.depth === "ushort" && "16 bits reduced to 8",
    facts.space === "cmyk" && "CMYK converted to sRGB",
    facts.pages !== undefined && facts.pages > 1 && `the first of ${facts.pages} frames or pages`,
  ].filter((note): note is string => typeof note === "string");
}

/** What sharp's messages mean; the first that matches. */
const explanations: readonly [pattern: RegExp, reason: string, hint: string][] = [
  [
    /unsupported image format|cannot identify/i,
    "not a picture in a known format",
    "Known: JPEG, PNG, WebP, TIFF, GIF, AVIF, SVG, BMP.",
  ],
  [
    /pixel limit/i,
    "more than 268 million pixels",
    "Cut it into tiles first; slides are read by camkit's pathology commands.",
  ],
  [/./s, "damaged or truncated", "Copy or download the file again."],
];

function undecodable(name: string, cause: Error): InputError {
  const [, reason, hint] = explanations.find(([pattern]) => pattern.test(cause.message)) ?? explanations.at(-1)!;
  const detail = cause.message.split("\n")[0]?.trim();
  return new InputError(`${name}: ${reason}${detail ? ` (${detail})` : ""}`, { hint, cause });
}
