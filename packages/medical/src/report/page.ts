import { type CalibrationManifest, encodePicture, type Prediction } from "@camkit/cam-core";
import { dataUri, escapeHtml, factsHtml, htmlPage, sectionHtml, type Tile } from "@camkit/cam-core/page";
import type { Scan } from "../dicom/scan.ts";
import { counted } from "../dicom/slice.ts";
import type { Provenance } from "../provenance.ts";
import type { Volume, VoxelMap } from "../volume/volume.ts";
import { drawContactSheet } from "./contact-sheet.ts";
import { date, filesHtml, listHtml, type OutputFile, provenanceFacts, remappedHtml, scanFacts } from "./facts.ts";
import { type Faithfulness, faithfulnessHtml, faithfulnessWarnings } from "./faithfulness.ts";
import { disclaimer } from "./fused-picture.ts";
import { type Answer, predictionHtml, predictionTiles, verdict } from "./prediction.ts";
import { spritesOf } from "./sprites.ts";
import type { MapStatistics } from "./statistics.ts";
import { css } from "./style.ts";
import { viewerHtml } from "./viewer.ts";
import { chanceInLungs, curveHtml, percent, placeHtml, placeWarnings } from "./where.ts";
import { ctDisplay, pictureDisplay } from "./window.ts";

/** What is known of an explained scan, or of a radiograph: a scan without a frame of reference, of one slice, values 0 … 255. */
export type ScanReport = {
  readonly scan: Scan;
  readonly volume: Volume;
  readonly map: VoxelMap;
  readonly statistics: MapStatistics;
  readonly provenance: Provenance;
  /** All classes, the likeliest first, and how honest their probabilities are known to be; none of a segmentation. */
  readonly predictions: readonly Prediction[];
  readonly calibration?: CalibrationManifest;
  /** Classes don't exclude each other. */
  readonly isMultiLabel?: boolean;
  readonly faithfulness?: Faithfulness;
  /** The scan's slices that the network saw. */
  readonly seenSlices?: readonly number[];
  /** Decisions, by name: window, mask, slices, crop, size. */
  readonly preprocessing: readonly (readonly [name: string, value: string])[];
  /** What must be said beside `scan.notes`: an assumed manifest, a map that is constant along z. */
  readonly notes?: readonly string[];
  readonly files: readonly OutputFile[];
  readonly signal?: AbortSignal;
};

/**
 * An explained scan as one HTML page that opens from disk and fetches nothing: prediction, slices with the map, where it lies, how
 * far to trust it, how it was made. Without scripts a contact sheet stands for the browser of slices. About 37 kB per slice, 11 MB
 * for 300. The patient's name isn't on it.
 */
export async function reportPage(report: ScanReport): Promise<string> {
  const { scan, volume, map, statistics, provenance, faithfulness = {} } = report;
  const generator = `camkit ${provenance.camkitVersion}`;
  const answer: Answer = { ...report, target: provenance.target };
  const isProjection = scan.frameOfReferenceUid === undefined;
  const what = isProjection ? "radiograph" : "scan";
  const display = isProjection ? pictureDisplay : ctDisplay;
  const sprites = await spritesOf(volume, map, display, report.signal);
  const curve = isProjection ? "" : curveHtml(statistics, volume.geometry, report.seenSlices);
  const sections: [title: string, lead: string, html: string][] = [
    [
      isProjection ? "Picture" : "Slices",
      `The map of “${provenance.target}” over the ${what}. Colour runs from the map's least to its greatest value.`,
      viewerHtml(volume, sprites, statistics, { display, isProjection, under: curve }),
    ],
    ["Prediction", "", predictionHtml(answer)],
    ["Where the map lies", placeLead(statistics, isProjection), isProjection ? "" : placeHtml(statistics)],
    ["Does the model use what the map marks?", "", faithfulnessHtml(faithfulness)],
    [isProjection ? "Without controls" : "Contact sheet", "", await sheetHtml(report, verdict(answer), isProjection)],
    [
      `From the ${what} to the network`,
      "",
      factsHtml(report.preprocessing) + listHtml([...scan.notes, ...(report.notes ?? [])]),
    ],
    ["How it was made", "", factsHtml(provenanceFacts(provenance)) + listHtml(provenance.model.limits ?? [])],
    [`The ${what}`, "", factsHtml(scanFacts(scan, volume)) + remappedHtml(scan.remapped)],
    ["Files", "", filesHtml(report.files)],
  ];
  const ofDate = scan.identity.StudyDate ? ` of ${date(scan.identity.StudyDate)}` : "";
  const slices = isProjection ? "" : `, ${counted(volume.geometry.shape[0], "slice")}`;
  return htmlPage({
    title: verdict(answer),
    lead: `${scan.modality}${ofDate}${slices}: what ${provenance.model.name} saw in it, and where.`,
    generator,
    notes: [
      `${disclaimer}. Not a medical device: nothing here is a diagnosis, and no decision about a patient may rest on it.`,
      ...(provenance.model.limits ?? []).slice(0, 1), // the gravest stands first; all follow below
      ...placeWarnings(statistics),
      ...faithfulnessWarnings(faithfulness),
    ],
    tiles: [...predictionTiles(answer), ...tilesOf(statistics, faithfulness)],
    css,
    main: sections
      .filter(([, lead, html]) => lead || html)
      .map((section) => sectionHtml(...section))
      .join("\n"),
    footer: `<p>${disclaimer}. Made by ${escapeHtml(generator)} on ${provenance.time.toISOString()}.</p>`,
  });
}

/** What stands for the browser of slices on paper and without scripts. */
async function sheetHtml(
  { volume, map, statistics, provenance: { model, method, target } }: ScanReport,
  title: string,
  isProjection: boolean,
): Promise<string> {
  const detail = `${model.name} · ${method} · ${target}`;
  const sheet = await drawContactSheet(volume, map, statistics, { title, detail, isProjection });
  const source = dataUri(await encodePicture(sheet, { format: "webp", quality: 82 }), "webp");
  const seen = isProjection
    ? "The radiograph with the map"
    : "The planes through the map's maximum, the slices with most of the map, and slices evenly over the scan";
  return `<img class="sheet-picture" src="${source}" alt="${seen}">`;
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

function placeLead({ peak, threshold, regions }: MapStatistics, isProjection: boolean): string {
  if (!(peak.value > 0)) return "The map is 0 everywhere: it lies nowhere.";
  const [k, r, c] = peak.index;
  if (isProjection) return `The map's maximum is in row ${r + 1}, column ${c + 1}.`;
  const at = peak.positionMm.map((mm) => mm.toFixed(0)).join(", ");
  const place = `The map's maximum is in slice ${k + 1}, row ${r + 1}, column ${c + 1} (LPS ${at} mm).`;
  const columns = `Thirds are those of each lung's height; shares are of the whole map; the last column is the volume where the map is ${threshold} or more.`;
  return regions.length > 0 ? `${place} ${columns}` : place;
}
