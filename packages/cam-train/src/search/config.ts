import { z } from "zod";
import { dataSchema } from "../config/schema.ts";
import { augmentSchema } from "../data/augment/index.ts";
import { lossList } from "../losses/index.ts";
import { type CovidnetOp, covidnetCells, covidnetOps } from "../networks/covidnet-cells.ts";

const text = z.string().min(1);
const count = z.int().positive();
const share = z.number().gt(0).lt(1);
const said = <T extends z.ZodType>(schema: T, description: string) => schema.meta({ description }) as T;

const ops = z.array(z.enum(covidnetOps as readonly [CovidnetOp, ...CovidnetOp[]])).min(1);

const choicesSchema = z.partialRecord(z.enum(covidnetCells.map(({ name }) => name)), ops).check(({ value, issues }) => {
  // A first cell has no shortcut that could carry x past it.
  for (const { name, cell } of covidnetCells)
    if (cell === 0 && value[name]?.includes("zero"))
      issues.push({ code: "custom", input: value, path: [name], message: "a stage's first cell can't be zero" });
});

const networkSchema = z.strictObject({
  width: said(z.enum(["small", "large"]), "Channels of the stages").default("small"),
  dropout: said(z.number().min(0).lt(1), "Share that is dropped before the head").default(0.5),
  choices: said(choicesSchema, "Fewer ops for some cells. Default: all of them").default({}),
});

const alphaSchema = z.strictObject({
  rate: said(z.number().positive(), "Adam's").default(3e-4),
  betas: said(z.tuple([share, share]), "Adam's").default([0.5, 0.999]),
  decay: said(z.number().nonnegative(), "Weight decay").default(1e-3),
});

const chooseSchema = z.strictObject({
  candidates: said(count, "Architectures that are trained for a short time, beside the usual one").default(5),
  epochs: said(count, "Of that training").default(10),
  fraction: said(share, "Of the samples, held out for it").default(0.2),
});

/** An architecture search, as a configuration writes it. Defaults are those of CovidNet3D's authors; see `searchConfig`. */
export const searchSchema = z
  .strictObject({
    name: said(text, "Of the search. Default: the file's name").exactOptional(),
    out: said(text, "Its folder").exactOptional(),
    seed: said(z.int().nonnegative(), "Everything random follows from it").default(1),
    threads: said(count, "Threads inside an operator. Default: one per physical core").exactOptional(),
    workers: said(z.int().nonnegative(), "Threads that make batches").default(1),
    network: said(networkSchema, "The space that is searched").prefault({}),
    data: said(dataSchema, "The training samples: one half for the weights, the other for the choices"),
    augment: said(z.array(augmentSchema), "What is done to each sample, in this order").default([]),
    loss: said(lossList, "What is made small. Default: crossEntropy").exactOptional(),
    batch: said(count, "Samples in a step").default(64),
    epochs: said(count, "How often both halves are seen").default(100),
    rate: said(z.number().positive(), "Of the weights").default(1e-3),
    decay: said(z.number().nonnegative(), "Of the weights; norms and biases have none").default(5e-4),
    clip: said(z.number().positive(), "The longest gradient of the weights, as a Euclidean norm").default(5),
    temperature: said(z.number().positive(), "Of the drawing: the lower, the likelier the best op").default(1),
    alpha: said(alphaSchema, "How the choices are learned").prefault({}),
    choose: said(chooseSchema, "How the architecture is chosen in the end").prefault({}),
  })
  .meta({ title: "architecture search", description: "A search for the cells of CovidNet3D" });

export type SearchConfig = z.output<typeof searchSchema>;
