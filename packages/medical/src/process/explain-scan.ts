import { InputError, type Model } from "@camkit/cam-core";
import type { Scan } from "../dicom/scan.ts";
import {
  explainSegmentation,
  explainVolume,
  openVolumeScorer,
  type PreparedScan,
  prepareScan,
  segmentVolume,
  type VolumeOptions,
} from "../networks/index.ts";
import { mapOnScan } from "../preprocess/index.ts";
import { statistics, voxelMl } from "../report/statistics.ts";
import type { Vec3 } from "../volume/geometry.ts";
import type { Volume } from "../volume/volume.ts";
import { assembled, type Found } from "./assemble.ts";
import { lungBaseline } from "./baseline.ts";
import type { ExplainedScan } from "./explained-scan.ts";
import { measureFaithfulness } from "./faithfulness.ts";
import { emptyNotes, isEmpty, mapAt, mergedMap } from "./maps.ts";
import { classAsked, type ExplainRequest, optionsOf } from "./request.ts";
import type { Stages } from "./stages.ts";

/**
 * Explains a 3-D network's answer about a scan: preparation, run, map on the scan's own grid, its statistics, and what can be
 * measured of its faithfulness. Throws InputError for a network that takes no volumes, NoLungsError, EmptyClassError, UnknownNameError, AbortedError, what the engine throws.
 */
export async function explainScan(
  scan: Scan,
  volume: Volume,
  request: ExplainRequest,
  stages: Stages,
): Promise<ExplainedScan> {
  const { model, medical } = request.model;
  const { preprocess } = medical;
  if (preprocess === undefined)
    throw new InputError(
      `${model.name} takes no volumes, and the series is a scan of ${scan.geometry.shape[0]} slices`,
      {
        hint: "Give a network whose input is [N, C, D, H, W]; one for pictures explains a radiograph.",
      },
    );
  const asked = classAsked(request);
  const prepared = await stages.run("preparing", () => prepareScan(volume, preprocess));
  const found = await stages.run("explaining", () =>
    medical.task === "segmentation"
      ? segmented(model, prepared, volume, asked, optionsOf(request))
      : classified(model, prepared, asked, optionsOf(request)),
  );
  const inputShape = prepared.tensor.shape.slice(2) as unknown as Vec3;
  const raw = mergedMap(found.maps, inputShape);
  const map = mapOnScan(raw, prepared.placement, volume.geometry);
  const measured = await stages.run("statistics", () =>
    statistics(map, prepared.lungMask, { threshold: request.threshold }),
  );
  const faithfulness =
    request.metrics.length === 0 || medical.task === "segmentation" || isEmpty(measured)
      ? undefined
      : await stages.run("faithfulness", (onProgress) =>
          measureFaithfulness({
            names: request.metrics,
            model,
            classIndex: found.classIndex,
            input: prepared.tensor,
            map: mapAt(raw, inputShape),
            baseline: lungBaseline(preprocess),
            explain: async (changed) => {
              const again = await classified(changed, prepared, found.classIndex, optionsOf(request));
              return mapAt(mergedMap(again.maps, inputShape), inputShape);
            },
            openWindows: found.windows === 1 ? undefined : () => openVolumeScorer(model, optionsOf(request)),
            device: request.device,
            threads: request.threads,
            signal: request.signal,
            onProgress,
          }),
        );
  const slices = prepared.placement.axes.find(({ scanAxis }) => scanAxis === 0)?.centres;
  return assembled(request, stages, {
    scan,
    volume,
    map,
    found,
    statistics: measured,
    ...(faithfulness ? { faithfulness } : {}),
    ...(slices ? { seenSlices: [...new Set(slices.map(Math.round))].sort((a, b) => a - b) } : {}),
    words: prepared.words,
    notes: [...prepared.notes, ...structureNotes(found.structures), ...emptyNotes(measured, found.method)],
  });
}

async function classified(
  model: Model,
  { tensor }: PreparedScan,
  classIndex: number | undefined,
  options: VolumeOptions,
): Promise<Found> {
  return { ...(await explainVolume(model, tensor, { ...options, classIndex })), structures: [] };
}

/** Where no class is asked for, the one that takes most of the scan, besides the background (0). */
async function segmented(
  model: Model,
  { tensor, placement }: PreparedScan,
  { geometry }: Volume,
  asked: number | undefined,
  options: VolumeOptions,
): Promise<Found> {
  const cellMl = voxelMl(geometry) * placement.axes.reduce((product, { centres }) => product * stepOf(centres), 1);
  const volumes = (labels: Uint16Array) => {
    const counts = new Map<number, number>();
    for (const label of labels) if (label > 0) counts.set(label, (counts.get(label) ?? 0) + 1);
    return [...counts]
      .map(([index, count]) => ({
        class: index,
        ...(model.labels[index] === undefined ? {} : { label: model.labels[index] }),
        volumeMl: count * cellMl,
      }))
      .sort((a, b) => b.volumeMl - a.volumeMl);
  };
  const segmentation = await segmentVolume(model, tensor, options);
  const classIndex = asked ?? volumes(segmentation.labels)[0]?.class ?? 1;
  const found = await explainSegmentation(model, tensor, { ...options, classIndex, segmentation });
  return { ...found, structures: volumes(found.labels) };
}

/** The scan's voxels from one cell to the next. */
function stepOf(centres: readonly number[]): number {
  return centres.length > 1 ? Math.abs(centres.at(-1)! - centres[0]!) / (centres.length - 1) : 1;
}

function structureNotes(structures: ExplainedScan["structures"]): string[] {
  return structures.map(
    ({ class: index, label, volumeMl }) => `segmented: ${label ?? `class ${index}`} ${volumeMl.toFixed(1)} ml`,
  );
}
