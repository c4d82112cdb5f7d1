import {
  createExplainer,
  float32,
  type ModelFile,
  numbersIn,
  pixelAffine,
  pixelInput,
  sceneLabels,
  type Tensor,
} from "@camkit/cam-core";
import { ConfigError } from "../errors.ts";
import { sigmoids } from "../metrics/logits.ts";
import { type MultiLabelScores, multiLabelScores } from "../metrics/scores.ts";
import type { Drawing } from "./drawings.ts";
import { type Aim, aimOf, enlarge } from "./pointing.ts";

/** One object of one scene, and its map [h, w] at the layer's size. */
export type ObjectAim = Aim & { readonly scene: number; readonly class: number; readonly map: Tensor };

/** What a scene classifier answers, and where it looks. */
export type SceneMeasurement = {
  readonly scores: MultiLabelScores;
  /** Every object of every scene, found by the classifier or not. */
  readonly aims: readonly ObjectAim[];
};

/** Scenes explained at a time. */
const batch = 64;

/**
 * Runs a model with Grad-CAM over scenes: one map for each object, at the manifest's target layer, enlarged to the picture and
 * judged by the object's visible mask. Throws ConfigError for a model without manifest, and what explaining throws.
 */
export async function measureScenes(
  model: ModelFile,
  scenes: readonly Drawing[],
  options: { readonly threads?: number | undefined } = {},
): Promise<SceneMeasurement> {
  const manifest = Object.values(model.manifest?.inputs ?? {})[0];
  if (!manifest)
    throw new ConfigError(`${model.path}: nothing says how a scene becomes its input`, {
      hint: "A manifest beside it does: model.camkit.json.",
    });
  const [height, width] = manifest.size as [number, number];
  const pixels = { manifest, affine: pixelAffine(manifest) };
  const explainer = await createExplainer(model, { ...options, method: "grad-cam", pixels, finish: false });
  const targets = sceneLabels.map((_, index) => ({ kind: "class", index }) as const);
  const logits: number[] = [];
  const aims: ObjectAim[] = [];
  try {
    for (let first = 0; first < scenes.length; first += batch) {
      const taken = scenes.slice(first, first + batch);
      const images = new Uint8Array(taken.length * height * width * 3);
      for (const [slot, { image }] of taken.entries()) images.set(image, slot * image.length);
      const fed: Tensor = { dtype: "uint8", shape: [taken.length, height, width, 3], data: images };
      const found = await explainer.run({ [pixelInput]: fed }, targets);
      logits.push(...numbersIn(found.logits));
      for (const [slot, { classes }] of taken.entries())
        for (const [index, { raw }] of found.explanations.entries()) {
          const mask = classes.map((code) => Number(code === index + 1));
          if (!mask.includes(1)) continue;
          const [, rows, columns] = raw[0]!.shape as [number, number, number];
          const cells = (raw[0]!.data as Float32Array).slice(slot * rows * columns, (slot + 1) * rows * columns);
          const aim = aimOf(enlarge(cells, rows, columns, height, width), mask);
          aims.push({ scene: first + slot, class: index, map: float32([rows, columns], cells), ...aim });
        }
    }
  } finally {
    await explainer.close();
  }
  const labels = scenes.flatMap(({ classes }) => sceneLabels.map((_, index) => Number(classes.includes(index + 1))));
  const probabilities = sigmoids(Float32Array.from(logits));
  return { scores: multiLabelScores({ probabilities, labels, classes: sceneLabels }), aims };
}
