import { PacsError } from "../errors.ts";
import type { Answer } from "./exchange.ts";

/** A data set in the DICOM JSON model (PS3.18, F.2): attributes by tag, eight hexadecimal digits. */
export type DicomJson = Readonly<Record<string, JsonAttribute | undefined>>;
export type JsonAttribute = { readonly vr?: string; readonly Value?: readonly unknown[] };

/** The attributes that this room asks for or reads. */
export const tags = {
  SOPClassUID: "00080016",
  SOPInstanceUID: "00080018",
  StudyDate: "00080020",
  Modality: "00080060",
  SeriesDescription: "0008103E",
  ReferencedSOPInstanceUID: "00081155",
  WarningReason: "00081196",
  FailureReason: "00081197",
  FailedSOPSequence: "00081198",
  ReferencedSOPSequence: "00081199",
  StudyInstanceUID: "0020000D",
  SeriesInstanceUID: "0020000E",
  InstanceNumber: "00200013",
  NumberOfSeriesRelatedInstances: "00201209",
} as const;
export type Tag = keyof typeof tags;

/** The first value of an attribute as text, "" where there is none; of a person's name, the alphabetic group. */
export function textOf(dataset: DicomJson, keyword: Tag): string {
  const value = dataset[tags[keyword]]?.Value?.[0];
  if (typeof value === "string" || typeof value === "number") return String(value);
  return typeof value === "object" && value !== null && "Alphabetic" in value ? String(value.Alphabetic) : "";
}

/** The items of a sequence. */
export function itemsOf(dataset: DicomJson, keyword: Tag): readonly DicomJson[] {
  return (dataset[tags[keyword]]?.Value ?? []) as readonly DicomJson[];
}

const largestBytes = 2 ** 28;

/** An answer's body as data sets; none where it has no body. Throws PacsError on what isn't DICOM JSON, or more than 256 MiB. */
export async function readDicomJson(answer: Answer): Promise<readonly DicomJson[]> {
  const { address, contentType } = answer;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of answer.chunks) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > largestBytes)
      throw new PacsError(address, `its answer has more than ${largestBytes} bytes of DICOM JSON`, {
        hint: "Ask for less at a time: a series, or an instance.",
      });
  }
  const text = Buffer.concat(chunks).toString("utf8");
  if (text.trim() === "") return [];
  try {
    const parsed: unknown = JSON.parse(text);
    const list: unknown[] = Array.isArray(parsed) ? parsed : [parsed];
    if (list.every((item) => typeof item === "object" && item !== null)) return list as DicomJson[];
  } catch {
    // Said below, with what came instead.
  }
  const start = text.slice(0, 80).replace(/\s+/g, " ");
  throw new PacsError(
    address,
    `answers ${contentType || "something without a type"}, expected DICOM JSON; it starts "${start}"`,
    { hint: "Check the path in the URL: Orthanc has /dicom-web, dcm4chee /dcm4chee-arc/aets/<AET>/rs." },
  );
}
