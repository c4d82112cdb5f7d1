import { AbortedError, InputError } from "../errors.ts";
import type { Tensor } from "../tensor.ts";
import { defineMetric, type Measured, type MeasureOptions } from "./metric.ts";
import { type Draw, type WeightedLayer, weightedLayers, withRedrawn } from "./redraw.ts";
import { spearman } from "./spearman.ts";
import { ssim } from "./ssim.ts";

/** `cascading`: from the output down, each stage on top of those before. `independent`: each stage alone. */
export const randomisationOrders = ["cascading", "independent"] as const;

export type RandomisationOptions = MeasureOptions & {
  readonly order?: (typeof randomisationOrders)[number];
  readonly draw?: Draw;
  readonly seed?: number;
  /** Layers are put together in about equal groups until there are no more stages than this. Default: a stage per layer */
  readonly stages?: number;
};

export type RandomisationStage = {
  /** The layers whose weights this stage drew anew, the one nearest the output first. */
  readonly layers: readonly string[];
  /** Rank correlation with the map of the true model, NaN where one of the two is constant. */
  readonly spearman: number;
  /** Structural similarity of the two, each scaled to 0..1. */
  readonly ssim: number;
};

export type RandomisationMeasured = Measured & { readonly stages: readonly RandomisationStage[] };

/** From here on a map of other weights is much the same map. */
const alike = 0.7;

/**
 * Whether the map depends on what the model learnt: weights are drawn anew, layer by layer, and the map is made again for the same
 * class. A method that shows the input's edges whatever the weights keeps its map; one that can be trusted loses it.
 *
 * The value is the rank correlation of |map| after the last stage, all weights drawn anew (`cascading`), or the mean over stages
 * (`independent`); NaN when no such map has ranks. Source: Adebayo et al. 2018, arXiv:1810.03292, section 3.
 */
export const randomisation = defineMetric({
  name: "randomisation",
  title: "weight randomisation",
  better: "lower",
  range: [-1, 1],
  source: "arXiv:1810.03292",
  needs: ["map", "model", "explain"],
  async measure({ map, model, explain }, options: RandomisationOptions): Promise<RandomisationMeasured> {
    const { order = "cascading", draw = "normal", seed = 42, signal, onProgress } = options;
    const layers = weightedLayers(model.graph);
    if (layers.length === 0)
      throw new InputError(`"${model.name}" has no weights of rank 2 or more to draw anew`, {
        hint: "Weights are looked for in Conv, Gemm, MatMul and recurrent nodes.",
      });
    const groups = grouped(layers, Math.min(options.stages ?? layers.length, layers.length));
    const original = magnitudes(map);
    const shape = map.shape.filter((size, axis) => !(axis === 0 && size === 1));
    const stages: RandomisationStage[] = [];
    const unchanged: string[] = [];
    let drawn: readonly string[] = [];
    for (const group of groups) {
      if (signal?.aborted) throw new AbortedError();
      const weights = group.flatMap((layer) => layer.weights);
      drawn = order === "cascading" ? [...drawn, ...weights] : weights;
      const made = magnitudes(await explain(withRedrawn(model, drawn, seed, draw)));
      if (made.length !== original.length)
        throw new InputError(`a map of ${made.length} positions beside one of ${original.length}`);
      const names = group.map(({ name }) => name);
      if (made.every((value, i) => value === original[i])) unchanged.push(...names);
      stages.push({ layers: names, spearman: spearman(original, made), ssim: ssim(original, made, shape) });
      onProgress?.(stages.length, groups.length);
    }
    return { ...summary(stages, order), warnings: warningsOf(stages, unchanged, order), stages };
  },
});

function summary(
  stages: readonly RandomisationStage[],
  order: RandomisationOptions["order"],
): Pick<Measured, "value" | "reason"> {
  const known = stages.map((stage) => stage.spearman).filter((value) => !Number.isNaN(value));
  const value =
    order === "independent" ? known.reduce((sum, each) => sum + each, 0) / known.length : stages.at(-1)!.spearman;
  return Number.isNaN(value) ? { value, reason: "a constant map has no rank correlation" } : { value };
}

function warningsOf(
  stages: readonly RandomisationStage[],
  unchanged: readonly string[],
  order: RandomisationOptions["order"],
): string[] {
  const last = stages.at(-1)!.spearman;
  return [
    ...(unchanged.length > 0 ? [`the map doesn't depend on the weights of ${unchanged.join(", ")}`] : []),
    ...(order !== "independent" && Math.abs(last) > alike
      ? [
          `with all weights drawn anew the map is much the same (rank correlation ${last.toFixed(2)}): it may show the input more than what the model learnt`,
        ]
      : []),
  ];
}

/** About equal groups of neighbours. */
function grouped(layers: readonly WeightedLayer[], count: number): WeightedLayer[][] {
  const bound = (i: number) => Math.round((i * layers.length) / count);
  return Array.from({ length: count }, (_, i) => layers.slice(bound(i), bound(i + 1)));
}

/** |map| scaled to a maximum of 1, as Quantus compares. */
function magnitudes({ data }: Tensor): Float32Array {
  const values = Float32Array.from(data as ArrayLike<number>, Math.abs);
  const top = values.reduce((a, b) => Math.max(a, b), 0);
  if (!Number.isFinite(top)) throw new InputError("a map has a finite number everywhere");
  return top > 0 ? values.map((value) => value / top) : values;
}
