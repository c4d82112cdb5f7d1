import { join } from "node:path";
import {
  type CalibrationManifest,
  checkStated,
  defaultLayers,
  type Graph,
  groundwork,
  type InputManifest,
  LayerError,
  loadModel,
  type Manifest,
  type MeasuredResult,
  type ModelFile,
  parseManifest,
  writeAtomic,
  writeModel,
} from "@camkit/cam-core";
import { inferenceForm } from "../network/inference-form.ts";
import type { PreparedRun } from "./recipe.ts";
import type { Measured } from "./results.ts";

/** Names of the deployed files in a run's folder. */
export const deployed = { model: "model.onnx", manifest: "model.camkit.json" } as const;

/**
 * Refuses what the deployed model's manifest couldn't say, before anything is trained. Throws ManifestError.
 */
export function checkDeployable(run: PreparedRun): void {
  const where = "the model's manifest, as this configuration makes it";
  const { inputs } = parseManifest(JSON.parse(JSON.stringify(firstManifest(run, run.recipe.graph))), where);
  for (const info of run.recipe.graph.inputs) if (inputs?.[info.name]) checkStated(where, info, inputs[info.name]!);
}

/**
 * Writes the trained network as it is used, without dropout. Batch norms stay nodes: ONNX Runtime folds
 * them when it loads the file, layers keep their names, and the file can be trained further.
 *
 * @returns the file as loaded, with what its manifest will say of inputs, classes and output
 */
export async function writeDeployed(
  run: PreparedRun,
  weights: Readonly<Record<string, Float32Array>>,
  folder: string,
): Promise<ModelFile> {
  const graph = inferenceForm(run.recipe.graph, weights);
  const path = join(folder, deployed.model);
  await writeAtomic(path, writeModel(graph).model);
  return { ...(await loadModel(path)), manifest: firstManifest(run, graph) };
}

function firstManifest({ config, recipe, described, tokens }: PreparedRun, graph: Graph): Manifest {
  const { classes, labelKind } = recipe.train.dataset;
  const inputs: Record<string, InputManifest> = described ? { [graph.inputs[0]!.name]: described } : {};
  // One logit stands between two classes: what speaks for the second.
  const one = graph.outputs[0]!.shape?.[1] === 1 ? "sigmoid" : "softmax";
  const activation = { class: one, "multi-label": "sigmoid", values: undefined } as const;
  const chosen = activation[labelKind];
  const { name = config.name!, version, licence, source, intendedUse, limits, targetLayer } = config.manifest;
  return {
    formatVersion: 1,
    name,
    ...(version === undefined ? {} : { version }),
    ...(licence === undefined ? {} : { licence }),
    ...(source === undefined ? {} : { source }),
    inputs,
    ...(classes === undefined ? {} : { classes: [...classes] }),
    output: { name: graph.outputs[0]!.name, kind: "logits", ...(chosen ? { activation: chosen } : {}) },
    ...(targetLayer === undefined ? {} : { targetLayer }),
    ...(tokens === undefined ? {} : { tokens }),
    ...(intendedUse === undefined ? {} : { intendedUse }),
    ...(limits === undefined ? {} : { limits }),
  };
}

/** Writes the manifest with what was measured; `extension` says how the model was made. */
export async function writeManifest(
  model: ModelFile,
  measured: readonly Measured[],
  calibration: CalibrationManifest | undefined,
  extension: object,
): Promise<Manifest> {
  const path = model.path.replace(/onnx$/, "camkit.json");
  const targetLayer = model.manifest!.targetLayer ?? layerOf(model);
  const manifest: Manifest = {
    ...model.manifest!,
    sha256: model.sha256(),
    ...(targetLayer === undefined ? {} : { targetLayer }),
    ...(calibration ? { calibration } : {}),
    results: Object.fromEntries(measured.flatMap(resultsOf)),
    extensions: { "@camkit/cam-train": extension },
  };
  const text = `${JSON.stringify(manifest, null, 2)}\n`;
  parseManifest(JSON.parse(text), path);
  await writeAtomic(path, text);
  return manifest;
}

/** The last layer with features in space; undefined for a network without any. */
function layerOf(model: ModelFile): string | undefined {
  try {
    return defaultLayers(groundwork(model))[0]!.value;
  } catch (error) {
    if (error instanceof LayerError) return undefined;
    throw error;
  }
}

/** `test/accuracy` and so on; what the samples don't determine is left out. */
function resultsOf({ name, measurement, baseline }: Measured): [string, MeasuredResult][] {
  return measurement.metrics
    .filter(({ value }) => Number.isFinite(value))
    .map((metric) => [
      `${name}/${metric.name}`,
      {
        value: metric.value,
        ...(metric.name === "accuracy" && baseline !== undefined ? { baseline } : {}),
        ...(metric.interval && Number.isFinite(metric.interval.low)
          ? { interval: [metric.interval.low, metric.interval.high] as [number, number] }
          : {}),
        data: `${measurement.count} samples`,
      },
    ]);
}
