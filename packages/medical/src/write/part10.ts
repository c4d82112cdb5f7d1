/// <reference path="./dcmjs.d.ts" />
import dcmjs from "dcmjs";
import { ResultSizeError } from "../errors.ts";

/** A data set by keyword, as dcmjs takes it: sequences are arrays, numbers of text VRs may be numbers. */
export type Dataset = Readonly<Record<string, unknown>>;

/** Ours among implementations: PS3.7, D.3.3.2. */
const implementationClassUid = "2.25.218190404918023049170432816098113414145";
const implementationVersionName = "CAMKIT";

export const explicitLittleEndian = "1.2.840.10008.1.2.1";

/**
 * A data set as a DICOM file: preamble, file meta information, explicit VR little endian. What is undefined is left out.
 * Text is UTF-8, so `SpecificCharacterSet` is set to ISO_IR 192.
 */
export function part10(dataset: Dataset): Uint8Array {
  const { DicomDict, DicomMetaDictionary } = dcmjs.data;
  const said = Object.fromEntries(
    Object.entries({ SpecificCharacterSet: "ISO_IR 192", ...dataset }).filter(([, value]) => value !== undefined),
  );
  const file = new DicomDict(
    DicomMetaDictionary.denaturalizeDataset({
      FileMetaInformationVersion: new Uint8Array([0, 1]).buffer,
      MediaStorageSOPClassUID: dataset.SOPClassUID,
      MediaStorageSOPInstanceUID: dataset.SOPInstanceUID,
      TransferSyntaxUID: explicitLittleEndian,
      ImplementationClassUID: implementationClassUid,
      ImplementationVersionName: implementationVersionName,
    }),
  );
  file.dict = DicomMetaDictionary.denaturalizeDataset(said);
  return new Uint8Array(file.write());
}

/**
 * The head of an element in explicit VR little endian whose value is written after it, piece by piece: tag, VR, length in bytes.
 * Only for VRs with a 32-bit length (OB, OF, OW). Throws ResultSizeError: 2 to the 32 less 2 bytes is the format's limit.
 */
export function elementHeader(group: number, element: number, vr: "OB" | "OF" | "OW", length: number): Uint8Array {
  if (length > 0xfffffffe) throw new ResultSizeError(length, 0xfffffffe);
  const bytes = new Uint8Array(12);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, group, true);
  view.setUint16(2, element, true);
  bytes.set(new TextEncoder().encode(vr), 4);
  view.setUint32(8, length, true);
  return bytes;
}
