import dcmjs from "dcmjs";

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
