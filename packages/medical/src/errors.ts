import { CamError } from "@camkit/cam-core/data";

/** Every error that this package throws on purpose, one class per decision a caller can take; narrow by `code`. */

/** A file isn't DICOM, or is truncated or damaged. */
export class DicomError extends CamError {
  override readonly code: string = "dicom";
  constructor(
    readonly source: string,
    reason: string,
    options: { hint?: string; cause?: unknown } = {},
  ) {
    super(`${source}: ${reason}`, options);
  }
}
