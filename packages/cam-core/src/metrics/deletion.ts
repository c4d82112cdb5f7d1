import { defineMetric } from "./metric.ts";
import { type PerturbationOptions, perturb } from "./perturbation.ts";

/**
 * How fast the target's score falls when the map's highest positions are replaced by the baseline: the area under the curve over
 * the share replaced. A map that found what the model uses has a small one, smaller than that of a random order.
 *
 * Source: Petsiuk et al. 2018, arXiv:1806.07421, algorithm 1. The paper's baseline is 0 on the standardised input.
 */
export const deletion = defineMetric({
  name: "deletion",
  title: "deletion",
  better: "lower",
  range: [0, 1],
  source: "arXiv:1806.07421",
  needs: ["map", "input", "scorer"],
  measure: (given, options: PerturbationOptions) =>
    perturb(given, { from: given.input.tensor, to: options.baseline }, options),
});
