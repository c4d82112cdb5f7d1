import { createExplainer, type ModelFile, numbersIn, openSession, pixelAffine, pixelInput } from "@camkit/cam-core";
import { planEvaluation } from "../step/plan.ts";
import { area, type Pictures, side } from "./pictures.ts";

const batch = 250;

type Options = { readonly threads?: number | undefined };

function preprocessing(model: ModelFile) {
  const manifest = Object.values(model.manifest!.inputs!)[0]!;
  return { manifest, affine: pixelAffine(manifest) };
}

/** What a model says of pictures [N, 32, 32, 3]: its first output, sample by sample. */
export async function scoresOf(model: ModelFile, pixels: Uint8Array, options: Options = {}): Promise<Float32Array> {
  const plan = planEvaluation({
    graph: model.graph,
    fields: { input: { dtype: "uint8", shape: [side, side, 3] } },
    input: preprocessing(model).manifest,
  });
  const session = await openSession(plan.graph, options);
  const output = Object.values(plan.outputs)[0]!;
  const said: number[] = [];
  try {
    for (let from = 0; from < pixels.length; from += batch * area * 3) {
      const data = pixels.subarray(from, from + batch * area * 3);
      const shape = [data.length / (area * 3), side, side, 3];
      const found = await session.run({ [plan.feeds.input!]: { dtype: "uint8", shape, data } }, [output]);
      said.push(...numbersIn(found[output]!));
    }
  } finally {
    await session.close();
  }
  return Float32Array.from(said);
}

/** The class that each row of scores names; of one score its sign does: 1 from 0 on. */
export function namedBy(scores: Float32Array, count: number): Uint8Array {
  const columns = scores.length / count;
  return Uint8Array.from({ length: count }, (_, i) => {
    if (columns === 1) return Number(scores[i]! >= 0);
    const row = scores.subarray(i * columns, (i + 1) * columns);
    return row.indexOf(row.reduce((a, b) => Math.max(a, b)));
  });
}

/**
 * Maps of pictures for one class each, which may be another for every picture: [N, 32 · 32], each between 0 and 1, all zero where
 * nothing speaks for the class. Small maps are enlarged as `camkit explain` shows them.
 */
export async function mapsOf(
  model: ModelFile,
  { count, pixels }: Pick<Pictures, "count" | "pixels">,
  classes: Uint8Array,
  method: string,
  options: Options = {},
): Promise<Float32Array> {
  const explainer = await createExplainer(model, { ...options, method, pixels: preprocessing(model) });
  const maps = new Float32Array(count * area);
  try {
    for (const index of new Set(classes)) {
      const asked = Array.from({ length: count }, (_, i) => i).filter((i) => classes[i] === index);
      for (let from = 0; from < asked.length; from += batch) {
        const taken = asked.slice(from, from + batch);
        const data = new Uint8Array(taken.length * area * 3);
        for (const [slot, i] of taken.entries())
          data.set(pixels.subarray(i * area * 3, (i + 1) * area * 3), slot * area * 3);
        const fed = { dtype: "uint8", shape: [taken.length, side, side, 3], data } as const;
        const { explanations } = await explainer.run({ [pixelInput]: fed }, [{ kind: "class", index }]);
        const found = explanations[0]!.map!.data as Float32Array;
        for (const [slot, i] of taken.entries()) maps.set(found.subarray(slot * area, (slot + 1) * area), i * area);
      }
    }
  } finally {
    await explainer.close();
  }
  return maps;
}
