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

/** A PACS refused, or answered with what it shouldn't; `status` is HTTP's or that of DIMSE. */
export class PacsError extends CamError {
  override readonly code: string = "pacs";
  readonly status: number | undefined;
  constructor(
    readonly address: string,
    reason: string,
    options: { status?: number; hint?: string; cause?: unknown } = {},
  ) {
    super(`${address}: ${reason}`, options);
    this.status = options.status;
  }
}

/** A PACS gave no answer, or broke off in the middle of one, also when it was asked again: later it may. */
export class PacsUnreachableError extends PacsError {
  override readonly code = "pacs-unreachable";
  override readonly blame = "environment";
}

/** Another watcher works on this state folder. */
export class WatchLockedError extends CamError {
  override readonly code = "watch-locked";
  override readonly blame = "usage";
  constructor(
    readonly folder: string,
    readonly holder: string,
    options: { hint?: string } = {},
  ) {
    super(`${folder} is another watcher's: ${holder}`, options);
  }
}

/** A package that isn't installed with the others is needed for what was asked. */
export class MissingPackageError extends CamError {
  override readonly code = "missing-package";
  override readonly blame = "environment";
  constructor(
    readonly packageName: string,
    what: string,
    options: { hint?: string; cause?: unknown } = {},
  ) {
    super(`${what} needs the package ${packageName}, which isn't installed`, options);
  }
}

/** A chest CT's preprocessing needs the lungs, and none were found. */
export class NoLungsError extends CamError {
  override readonly code = "no-lungs";
  constructor(crop: string, shape: readonly number[]) {
    super(
      `no lungs were found in the scan of ${shape.join(" x ")} voxels, and the preprocessing (crop: "${crop}") needs them: expected air of more than 16 mm across, enclosed by a body`,
      { hint: 'Check that this is a chest CT in HU; crop: "none" with outside: "keep" takes any scan as it is.' },
    );
  }
}

/** A map isn't on the grid of the scan that it is written for. */
export class MapGridError extends CamError {
  override readonly code = "map-grid";
  constructor(
    readonly found: readonly number[],
    readonly expected: readonly number[],
    sources: number,
  ) {
    super(
      `the map has ${found.join(" x ")} voxels, the scan ${expected.join(" x ")} and ${sources} sources: expected one map slice per source slice`,
      { hint: "Bring the map onto the scan's grid first." },
    );
  }
}

/** A map holds a value that results can't: NaN, or outside [0, 1]. */
export class MapValueError extends CamError {
  override readonly code = "map-value";
  constructor(
    readonly value: number,
    readonly voxel: readonly number[],
  ) {
    super(`the map is ${value} at voxel [${voxel.join(", ")}] (slice, row, column), expected a number from 0 to 1`, {
      hint: "Normalise the map first; NaN comes from a network's output.",
    });
  }
}

/** A result doesn't fit into its format. */
export class ResultSizeError extends CamError {
  override readonly code = "result-size";
  constructor(
    readonly size: number,
    readonly limit: number,
    what = "bytes of pixels",
  ) {
    super(`${size} ${what}, more than the ${limit} that the format holds`, {
      hint: "Explain a part of the scan, or write it as NRRD, which has no such limit.",
    });
  }
}

/** A file isn't NIfTI, is damaged, or holds what a scan can't be made of. */
export class NiftiError extends CamError {
  override readonly code = "nifti";
  constructor(
    readonly source: string,
    reason: string,
    options: { hint?: string; cause?: unknown } = {},
  ) {
    super(`${source}: ${reason}`, options);
  }
}

/** An instance's pixels are damaged, truncated, or contradict its header. */
export class PixelDataError extends DicomError {
  override readonly code = "pixel-data";
}

/** Pixels that this version doesn't decode: a transfer syntax, a kind of pixel, a size beyond the limits. */
export class UnsupportedPixelsError extends DicomError {
  override readonly code = "unsupported-pixels";
}

/** A thread that decodes pixels couldn't be started, crashed, or gave no answer. */
export class DecoderThreadError extends CamError {
  override readonly code = "decoder-thread";
  override readonly blame = "environment";
}

/** A series' slices don't lie on a regular grid: what they break, and where. `allowIrregular` resamples them, but for some. */
export class IrregularSeriesError extends CamError {
  override readonly code = "irregular-series";
  constructor(
    readonly kind: "duplicates" | "gap" | "uneven" | "tilt" | "shift" | "mixed-orientation",
    reason: string,
    options: { hint?: string } = {},
  ) {
    super(reason, options);
  }
}

/** A series doesn't say where its slices lie, or how large their pixels are. */
export class MissingGeometryError extends CamError {
  override readonly code = "missing-geometry";
}

/** No series of a study is what was asked for; `reasons` says of each why not. */
export class NoSeriesError extends CamError {
  override readonly code = "no-series";
  constructor(
    asked: string,
    readonly reasons: readonly string[],
    options: { hint?: string } = {},
  ) {
    super(`${asked}${reasons.map((reason) => `\n  ${reason}`).join("")}`, options);
  }
}

/** Rules for choosing series aren't such. */
export class SelectionRulesError extends CamError {
  override readonly code = "selection-rules";
  override readonly blame = "usage";
}

/** A threshold that maps, which go from 0 to 1, can't be cut at. */
export class ThresholdError extends CamError {
  override readonly code = "threshold";
  override readonly blame = "usage";
  constructor(readonly threshold: number) {
    super(`the threshold is ${threshold}, expected a number above 0 and at most 1`);
  }
}

/** A picture of a slice that no image can be made of: a mistake of whoever draws. */
export class PictureError extends CamError {
  override readonly code = "picture";
  override readonly blame = "usage";
  constructor(
    readonly slice: number,
    reason: string,
  ) {
    super(`picture of slice ${slice}: ${reason}`);
  }
}

/** A segmentation gave a class no voxel: there is nothing to explain. */
export class EmptyClassError extends CamError {
  override readonly code = "empty-class";
  constructor(
    readonly classIndex: number,
    label: string | undefined,
  ) {
    super(`no voxel was given class ${classIndex}${label === undefined ? "" : ` (${label})`}`, {
      hint: "Explain a class that was found, or give a mask.",
    });
  }
}
