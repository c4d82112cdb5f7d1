/**
 * The door for pages: what explains, without Node, on the onnxruntime-web that the caller brings. Nothing here imports a runtime,
 * `node:` modules or native code; `web.test.ts` holds that, the list, and the size. Nodes, rules and methods are the same as
 * behind the other doors, and so are the errors.
 */

export { gradient, ruleName } from "./autodiff/gradient.ts";
export { rules } from "./autodiff/rules/index.ts";
export * from "./errors.ts";
export { computeGradient, type Derivative, type DerivativeOptions } from "./explain/derivative.ts";
export { type Diagnosis, diagnose } from "./explain/diagnose.ts";
export {
  checkFeeds,
  createExplainer,
  type Explainer,
  type ExplainOptions,
  type ExplainResult,
  type Explanation,
} from "./explain/explainer.ts";
export { candidateLayers, defaultLayers, type Layer, layerNamed } from "./explain/layers.ts";
export { type PixelAffine, pixelInput } from "./explain/pixels.ts";
export { gradientPlan, groundwork, type Plan, plan } from "./explain/plan.ts";
export { type Activation, activationOf, type Prediction, predictionsOf } from "./explain/predictions.ts";
export { createScorer, type OpenScorer, type ScorerOptions } from "./explain/scorer.ts";
export { runStaged, type StagedOptions, type StagedResult } from "./explain/staged.ts";
export { Builder, type Value } from "./graph/builder.ts";
export {
  type Dim,
  emptyGraph,
  type Graph,
  type Initializer,
  type Node,
  type Shape,
  type ValueInfo,
} from "./graph/graph.ts";
export { blendMap, type LaidMap, layMap } from "./image/blend.ts";
export { type Colormap, type ColormapName, colormap, colormapNames } from "./image/colormap.ts";
export type { Picture } from "./image/picture.ts";
export { type Placement, type PreparedPicture, pixelAffine, preparePicture } from "./image/prepare.ts";
export { pictureOf, type RgbaPicture, rgbaOf } from "./image/rgba.ts";
export { methodNamed, methodNames, methods } from "./methods/index.ts";
export { defineMethod, defineStagedMethod, type Method, type MethodContext } from "./methods/method.ts";
export { type InputManifest, type Manifest, parseManifest } from "./model/manifest.ts";
export { type Model, openModel } from "./model/model.ts";
export { defaultPreprocessing, preprocessingOf } from "./model/preprocessing.ts";
export { type ByteSource, sourceOf } from "./model/source.ts";
export { type WrittenModel, writeModel } from "./model/write.ts";
export { decodeNpy, encodeNpy } from "./npy.ts";
export { type Received, type ReceiveOptions, receiveModel } from "./runtime/receive-model.ts";
export type { OpenSession, Session, SessionOptions } from "./runtime/runtime.ts";
export { type Ort, onOrt } from "./runtime/web.ts";
export {
  classIndex,
  describeTarget,
  parseTargets,
  resolveTargets,
  type Target,
  type TargetText,
} from "./targets/parse.ts";
export { type DType, float32, float64, int64, numbersIn, sizeOf, type Tensor, zeros } from "./tensor.ts";
