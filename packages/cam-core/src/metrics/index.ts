import { deletion } from "./deletion.ts";
import { insertion } from "./insertion.ts";
import { randomisation } from "./randomisation.ts";

export { blurredBaseline, constantBaseline } from "./baseline.ts";
export { defineMetric, type Evidence, type Measured, type MeasureOptions, type Metric, type Scorer } from "./metric.ts";
export type { Curve, PerturbationMeasured, PerturbationOptions } from "./perturbation.ts";
export type { RandomisationMeasured, RandomisationOptions, RandomisationStage } from "./randomisation.ts";
export { spearman } from "./spearman.ts";
export { ssim } from "./ssim.ts";
export { deletion, insertion, randomisation };

/** All metrics. A new one is a file here and a line in this list. */
export const metrics = [deletion, insertion, randomisation] as const;
