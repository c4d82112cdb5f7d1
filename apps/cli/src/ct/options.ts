import { option } from "../command.ts";
import { deviceOption, manifestOption, threadsOption } from "../common.ts";

/** Parameters that the CT commands share, worded once: where scans come from. */

export const dicomwebOption = option.text(
  "URL",
  "take the series from a PACS by DICOMweb; beside INPUT, where --store sends to; credentials in CAMKIT_DICOMWEB_TOKEN, or CAMKIT_DICOMWEB_USER and _PASSWORD",
);

export const studyOption = option.text("UID", "with --dicomweb: the study");

export const seriesOption = option.text("UID", "the series, where there are several");

export const selectOption = option.text(
  "FILE.json",
  "rules that choose the series, in the vocabulary of MONAI Deploy's series selector",
);

export const headerOption = option.many(
  "NAME:VALUE",
  "a header for every DICOMweb request; may be given several times",
);

/** How a scan is explained and what is written. */
export const jobOptions = {
  model: option.textOr("MODEL", "an .onnx file, or the name of a model that ships", "chest-ct"),
  method: option.text("NAME", "how the map is made; default: what the model's manifest says, or grad-cam"),
  layer: option.text("LIST", "target layers; default: what the model's manifest says, or the last one"),
  target: option.textOr("CLASS", "the class to explain: a label, a number, or auto (the winner)", "auto"),
  threshold: option.number("T", "of the segmentation and of volumes: a share of the map's largest value", 0.5),
  outputs: option.textOr("LIST", "what is written, joined by commas, or all", "all"),
  metrics: option.textOr("LIST", "deletion, insertion, randomisation, joined by commas; all or none", "all"),
  allowIrregular: option.flag(
    "resample a series with gaps, duplicates, uneven spacing or tilt, instead of refusing it",
  ),
  manifest: manifestOption,
  device: deviceOption,
  threads: threadsOption,
};

/** Where the DICOM results go beside the folder. */
export const storeOptions = {
  store: option.flag("send the DICOM results to the PACS of --dicomweb, each exactly once"),
  dimse: option.text("AET@HOST:PORT", "send the DICOM results by C-STORE instead"),
  remapUids: option.flag("store results of a series whose missing or illegal UIDs had to be replaced"),
};
