/** The public door of cam-core. A test pins this list. */

export { between, gradient, ruleName } from "./autodiff/gradient.ts";
export { rules } from "./autodiff/rules/index.ts";
export { type Refusal, refusalOf, type Support, supportOf } from "./autodiff/support.ts";
export * from "./data.ts";
export type { Derivative, DerivativeOptions } from "./explain/derivative.ts";
export type { Diagnosis } from "./explain/diagnose.ts";
export {
  checkFeeds,
  type Explainer,
  type ExplainOptions,
  type ExplainResult,
  type Explanation,
} from "./explain/explainer.ts";
export { type ExportedGraph, type ExportOptions, exportGraph, type TargetInput } from "./explain/export.ts";
export { candidateLayers, defaultLayers, type Layer, layerNamed } from "./explain/layers.ts";
export { feedPixels, pixelInput } from "./explain/pixels.ts";
export { gradientPlan, groundwork, type Plan, plan } from "./explain/plan.ts";
export { type Activation, activationOf, type Prediction, predictionsOf } from "./explain/predictions.ts";
export type { OpenScorer, ScorerOptions } from "./explain/scorer.ts";
export { batchNormTraining, type TrainedNorm } from "./graph/batch-norm.ts";
export { Builder, type Value } from "./graph/builder.ts";
export { checkGraph } from "./graph/check.ts";
export { isStatic } from "./graph/dims.ts";
export {
  copyGraph,
  type Dim,
  emptyGraph,
  type Graph,
  type Initializer,
  initializerOf,
  type Node,
  numberAttribute,
  numbersAttribute,
  producersOf,
  readsOf,
  type Shape,
  stringAttribute,
  topological,
  usersOf,
  type ValueInfo,
} from "./graph/graph.ts";
export { inferGraph } from "./graph/infer.ts";
export { liftConstants } from "./graph/passes/lift-constants.ts";
export { pruneUnused } from "./graph/passes/prune-unused.ts";
export * from "./image/index.ts";
export { methodNamed, methodNames, methods } from "./methods/index.ts";
export { defineMethod, defineStagedMethod, type Method, type MethodContext } from "./methods/method.ts";
export * from "./metrics/index.ts";
export { type ForeignFormat, type ForeignManifest, type Found, foreignFormats } from "./model/foreign/index.ts";
export {
  type CalibrationManifest,
  channelOrders,
  fits,
  type InputManifest,
  kernels,
  type Manifest,
  type MeasuredResult,
  manifestJsonSchema,
  parseManifest,
} from "./model/manifest.ts";
export { type ManifestSource, type Model, openModel } from "./model/model.ts";
export { checkStated, defaultPreprocessing, type Preprocessing, preprocessingOf } from "./model/preprocessing.ts";
export { readModel } from "./model/read.ts";
export { type ByteSource, sourceOf } from "./model/source.ts";
export { writeModel } from "./model/write.ts";
export { type BenchOptions, type BenchResult, benchModel } from "./runtime/bench.ts";
export { type CheckOptions, checkExport, type ExportCheck } from "./runtime/check-export.ts";
export { computeGradient, createExplainer, createScorer, diagnose } from "./runtime/explain.ts";
export { checkHash, loadModel, type ModelFile, manifestPath } from "./runtime/load-model.ts";
export { faultText, type ProviderFault, providerFaults } from "./runtime/provider-faults.ts";
export {
  autoOrder,
  availableDevices,
  deviceAbsence,
  deviceNames,
  deviceNeeds,
  notByItself,
} from "./runtime/providers.ts";
export { type Device, type RanOn, ranOnText, ranOnWarnings } from "./runtime/ran-on.ts";
export type { Fetches, OpenSession, Session, SessionOptions } from "./runtime/runtime.ts";
export { openBytes, openSession } from "./runtime/session.ts";
export { type NativeVersions, nativeVersions } from "./runtime/versions.ts";
export { type WriteModelOptions, type WrittenFiles, writeModelFile } from "./runtime/write-model.ts";
export {
  classIndex,
  describeTarget,
  parseTargets,
  resolveTargets,
  type Target,
  type TargetText,
} from "./targets/parse.ts";
