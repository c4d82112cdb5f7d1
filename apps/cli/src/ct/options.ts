import { option } from "../command.ts";

/** Parameters that the CT commands share, worded once: where scans come from. */

export const dicomwebOption = option.text(
  "URL",
  "take the series from a PACS by DICOMweb; credentials in CAMKIT_DICOMWEB_TOKEN, or CAMKIT_DICOMWEB_USER and _PASSWORD",
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
