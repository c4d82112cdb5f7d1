import type { Instance } from "./instance.ts";

/** SOP classes that hold no pictures of a patient, or results of other programs: PS3.4, B.5. By their UID after "1.2.840.10008.". */
const results: Readonly<Record<string, string>> = {
  "1.3.10": "a directory of files (DICOMDIR)",
  "5.1.4.1.1.66.4": "a segmentation",
  "5.1.4.1.1.66.7": "a label map segmentation",
  "5.1.4.1.1.30": "a parametric map",
  "5.1.4.1.1.481.2": "a radiotherapy dose",
  "5.1.4.1.1.481.3": "a radiotherapy structure set",
  "5.1.4.1.1.481.5": "a radiotherapy plan",
  "5.1.4.1.1.88.59": "a key object selection",
  "5.1.4.1.1.66": "raw data",
  "5.1.4.1.1.66.1": "a spatial registration",
  "5.1.4.1.1.104.1": "an encapsulated PDF",
};

/** Reports are 5.1.4.1.1.88.…, presentation states 5.1.4.1.1.11.…. */
const families: readonly (readonly [prefix: string, name: string])[] = [
  ["5.1.4.1.1.88.", "a structured report"],
  ["5.1.4.1.1.11.", "a presentation state"],
];

/** Why an instance is no image to look at; undefined for those that are. */
export function nonImage({ sopClassUid, pixels, modality }: Instance): string | undefined {
  const short = sopClassUid.replace(/^1\.2\.840\.10008\./, "");
  const name = results[short] ?? families.find(([prefix]) => short.startsWith(prefix))?.[1];
  if (name !== undefined) return name;
  return pixels === undefined
    ? `no image: ${modality || "no modality"}, SOP class ${sopClassUid || "missing"}`
    : undefined;
}
