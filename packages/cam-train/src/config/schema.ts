import { channelOrders, fits, kernels } from "@camkit/cam-core";
import { z } from "zod";
import { augmentSchema } from "../data/augment/index.ts";
import { mixSchema } from "../data/mix.ts";
import { dataSpecSchema } from "../data/spec.ts";
import { layerList } from "../layers/list.ts";
import { lossList } from "../losses/index.ts";
import { presets } from "../networks/index.ts";
import { optimisers } from "../optimisers/index.ts";
import { schedules } from "../schedules/index.ts";

const text = z.string().min(1);
const share = z.number().gt(0).lt(1);
const count = z.int().positive();
const said = <T extends z.ZodType>(schema: T, description: string) => schema.meta({ description }) as T;

const choice = {
  train: said(z.array(text).min(1), "Names of what trains; * stands for any text. Default: everything").exactOptional(),
  freeze: said(z.array(text).min(1), "Names of what keeps its values; counts more than train").exactOptional(),
  statistics: said(
    z.enum(["batch", "keep"]),
    "Batch norms follow the batches or keep their statistics. Default: those follow whose scale or shift trains",
  ).exactOptional(),
};

/** `outputs` is left to the data, so it has no default here. */
const presetSchemas = [...presets.values()].map(({ network, schema, summary }) =>
  schema
    .extend({
      preset: said(z.literal(network), summary),
      ...choice,
      outputs: said(count, "Default: what the data's classes and the loss ask for").exactOptional(),
    })
    .meta({ description: summary }),
);

type PresetSchema = z.ZodObject<{ preset: z.ZodLiteral<string> } & typeof choice, z.core.$strict>;

const networkSchema = z.union([
  z.discriminatedUnion("preset", presetSchemas as unknown as [PresetSchema]),
  z.strictObject({
    layers: said(layerList, "The layers, one after the other; the last one makes the logits"),
    input: said(z.array(count).min(1), "Sizes of one sample: [channels, height, width]"),
    ...choice,
  }),
  z.strictObject({
    model: said(text, "An .onnx file, or the name of a model that ships"),
    head: said(z.enum(["replace", "keep"]), "replace: fresh weights for the data's classes").default("keep"),
    ...choice,
  }),
]);

const inputSchema = z.strictObject({
  layout: said(z.enum(["NCDHW", "NCTHW"]), "Of volumes and clips, which come as finished tensors").exactOptional(),
  size: said(
    z.union([z.tuple([count, count]), z.tuple([count, count, count])]),
    "[height, width] in pixels; [depth, height, width] with a layout",
  ).exactOptional(),
  channelOrder: said(z.enum(channelOrders), "Of the network's channels").exactOptional(),
  range: said(z.tuple([z.number(), z.number()]), "What pixels 0 and 255 become, before mean and std").exactOptional(),
  mean: said(z.array(z.number()), "Subtracted after range, one per channel").exactOptional(),
  std: said(z.array(z.number().positive()), "Divided by after mean, one per channel").exactOptional(),
  windowHu: z
    .strictObject({
      center: said(z.number(), "In Hounsfield units"),
      width: said(z.number().positive(), "In Hounsfield units"),
    })
    .meta({ description: "Of CT: what became 0 … 255 in the samples" })
    .exactOptional(),
  resize: z
    .strictObject({
      kernel: said(z.enum(kernels), "How new pixels are made"),
      antialias: said(z.boolean(), "Averages when it shrinks, as Pillow does"),
      fit: said(z.enum(fits), "squash, cut the middle out (short-side), or pad"),
      resizeTo: said(
        z.union([count, z.tuple([count, count])]),
        "Before the cut: short-side: the short side, or [h, w] to cover; squash: [h, w]",
      ).exactOptional(),
      crop: said(z.literal("center"), "short-side, and squash with resizeTo: which part is kept").exactOptional(),
      padValue: said(z.int().min(0).max(255), "pad: the grey around the picture").exactOptional(),
    })
    .meta({ description: "How pictures of other sizes are brought to this one" })
    .exactOptional(),
});

/** A folder with a folder per class, a .csv list, or all that can be said about either. */
export const dataSchema = z.union([said(text, "A folder with one folder per class, or a .csv list"), dataSpecSchema]);

const splitting = {
  stratified: said(z.boolean(), "Each class has the same share in every part. Default: where labels are classes"),
  byGroup: said(z.boolean(), "Samples of one group stay together. Default: where the data names groups"),
};
const splitOptions = {
  stratified: splitting.stratified.exactOptional(),
  byGroup: splitting.byGroup.exactOptional(),
};

const dataSection = z.strictObject({
  train: said(dataSchema, "What is learned from"),
  validation: said(
    z.union([
      z.strictObject({ fraction: said(share, "Of the training samples, held out"), ...splitOptions }),
      dataSchema,
    ]),
    "Watched after every epoch; chooses the best weights, the temperature and the band",
  ).exactOptional(),
  test: said(
    z.union([dataSchema, z.record(text, dataSchema)]),
    "Measured once, at the end; one set of samples, or several by name",
  ).exactOptional(),
  withoutCopies: said(
    z.boolean(),
    "Measures every test set twice: whole, and without what is, to the byte, among the training samples",
  ).default(false),
  folds: said(
    z.union([
      z.int().min(2),
      z.strictObject({
        count: said(z.int().min(2), "How many"),
        only: said(count, "Just this one, from 1").exactOptional(),
        ...splitOptions,
      }),
    ]),
    "Cross-validation: every sample is tested once, by a network that never saw it",
  ).exactOptional(),
});

