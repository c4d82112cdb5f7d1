import { type CalibrationManifest, encodePicture, type Prediction } from "@camkit/cam-core";
import { dataUri, escapeHtml, factsHtml, htmlPage, sectionHtml, type Tile } from "@camkit/cam-core/page";
import type { RemappedUid, Scan } from "../dicom/scan.ts";
import type { Provenance } from "../provenance.ts";
import type { Volume, VoxelMap } from "../volume/volume.ts";
import { drawContactSheet } from "./contact-sheet.ts";
import { type Faithfulness, faithfulnessHtml, faithfulnessWarnings } from "./faithfulness.ts";
import { disclaimer } from "./fused-picture.ts";
import { predictionHtml, predictionTiles, verdict } from "./prediction.ts";
import { spritesOf } from "./sprites.ts";
import type { MapStatistics } from "./statistics.ts";
import { css } from "./style.ts";
import { viewerHtml } from "./viewer.ts";
import { chanceInLungs, curveHtml, percent, placeHtml, placeWarnings } from "./where.ts";

/** What is known of an explained scan. */
export type ScanReport = {
  readonly scan: Scan;
  readonly volume: Volume;
  readonly map: VoxelMap;
  readonly statistics: MapStatistics;
  readonly provenance: Provenance;
  /** All classes, the likeliest first, and how honest their probabilities are known to be. */
  readonly predictions: readonly Prediction[];
  readonly calibration?: CalibrationManifest;
  readonly faithfulness?: Faithfulness;
  /** The scan's slices that the network saw. */
  readonly seenSlices?: readonly number[];
  /** Decisions, by name: window, mask, slices, crop, size. */
  readonly preprocessing: readonly (readonly [name: string, value: string])[];
  /** What must be said beside `scan.notes`: an assumed manifest, a map that is constant along z. */
  readonly notes?: readonly string[];
  /** What the model is for and where its limits lie, from its manifest. */
  readonly modelLimits?: readonly string[];
  readonly files: readonly OutputFile[];
  readonly signal?: AbortSignal;
};

/** A file beside the page; `name` relative to it. */
export type OutputFile = { readonly name: string; readonly what: string; readonly bytes?: number };

/**
 * An explained scan as one HTML page that opens from disk and fetches nothing: prediction, slices with the map, where it lies, how
 * far to trust it, how it was made. Without scripts a contact sheet stands for the browser of slices. About 37 kB per slice, 11 MB
 * for 300. The patient's name isn't on it.
 */
export async function reportPage(report: ScanReport): Promise<string> {
  const {
    scan,
    volume,
    map,
    statistics,
    provenance,
    predictions,
    calibration,
    faithfulness = {},
    modelLimits = [],
  } = report;
  const generator = `camkit ${provenance.camkitVersion}`;
  const warnings = [...placeWarnings(statistics), ...faithfulnessWarnings(faithfulness)];
  const sprites = await spritesOf(volume, map, report.signal);
  const sheet = await drawContactSheet(volume, map, statistics, {
    title: verdict(predictions, calibration),
    detail: `${provenance.model.name} · ${provenance.method} · ${provenance.target}`,
  });
  const picture = dataUri(await encodePicture(sheet, { format: "webp", quality: 82 }), "webp");
  const faithful = faithfulnessHtml(faithfulness);
  const sections = [
    sectionHtml(
      "Slices",
      `The map of “${provenance.target}” over the scan. Colour runs from the map's least to its greatest value in this scan.`,
      viewerHtml(volume, sprites, statistics, curveHtml(statistics, volume.geometry, report.seenSlices)),
    ),
    sectionHtml("Prediction", "", predictionHtml(predictions, provenance.target, calibration)),
    sectionHtml("Where the map lies", placeLead(statistics), placeHtml(statistics)),
    ...(faithful ? [sectionHtml("Does the model use what the map marks?", "", faithful)] : []),
    sectionHtml(
      "Contact sheet",
      "",
      `<img class="sheet-picture" src="${picture}" alt="The planes through the map's maximum, the slices with most of the map, and slices evenly over the scan">`,
    ),
    sectionHtml(
      "From the scan to the network",
      "",
      factsHtml(report.preprocessing) + listHtml([...scan.notes, ...(report.notes ?? [])]),
    ),
    sectionHtml("How it was made", "", factsHtml(provenanceFacts(provenance)) + listHtml(modelLimits)),
    sectionHtml("The scan", "", factsHtml(scanFacts(scan, volume)) + remappedHtml(scan.remapped)),
    sectionHtml("Files", "", filesHtml(report.files)),
  ];
  return htmlPage({
    title: verdict(predictions, calibration),
    lead: `${scan.modality}${scan.identity.StudyDate ? ` of ${date(scan.identity.StudyDate)}` : ""}, ${volume.geometry.shape[0]} slices: what ${provenance.model.name} saw in it, and where.`,
    generator,
    notes: [
      `${disclaimer}. Not a medical device: nothing here is a diagnosis, and no decision about a patient may rest on it.`,
      ...warnings,
    ],
    tiles: [...predictionTiles(predictions, calibration), ...tilesOf(statistics, faithfulness)],
    css,
    main: sections.join("\n"),
    footer: `<p>${disclaimer}. Made by ${escapeHtml(generator)} on ${provenance.time.toISOString()}.</p>`,
  });
}

