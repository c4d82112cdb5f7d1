/** The public door of cam-train. A test pins this list. */

export * from "./config/index.ts";
export * from "./data/index.ts";
export * from "./errors.ts";
export type { LayerItem, LayerList } from "./layers/define-layer.ts";
export { layers } from "./layers/index.ts";
export { buildLayers, layerList } from "./layers/list.ts";
export { loadCheckpoint, type Progress, saveCheckpoint, weightsOf } from "./loop/checkpoint.ts";
export { type EvaluateOptions, type Evaluation, evaluateGraph, scoresOf } from "./loop/evaluate.ts";
export { readSafetensors, type Tensors, writeSafetensors } from "./loop/safetensors.ts";
export {
  type Part,
  type Recipe,
  runFiles,
  type TrainEvent,
  type Trained,
  type TrainOptions,
  train,
} from "./loop/train.ts";
export type { LossContext } from "./losses/define-loss.ts";
export { buildLoss, type LossItem, losses, lossList } from "./losses/index.ts";
export { type BootstrapOptions, bootstrap, type Interval } from "./metrics/bootstrap.ts";
export { fitTemperature, type Temperature } from "./metrics/calibration.ts";
export type { ConfusionMatrix } from "./metrics/confusion-matrix.ts";
export { metricNamed, metricNames, metrics, metricsFor } from "./metrics/index.ts";
export { pairs, sigmoids, softmaxRows } from "./metrics/logits.ts";
export { type ClassRow, type MeasuredMetric, type Measurement, measure } from "./metrics/measure.ts";
export { defineMetric, type Metric } from "./metrics/metric.ts";
export { confidences, type ReliabilityBin } from "./metrics/reliability.ts";
export {
  type ClassScores,
  classScores,
  type MultiLabelScores,
  multiLabelScores,
  type RegressionScores,
  regressionScores,
  type Scores,
  take,
} from "./metrics/scores.ts";
export { areaUnderRisk, type Band, chooseBand, riskCoverage, type Selection, selectAt } from "./metrics/selective.ts";
export { type Choice, chooseTrainable } from "./network/choose-trainable.ts";
export { type InferenceFormOptions, inferenceForm } from "./network/inference-form.ts";
export { type Init, initSchema } from "./network/initialisers.ts";
export { NetworkBuilder, type NetworkOptions } from "./network/network-builder.ts";
export { type Parameter, parametersOf } from "./network/parameters.ts";
export { replaceHead } from "./network/replace-head.ts";
export { type Mask, type TrainingForm, type TrainingFormOptions, trainingForm } from "./network/training-form.ts";
export { withBatch } from "./network/with-batch.ts";
export { covidnet3d } from "./networks/covidnet-3d.ts";
export {
  architectureSchema,
  type CovidnetArchitecture,
  type CovidnetOp,
  covidnetCells,
  covidnetOps,
} from "./networks/covidnet-cells.ts";
export { createNetwork } from "./networks/create.ts";
export { presets } from "./networks/index.ts";
export { readArchitecture } from "./networks/read-architecture.ts";
export { optimisers } from "./optimisers/index.ts";
export type { Optimiser, UpdateContext, Updated } from "./optimisers/optimiser.ts";
export { keyed } from "./random.ts";
export { drawConfusion } from "./report/confusion.ts";
export { type CurveOptions, drawCurve } from "./report/curve.ts";
export { advancePace, duration, estimate, type Pace, startPace } from "./report/eta.ts";
export { type EpochEntry, type LogEntry, readLog, TrainingLog, timeFields } from "./report/log.ts";
export { type Report, reportPage, type TestReport } from "./report/page.ts";
export { type Drawing, png } from "./report/plot/svg.ts";
export { drawReliability, drawRiskCoverage } from "./report/reliability.ts";
export { constant, cosine, linear, type Schedule, schedules, step, warmUp } from "./schedules/index.ts";
export * from "./search/index.ts";
export { type Group, type Layout, layOut, type Slot, type Span } from "./step/layout.ts";
export {
  type EvaluationPlan,
  type Loss,
  planEvaluation,
  planStep,
  type StepOptions,
  type StepPlan,
} from "./step/plan.ts";
export { openStepper, type State, type Stepper, type StepperOptions, type StepReport } from "./step/stepper.ts";
