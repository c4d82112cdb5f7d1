/** The public door of cam-train. A test pins this list. */

export * from "./data/index.ts";
export * from "./errors.ts";
export type { LayerItem, LayerList } from "./layers/define-layer.ts";
export { layers } from "./layers/index.ts";
export { buildLayers, layerList } from "./layers/list.ts";
export type { LossContext } from "./losses/define-loss.ts";
export { buildLoss, type LossItem, losses, lossList } from "./losses/index.ts";
export { type InferenceFormOptions, inferenceForm } from "./network/inference-form.ts";
export { type Init, initSchema } from "./network/initialisers.ts";
export { NetworkBuilder, type NetworkOptions } from "./network/network-builder.ts";
export { type Mask, type TrainingForm, type TrainingFormOptions, trainingForm } from "./network/training-form.ts";
export { createNetwork } from "./networks/create.ts";
export { presets } from "./networks/index.ts";
