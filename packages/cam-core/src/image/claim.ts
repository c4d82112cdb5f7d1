import { InputError } from "../errors.ts";

/** A picture of this many pixels is decoded whatever its file's size; a larger one may have this many pixels a byte. */
const largestAnyway = 2 ** 23;
const pixelsPerByte = 2000;

/**
 * Refuses a header that asks for hundreds of megabytes and a file that has next to nothing to fill them with: decoders
 * fill what is missing with grey. Throws InputError.
 */
export function checkClaim(width: number, height: number, bytes: number, name: string): void {
  if (width * height > Math.max(largestAnyway, pixelsPerByte * bytes))
    throw new InputError(`${name}: damaged: a file of ${bytes} bytes that claims ${width} x ${height} pixels`, {
      hint: "Copy or download the file again.",
    });
}
