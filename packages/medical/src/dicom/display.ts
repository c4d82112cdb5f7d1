/** From stored values to what is seen: PS3.3, C.11.1 (modality LUT), C.11.2 (VOI LUT). */
export type Display = {
  /** Replaces rescale slope and intercept. */
  readonly modalityLut: LookupTable | undefined;
  /** The first of the VOI LUT Sequence: it comes before any window. */
  readonly voiLut: LookupTable | undefined;
  /** All that the file offers; the first is its preference. */
  readonly windows: readonly Window[];
  /** (0028,1056): LINEAR, LINEAR_EXACT or SIGMOID. */
  readonly voiLutFunction: string;
  /** (0018,1164): mm from row to row, from column to column, at the detector. */
  readonly imagerPixelSpacingMm: readonly [number, number] | undefined;
};

export type Window = { readonly center: number; readonly width: number };

export type LookupTable = {
  /** The input of the first entry; what is below maps to it, what is beyond the last to that. */
  readonly firstMapped: number;
  /** Of an entry. */
  readonly bits: number;
  readonly entries: Uint16Array;
};
