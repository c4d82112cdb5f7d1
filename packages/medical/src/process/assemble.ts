import { activationOf, groundwork, type Model, predictionsOf, ranOnWarnings, type Tensor } from "@camkit/cam-core";
import type { ExplainedVolume } from "../networks/index.ts";
import type { ExplainedScan } from "./explained-scan.ts";
import type { ExplainRequest } from "./request.ts";
import type { Stages } from "./stages.ts";

/** What a network said, classifier or segmentation. */
export type Found = Pick<ExplainedVolume, "classIndex" | "score" | "maps" | "method" | "ranOn" | "notes"> & {
  /** Of a classifier. */
  readonly logits?: Float32Array;
  readonly structures: ExplainedScan["structures"];
  readonly windows: number;
};

export type Parts = Pick<ExplainedScan, "scan" | "volume" | "map" | "statistics" | "faithfulness" | "seenSlices"> & {
  readonly found: Found;
  /** What was done to the scan before the network saw it. */
  readonly words: string;
  readonly notes: readonly string[];
};

/** Puts together what is known of an explained scan: predictions, provenance, notes. */
export function assembled(
  request: ExplainRequest,
  { stages }: Stages,
  { found, words, notes, ...parts }: Parts,
): ExplainedScan {
  const { model } = request.model;
  const { calibration, version, limits } = model.manifest ?? {};
  const predictions = predictionsIn(model, found.logits);
  const probability = predictions.find((prediction) => prediction.class === found.classIndex)?.probability;
  return {
    ...parts,
    provenance: {
      camkitVersion: request.camkitVersion,
      model: {
        name: model.name,
        ...(version === undefined ? {} : { version }),
        sha256: model.sha256(),
        ...(limits ? { limits } : {}),
      },
      method: found.method,
      layers: found.maps.map(({ layer }) => layer),
      target: model.labels[found.classIndex] ?? `class ${found.classIndex}`,
      score: found.score,
      ...(probability === undefined ? {} : { probability }),
      preprocessing: words,
      provider: found.ranOn.device,
      time: request.time,
    },
    predictions,
    classIndex: found.classIndex,
    structures: found.structures,
    ...(calibration ? { calibration } : {}),
    isMultiLabel: activationIn(model) === "sigmoid" && (found.logits?.length ?? 0) > 1,
    preprocessing: [["preparation", words]],
    notes: [...request.model.notes, ...ranOnWarnings(found.ranOn), ...notes, ...found.notes],
    ranOn: found.ranOn,
    stages,
  };
}

/** How the explained output's scores become probabilities. */
export function activationIn(model: Model) {
  const output = model.manifest?.output?.name ?? model.graph.outputs[0]!.name;
  return activationOf(groundwork(model).squashedBy, model, output);
}

/** A classifier's classes with calibrated probabilities, the likeliest first. */
export function predictionsIn(model: Model, logits: Float32Array | undefined): ExplainedScan["predictions"] {
  if (logits === undefined) return [];
  const tensor: Tensor = { dtype: "float32", shape: [1, logits.length], data: logits };
  return predictionsOf(tensor, 1, 0, activationIn(model), model.labels, model.manifest?.calibration?.temperature);
}
