import type { Vec3 } from "../volume/geometry.ts";
import type { DescriptiveKeyword } from "./attributes.ts";
import type { Display } from "./display.ts";
import type { Identity } from "./scan.ts";

/** Where an instance's bytes are: read again when its pixels are wanted, or at hand (an entry of a zip, a part of an answer). */
export type ByteStore = { readonly path: string } | { readonly bytes: Uint8Array };

/** One DICOM instance's header: what camkit reads of it, and where its pixels lie. Text is decoded; absent is undefined. */
export type Instance = {
  /** A path, or an address, for messages. */
  readonly name: string;
  readonly store: ByteStore;
  /** SHA-256 of the whole file, lower-case hexadecimal; computed only when a UID has to be made from it. */
  readonly hash: () => string;
  /** SHA-256 of the pixels as they are stored: two with the same have the same pixels. Of the whole file where those can't be told. */
  readonly pixelHash?: () => string;
  readonly transferSyntaxUid: string;
  readonly sopClassUid: string;
  /** As they stand in the file: may be missing ("") or illegal. */
  readonly sopInstanceUid: string;
  readonly frameOfReferenceUid: string;
  readonly identity: Identity;
  readonly modality: string;
  /** (0008,0008) */
  readonly imageType: readonly string[];
  readonly instanceNumber: number | undefined;
  readonly acquisitionNumber: number | undefined;
  /** Of frame i, 0-based; single-frame instances have one. Multi-frame ones take it from the functional groups. */
  readonly frames: readonly Frame[];
  readonly pixels: PixelLayout | undefined;
  /** What series are told apart and chosen by, by DICOM keyword; decoded text, absent where empty. */
  readonly attributes?: Readonly<Partial<Record<DescriptiveKeyword, string>>>;
  /** How stored values become a picture; radiographs need it. */
  readonly display?: Display;
};

/** What may differ from frame to frame. */
export type Frame = {
  /** (0020,0032), LPS mm, of the first voxel's centre. */
  readonly positionMm: Vec3 | undefined;
  /** (0020,0037): directions in which the column and the row index grow. */
  readonly orientation: readonly [Vec3, Vec3] | undefined;
  /** (0028,0030): mm from row to row, from column to column. */
  readonly pixelSpacingMm: readonly [number, number] | undefined;
  readonly sliceThicknessMm: number | undefined;
  /** Stored value · slope + intercept. 1 and 0 where the file says nothing. */
  readonly rescaleSlope: number;
  readonly rescaleIntercept: number;
  /**
   * What the rescaled values are: (0028,1054), which a CT may leave out for HU, PS3.3, C.8.2.1.1. Absent where there is neither
   * slope nor intercept.
   */
  readonly rescaleType?: string;
  /** (0020,9128): frames at one place, one after another. */
  readonly temporalPosition?: number;
};

/** How stored values are laid out, and where: PS3.3, C.7.6.3. */
export type PixelLayout = {
  readonly rows: number;
  readonly columns: number;
  readonly numberOfFrames: number;
  readonly samplesPerPixel: number;
  readonly photometricInterpretation: string;
  readonly planarConfiguration: number;
  readonly bitsAllocated: number;
  readonly bitsStored: number;
  readonly highBit: number;
  /** 1: two's complement. */
  readonly pixelRepresentation: 0 | 1;
  /** (0028,0120), in stored values, where the file has one. */
  readonly pixelPaddingValue: number | undefined;
  /** (0028,0121) */
  readonly pixelPaddingRangeLimit: number | undefined;
};
