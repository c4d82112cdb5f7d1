import { createExplainer, type Explainer, type Model, numbersIn } from "@camkit/cam-core";
import type { Generator } from "@camkit/cam-train";
import { averagePrecision, energyInside, pointing } from "../phantom/truth.ts";
import { mapAt, mergedMap } from "../process/maps.ts";
import type { Vec3 } from "../volume/geometry.ts";

/** A way to make a map: a method at one layer, or at several that are averaged. */
export type Way = { readonly name: string; readonly method: string; readonly layers: readonly string[] };

/** One phantom: what it is, what the model says, and where its map of that answer lies. */
export type PhantomCase = {
  readonly label: number;
  readonly logits: readonly number[];
  /** Cells of the network's input that lie in a lesion, and what a random cell earns: their share. */
  readonly lesionCells: number;
  readonly chance: number;
  /** By way; undefined for phantoms without a lesion. */
  readonly aims: Readonly<Record<string, Aim>> | undefined;
};

export type Aim = {
  /** Whether the map's maximum lies in a lesion; of tied cells the share inside. */
  readonly pointing: number;
  readonly averagePrecision: number;
  readonly energy: number;
};

export type MeasureOptions = {
  readonly ways: readonly Way[];
  readonly threads?: number | undefined;
  readonly onCase?: (done: number, total: number) => void;
};

/**
 * Runs a model over phantoms as a network sees them, and makes a map of each answer in every way, on the cells of the network's
 * input: rectified, linear between the layer's cells. Judged by the lesions' exact masks in the same cells.
 */
export async function measurePhantoms(
  model: Model,
  phantoms: Generator,
  { ways, threads, onCase }: MeasureOptions,
): Promise<PhantomCase[]> {
  const options = { finish: false, threads };
  const explainers: Explainer[] = [];
  const input = model.graph.inputs[0]!.name;
  try {
    for (const { method, layers } of ways)
      explainers.push(await createExplainer(model, { ...options, method, layers }));
    const cases: PhantomCase[] = [];
    for (let i = 0; i < phantoms.count; i++) {
      const sample = await phantoms.load(i);
      const fed = sample.input!;
      const shape = fed.shape.slice(1) as unknown as Vec3;
      const lesion = sample.mask!.data as Uint8Array;
      const lesionCells = lesion.reduce((sum, inside) => sum + inside, 0);
      const aims: Record<string, Aim> = {};
      let logits: readonly number[] = [];
      for (const [w, explainer] of explainers.entries()) {
        if (w > 0 && lesionCells === 0) break;
        const found = await explainer.run({ [input]: { ...fed, shape: [1, ...fed.shape] } });
        logits = numbersIn(found.logits);
        if (lesionCells === 0) break;
        const { raw } = found.explanations[0]!;
        const maps = raw.map((map, l) => ({ layer: ways[w]!.layers[l]!, raw: map }));
        const map = mapAt(mergedMap(maps, shape), shape).data as Float32Array;
        aims[ways[w]!.name] = {
          pointing: pointing(map, lesion),
          averagePrecision: averagePrecision(map, lesion),
          energy: energyInside(map, lesion),
        };
      }
      cases.push({
        label: Number(sample.label!.data[0]),
        logits,
        lesionCells,
        chance: lesionCells / lesion.length,
        aims: lesionCells === 0 ? undefined : aims,
      });
      onCase?.(i + 1, phantoms.count);
    }
    return cases;
  } finally {
    for (const explainer of explainers) await explainer.close();
  }
}

/** The mean over the cases with lesions of what a way earns, and of what chance would. */
export function meanAims(
  cases: readonly PhantomCase[],
  way: string,
): Aim & { readonly chance: number; readonly cases: number } {
  const aimed = cases.filter(({ aims }) => aims !== undefined);
  const mean = (value: (one: PhantomCase) => number) => aimed.reduce((sum, one) => sum + value(one), 0) / aimed.length;
  const of = (key: keyof Aim) =>
    mean(({ aims }) => {
      const value = aims![way]![key];
      return Number.isNaN(value) ? 0 : value; // a map that is 0 everywhere has no energy anywhere
    });
  return {
    pointing: of("pointing"),
    averagePrecision: of("averagePrecision"),
    energy: of("energy"),
    chance: mean(({ chance }) => chance),
    cases: aimed.length,
  };
}

/** The share of phantoms whose likeliest class is theirs. */
export function accuracyOf(cases: readonly PhantomCase[]): number {
  const right = cases.filter(({ label, logits }) => logits.indexOf(Math.max(...logits)) === label);
  return right.length / cases.length;
}