function tilesOf({ energyInLungs, regions }: MapStatistics, { deletion }: Faithfulness): Tile[] {
  return [
    ...(energyInLungs === undefined || Number.isNaN(energyInLungs)
      ? []
      : [
          {
            value: percent(energyInLungs),
            label: "of the map lies in the lungs",
            note: `spread evenly: ${percent(chanceInLungs(regions))}`,
          },
        ]),
    ...(deletion && !Number.isNaN(deletion.value)
      ? [
          {
            value: deletion.value.toFixed(3),
            label: "area under deletion",
            note: `lower is better${deletion.random ? `; random order: ${deletion.random.area.toFixed(3)}` : ""}`,
          },
        ]
      : []),
  ];
}

function placeLead({ peak, threshold }: MapStatistics): string {
  const [k, r, c] = peak.index;
  const at = peak.positionMm.map((mm) => mm.toFixed(0)).join(", ");
  return `The map's maximum is in slice ${k + 1}, row ${r + 1}, column ${c + 1} (LPS ${at} mm). Thirds are those of each lung's height; shares are of the whole map; the last column is the volume where the map is ${threshold} or more.`;
}

function provenanceFacts(provenance: Provenance): [string, string][] {
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

function scanFacts({ modality, identity, frameOfReferenceUid }: Scan, { geometry }: Volume): [string, string][] {
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
    [
      "voxels",
      `${shape[0]} slices of ${shape[1]} × ${shape[2]}, ${spacingMm.map((mm) => Number(mm.toFixed(4))).join(" × ")} mm`,
    ],
    ["orientation", isAxial ? "along the patient's axes" : "oblique"],
    ["Study UID", identity.StudyInstanceUID],
    ["Series UID", identity.SeriesInstanceUID],
    ["frame of reference", frameOfReferenceUid ?? "none"],
  ];
  return told.filter((fact): fact is [string, string] => fact[1] !== undefined);
}

/** Few enough to be read; the whole list is in result.json. */
const mostRemapped = 40;

function remappedHtml(remapped: readonly RemappedUid[]): string {
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

function filesHtml(files: readonly OutputFile[]): string {
  const rows = files.map(
    ({ name, what, bytes }) =>
      `<tr><th><a href="${encodeURI(name)}">${escapeHtml(name)}</a></th><td class="text">${escapeHtml(what)}</td><td>${bytes === undefined ? "" : size(bytes)}</td></tr>`,
  );
  return `<div class="sheet"><table><tbody>${rows.join("")}</tbody></table></div>`;
}

const listHtml = (lines: readonly string[]) =>
  lines.length === 0 ? "" : `<ul class="list">${lines.map((line) => `<li>${escapeHtml(line)}</li>`).join("")}</ul>`;

const date = (dicom: string) => dicom.replace(/^(\d{4})(\d\d)(\d\d)$/, "$1-$2-$3");

function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1e6 ? `${Math.round(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
