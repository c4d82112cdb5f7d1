import { createExplainer, type ModelFile, pixelAffine, pixelInput, sceneLabels, type Tensor } from "@camkit/cam-core";
import type { Drawing } from "./drawings.ts";
import { type Aim, aimOf, enlarge } from "./pointing.ts";

/** One object of one scene. */
export type ObjectAim = Aim & { readonly scene: number; readonly class: number };

/** Maps explained at a time. */
const batch = 64;

/**
 * Grad-CAM of every object of some scenes, found by the classifier or not, at the manifest's target layer, enlarged to the
 * picture and judged by the object's visible mask.
 */
export async function measureAim(
  model: ModelFile,
  scenes: readonly Drawing[],
  options: { threads?: number } = {},
): Promise<ObjectAim[]> {
  const manifest = Object.values(model.manifest!.inputs!)[0]!;
  const [height, width] = manifest.size as [number, number];
  const explainer = await createExplainer(model, {
    ...options,
    method: "grad-cam",
    pixels: { manifest, affine: pixelAffine(manifest) },
    finish: false,
  });
  const found: ObjectAim[] = [];
  try {
    for (const [index] of sceneLabels.entries()) {
      const having = scenes.flatMap(({ classes }, i) => (classes.includes(index + 1) ? [i] : []));
      for (let at = 0; at < having.length; at += batch) {
        const taken = having.slice(at, at + batch);
        const data = new Uint8Array(taken.length * height * width * 3);
        for (const [slot, scene] of taken.entries()) data.set(scenes[scene]!.image, slot * height * width * 3);
        const pixels: Tensor = { dtype: "uint8", shape: [taken.length, height, width, 3], data };
        const { explanations } = await explainer.run({ [pixelInput]: pixels }, [{ kind: "class", index }]);
        const raw = explanations[0]!.raw[0]!;
        const [, rows, columns] = raw.shape as [number, number, number];
        for (const [slot, scene] of taken.entries()) {
          const cells = (raw.data as Float32Array).subarray(slot * rows * columns, (slot + 1) * rows * columns);
          const mask = scenes[scene]!.classes.map((code) => Number(code === index + 1));
          found.push({ scene, class: index, ...aimOf(enlarge(cells, rows, columns, height, width), mask) });
        }
      }
    }
  } finally {
    await explainer.close();
  }
  return found;
}
