import {
  AbortedError,
  benchModel,
  createExplainer,
  drawScene,
  type Explainer,
  type ExplainOptions,
  encodePicture,
  type Method,
  type ModelFile,
  methods,
  type Prediction,
  pixelAffine,
  pixelInput,
  predictionsOf,
  renderOverlay,
  type Scene,
  type Tensor,
} from "@camkit/cam-core";
import { sampleOf } from "../explain/diagnose.ts";
import { timeOf } from "../explain/provenance.ts";
import { breathe } from "../io.ts";
import { version } from "../version.ts";
import type { DemoContext } from "./section.ts";

export type SceneMap = {
  readonly method: string;
  readonly class: number;
  readonly label: string;
  readonly score: number;
  readonly probability: number;
  /** Where the map is highest, in pixels of the scene. */
  readonly peak: { readonly x: number; readonly y: number };
  /** Whether that pixel shows the object. */
  readonly hit: boolean;
  /** The overlay, as WebP. */
  readonly image: Uint8Array;
};

export type ShownScene = {
  readonly seed: number;
  readonly scene: Scene;
  readonly layer: string;
  readonly picture: Uint8Array;
  readonly predictions: readonly Prediction[];
  readonly maps: readonly SceneMap[];
};

/** Grad-CAM of every object in one scene. */
export async function explainScene(model: ModelFile, seed: number, context: DemoContext): Promise<ShownScene> {
  const scene = drawScene(seed);
  return withExplainer(model, "grad-cam", context, async (explainer) => {
    const { predictions, maps } = await mapsOf(model, explainer, scene, seed);
    const picture = await encodePicture(scenePicture(scene), { format: "webp" });
    return { seed, scene, layer: explainer.layers[0]!.value, picture, predictions, maps };
  });
}

/** One object of one scene, seen by every method. */
export async function compareMethods(model: ModelFile, scene: Scene, seed: number, context: DemoContext) {
  const object = scene.objects[0]!;
  const alone = { ...scene, objects: [object] };
  const maps: (SceneMap & Pick<Method, "summary"> & { readonly at: string })[] = [];
  for (const method of methods)
    await withExplainer(model, method.name, context, async (explainer) => {
      const [map] = (await mapsOf(model, explainer, alone, seed)).maps;
      maps.push({ ...map!, at: explainer.layers[0]?.value ?? "the input", summary: method.summary });
    });
  return { seed, scene, object, label: object.label, maps };
}

/** The pointing game on many scenes: how often Grad-CAM's maximum lies on the object, and how often a blind guess would. */
export async function measurePointing(model: ModelFile, from: number, count: number, context: DemoContext) {
  return withExplainer(model, "grad-cam", context, async (explainer) => {
    let [hits, maps, covered] = [0, 0, 0];
    for (let seed = from; seed < from + count; seed++) {
      await breathe();
      const scene = drawScene(seed);
      const { explanations } = await run(explainer, scene);
      scene.objects.forEach(({ mask }, i) => {
        maps++;
        if (mask[peakIndex(explanations[i]!.map!, 0)] === 1) hits++;
        covered += mask.reduce((sum, value) => sum + value, 0) / mask.length;
      });
    }
    return { firstSeed: from, scenes: count, maps, hits, chance: covered / maps };
  });
}

/** Explanation against forward pass, alternating in one process. */
export async function measureSpeed(model: ModelFile, { device, threads }: DemoContext) {
  return benchModel(model.path, { method: "grad-cam", device, threads });
}

async function withExplainer<T>(
  model: ModelFile,
  method: string,
  { device, threads, signal }: DemoContext,
  use: (explainer: Explainer) => Promise<T>,
): Promise<T> {
  await breathe();
  if (signal.aborted) throw new AbortedError();
  const manifest = Object.values(model.manifest!.inputs!)[0]!;
  const options: ExplainOptions = {
    method,
    device,
    signal,
    pixels: { manifest, affine: pixelAffine(manifest) },
    threads,
  };
  const explainer = await createExplainer(model, options);
  try {
    return await use(explainer);
  } finally {
    await explainer.close();
  }
}

function run(explainer: Explainer, scene: Scene) {
  const tensor: Tensor = { dtype: "uint8", shape: [1, scene.height, scene.width, 3], data: scene.image };
  return explainer.run(
    { [pixelInput]: tensor },
    scene.objects.map(({ classIndex }) => ({ kind: "class", index: classIndex })),
  );
}

async function mapsOf(model: ModelFile, explainer: Explainer, scene: Scene, seed: number) {
  const { logits, explanations } = await run(explainer, scene);
  const predictions = predictionsOf(logits, 1, 0, "sigmoid", model.labels);
  const maps: SceneMap[] = [];
  for (const [i, { map, scores }] of explanations.entries()) {
    const object = scene.objects[i]!;
    const at = peakIndex(map!, 0);
    const probability = predictions.find((prediction) => prediction.class === object.classIndex)!.probability!;
    const drawn = await renderOverlay(scenePicture(scene), map!);
    const said = {
      method: explainer.method.name,
      class: object.classIndex,
      label: object.label,
      score: scores[0]!,
      probability,
    };
    const image = await encodePicture(drawn, {
      format: "webp",
      quality: 90,
      provenance: {
        software: `camkit ${version}`,
        model: { name: model.name, sha256: model.sha256() },
        layers: explainer.layers.map((layer) => layer.value),
        ...said,
        provider: explainer.device,
        seed,
        time: timeOf(),
      },
    });
    const peak = { x: (at % scene.width) + 0.5, y: Math.floor(at / scene.width) + 0.5 };
    maps.push({ ...said, peak, hit: object.mask[at] === 1, image });
  }
  return { predictions, maps };
}

function scenePicture({ image, width, height }: Scene) {
  return { width, height, rgb: image };
}

function peakIndex(map: Tensor, sample: number): number {
  const values = sampleOf(map, sample);
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}
