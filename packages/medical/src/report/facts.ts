import { escapeHtml } from "@camkit/cam-core/page";
import type { RemappedUid, Scan } from "../dicom/scan.ts";
import type { Provenance } from "../provenance.ts";
import type { Volume } from "../volume/volume.ts";

/** A file beside the page; `name` relative to it. */
export type OutputFile = { readonly name: string; readonly what: string; readonly bytes?: number };

export function provenanceFacts(provenance: Provenance): [string, string][] {
  const { model, method, layers, target, score, probability, provider, seed, time } = provenance;
  return [
    ["model", `${model.name}${model.version ? ` ${model.version}` : ""}`],
    ["SHA-256", model.sha256],
    ["method", method],
    ["layer", layers.join(", ")],
    ["target", target],
    ["score", `${score.toFixed(4)}${probability === undefined ? "" : `, probability ${probability.toFixed(4)}`}`],
    ["preprocessing", provenance.preprocessing],
    ["ran on", provider],
    ...(seed === undefined ? [] : [["seed", String(seed)] as [string, string]]),
    ["time", time.toISOString()],
    ["camkit", provenance.camkitVersion],
  ];
}

export function scanFacts({ modality, identity, frameOfReferenceUid }: Scan, { geometry }: Volume): [string, string][] {
  const { shape, spacingMm, directions } = geometry;
  const isAxial = directions.every((direction) => direction.some((d) => Math.abs(Math.abs(d) - 1) < 1e-3));
  const told: [string, string | undefined][] = [
    ["patient", identity.PatientID],
    [
      "study",
      [identity.StudyDescription, identity.StudyDate && date(identity.StudyDate)].filter(Boolean).join(", ") ||
        undefined,
    ],
    ["series", identity.SeriesDescription],
    ["scanner", [identity.Manufacturer, identity.ManufacturerModelName].filter(Boolean).join(" ") || undefined],
    ["modality", modality],
    ...(frameOfReferenceUid === undefined
      ? ([["pixels", `${shape[1]} × ${shape[2]}`]] as [string, string][])
      : ([
          [
            "voxels",
            `${shape[0]} slices of ${shape[1]} × ${shape[2]}, ${spacingMm.map((mm) => Number(mm.toFixed(4))).join(" × ")} mm`,
          ],
          ["orientation", isAxial ? "along the patient's axes" : "oblique"],
        ] as [string, string][])),
    ["Study UID", identity.StudyInstanceUID],
    ["Series UID", identity.SeriesInstanceUID],
    ["frame of reference", frameOfReferenceUid ?? "none"],
  ];
  return told.filter((fact): fact is [string, string] => fact[1] !== undefined);
}

/** Few enough to be read; the whole list is in result.json. */
const mostRemapped = 40;

export function remappedHtml(remapped: readonly RemappedUid[]): string {
  if (remapped.length === 0) return "";
  const rows = remapped
    .slice(0, mostRemapped)
    .map(
      ({ keyword, old, uid }) =>
        `<tr><th>${keyword}</th><td class="text">${escapeHtml(old) || '<span class="soft">empty</span>'}</td><td class="text">${uid}</td></tr>`,
    );
  const more =
    remapped.length > mostRemapped
      ? `<p class="soft">and ${remapped.length - mostRemapped} more, all in result.json</p>`
      : "";
  return `<details><summary>${remapped.length} UIDs were missing or illegal and have been replaced in every output</summary><div class="sheet"><table><thead><tr><th>attribute</th><td class="text soft">in the file</td><td class="text soft">instead</td></tr></thead><tbody>${rows.join("")}</tbody></table>${more}</div></details>`;
}

export function filesHtml(files: readonly OutputFile[]): string {
  const rows = files.map(
    ({ name, what, bytes }) =>
      `<tr><th><a href="${encodeURI(name)}">${escapeHtml(name)}</a></th><td class="text">${escapeHtml(what)}</td><td>${bytes === undefined ? "" : size(bytes)}</td></tr>`,
  );
  return `<div class="sheet"><table><tbody>${rows.join("")}</tbody></table></div>`;
}

export const listHtml = (lines: readonly string[]) =>
  lines.length === 0 ? "" : `<ul class="list">${lines.map((line) => `<li>${escapeHtml(line)}</li>`).join("")}</ul>`;

export const date = (dicom: string) => dicom.replace(/^(\d{4})(\d\d)(\d\d)$/, "$1-$2-$3");

function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1e6 ? `${Math.round(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
