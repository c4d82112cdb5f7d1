import { defineMetric } from "./metric.ts";
import { type PerturbationOptions, perturb } from "./perturbation.ts";

/**
 * How fast the target's score rises when the map's highest positions come back into an empty input: the area under the curve over
 * the share that is back. A map that found what the model uses has a large one, larger than that of a random order.
 *
 * Source: Petsiuk et al. 2018, arXiv:1806.07421, algorithm 1. The paper starts from a blurred picture.
 */
export const insertion = defineMetric({
  name: "insertion",
  title: "insertion",
  better: "higher",
  range: [0, 1],
  source: "arXiv:1806.07421",
  needs: ["map", "input", "scorer"],
  measure: (given, options: PerturbationOptions) =>
    perturb(given, { from: options.baseline, to: given.input.tensor }, options),
});