/** A name alone, or a name with options: `cosine`, `{ cosine: { floor: 0.1 } }`. */
function named<K extends string>(table: Readonly<Record<K, { readonly schema: z.ZodObject }>>, what: string) {
  const names = Object.keys(table) as K[];
  const bare = names.filter((name) => table[name].schema.safeParse({}).success) as [K, ...K[]];
  return said(
    z.union([
      z.enum(bare),
      ...names.map((name) => z.strictObject({ [name]: said(table[name].schema, `Options of ${name}`) })),
    ]),
    what,
  ) as unknown as z.ZodType<K | Readonly<Partial<Record<K, object>>>>;
}

const groupSchema = z.strictObject({
  match: said(text, "Names of weights; * stands for any text. The first group that fits a weight takes it"),
  rate: said(z.number().nonnegative(), "Multiplies the learning rate").exactOptional(),
  decay: said(z.number().nonnegative(), "Instead of the run's weight decay").exactOptional(),
});

const manifestSchema = z.strictObject({
  name: said(text, "Default: the run's name").exactOptional(),
  version: said(text, "Of the model").exactOptional(),
  licence: said(text, "An SPDX expression: Apache-2.0").exactOptional(),
  source: z
    .strictObject({
      url: said(z.url(), "Where the model comes from").exactOptional(),
      description: said(text, "In words").exactOptional(),
    })
    .meta({ description: "Where the model comes from" })
    .exactOptional(),
  intendedUse: said(text, "What the model is for").exactOptional(),
  limits: said(z.array(text), "What it can't do").exactOptional(),
  targetLayer: said(text, "What is explained. Default: the last layer with features in space").exactOptional(),
});

/** A training run, as a configuration writes it. Defaults are filled in; what depends on data or network stays open. */
export const configSchema = z
  .strictObject({
    $schema: said(text, "For editors").exactOptional(),
    name: said(text, "Of the run. Default: the file's name").exactOptional(),
    out: said(text, "The run's folder. Default: runs/NAME").exactOptional(),
    seed: said(z.int().nonnegative(), "Everything random follows from it").default(1),
    threads: said(count, "Threads inside an operator. Default: one per physical core").exactOptional(),
    workers: said(z.int().nonnegative(), "Threads that make batches; 0 makes them between the steps").default(1),
    network: said(networkSchema, "A known network, a list of layers, or a model to go on from"),
    input: said(
      inputSchema,
      "How pictures become numbers; with a layout, how finished volumes were made. Default: the model's manifest, or range 0..1",
    ).exactOptional(),
    data: said(dataSection, "Where samples come from"),
    augment: said(z.array(augmentSchema), "What is done to each training picture, in this order").default([]),
    mix: said(mixSchema, "What is done to each training batch").exactOptional(),
    batch: said(count, "Samples in a step").default(32),
    epochs: said(count, "How often every sample is seen").default(20),
    patience: said(count, "Ends the run after so many epochs without a better validation").exactOptional(),
    monitor: said(text, "What the best weights are chosen by: loss, or a metric's name").default("loss"),
    loss: said(
      lossList,
      "What is made small. Default: crossEntropy, binary for several labels, meanSquared for values",
    ).exactOptional(),
    optimiser: named(optimisers, "How weights follow their gradients").default("adamw"),
    rate: said(z.number().positive(), "The highest learning rate").default(1e-3),
    schedule: named(schedules, "How the rate falls").default("cosine"),
    warmUp: said(z.number().min(0).lt(1), "Share of the run in which the rate rises").default(0),
    decay: said(z.number().nonnegative(), "Weight decay; norms and biases have none").default(0),
    groups: said(z.array(groupSchema), "Weights that are treated otherwise").default([]),
    clip: said(z.number().positive(), "The longest gradient, as a Euclidean norm").exactOptional(),
    accumulate: said(count, "Batches in an update").default(1),
    averaging: said(share, "Deploys a moving average of the weights: how much of the old stays").exactOptional(),
    calibrate: said(z.boolean(), "Fits a temperature to the validation samples").default(false),
    answer: said(
      z.strictObject({ accuracy: said(share, "Wanted among the answers") }),
      "Chooses the sureness below which the model says that it can't say",
    ).exactOptional(),
    manifest: said(manifestSchema, "Goes into the model's manifest").default({}),
    sweep: said(
      z.union([
        z.record(text, said(z.array(z.json()).min(1), "Values of this key")),
        z.array(z.record(text, z.json())).min(1),
      ]),
      "Variants: values by key (every combination is run), or a list of settings by key",
    ).exactOptional(),
  })
  .meta({ title: "camkit train", description: "A training run" });

export type Config = z.output<typeof configSchema>;
export type NetworkConfig = Config["network"];
export type DataConfig = z.output<typeof dataSchema>;
export type SplitConfig = { readonly stratified?: boolean; readonly byGroup?: boolean };
