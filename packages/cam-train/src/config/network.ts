import {
  copyGraph,
  type Graph,
  groundwork,
  type InputManifest,
  inferGraph,
  loadModel,
  type ModelFile,
  preprocessingOf,
  viewBytes,
} from "@camkit/cam-core";
import type { Dataset, Fields } from "../data/dataset.ts";
import { ConfigError } from "../errors.ts";
import type { LossItem } from "../losses/index.ts";
import { chooseTrainable } from "../network/choose-trainable.ts";
import { replaceHead } from "../network/replace-head.ts";
import { withSize } from "../network/with-size.ts";
import { createNetwork } from "../networks/create.ts";
import { presets } from "../networks/index.ts";
import type { Config } from "./schema.ts";

/** Where the network comes from, before the data is known. */
export type Origin = {
  /** How pictures become numbers; of volumes, how they were made, where that is said. Undefined: finished tensors. */
  readonly input: InputManifest | undefined;
  /** The model that training goes on from. */
  readonly model: ModelFile | undefined;
  readonly warnings: readonly string[];
};

/** The network of a run. */
export type RunNetwork = {
  readonly graph: Graph;
  readonly trained: readonly string[];
  /** The output that losses call `logits`. */
  readonly output: string;
};

/** Opens the model that is named, if one is, and says what the network wants of pictures. Throws what `loadModel` throws. */
export async function openOrigin({ network, input }: Config): Promise<Origin> {
  if ("model" in network) return openModelOrigin(network.model, input);
  const sample = "preset" in network ? presets.get(network.preset)!.sample : network.input;
  if (sample.length !== 3) return { input: input && volumeInput(input, sample), model: undefined, warnings: [] };
  if (input?.layout !== undefined)
    throw new ConfigError(`input.layout: the network takes pictures, [channels, h, w]; ${input.layout} is for volumes`);
  const [channels, height, width] = sample as [number, number, number];
  const grey = channels === 1;
  if (channels !== 3 && !grey) return { input: undefined, model: undefined, warnings: [] };
  const found: InputManifest = {
    layout: "NCHW",
    size: [height, width],
    channelOrder: grey ? "grey" : "RGB",
    resize: { kernel: "bilinear", antialias: true, fit: "squash" },
    range: [0, 1],
    ...(input as Partial<InputManifest>),
  };
  if (!("preset" in network) && String(found.size) !== String([height, width]))
    throw new ConfigError(`input.size is [${found.size.join(", ")}], network.input [${network.input.join(", ")}]`);
  return { input: found, model: undefined, warnings: [] };
}

/** What the manifest says of volumes, which come as finished tensors: nothing of it is done here. Throws ConfigError. */
function volumeInput(input: NonNullable<Config["input"]>, sample: readonly number[]): InputManifest {
  const { layout, size } = input;
  if (layout === undefined || size?.length !== 3)
    throw new ConfigError("input: the network takes finished tensors with three axes of space", {
      hint: "Say how they were made: `input: { layout: NCDHW, size: [32, 128, 128], range: [0, 1] }`.",
    });
  return { ...(sample[0] === 1 ? { channelOrder: "grey" as const } : {}), ...input, layout, size };
}

async function openModelOrigin(path: string, asked: Config["input"]): Promise<Origin> {
  const model = await loadModel(path);
  const [info] = model.graph.inputs;
  if (!info) throw new ConfigError(`network.model: ${path} has no input`);
  const read = model.manifestFrom?.notes ?? [];
  if (!model.manifest?.inputs?.[info.name] && (info.shape?.length ?? 0) !== 4)
    return { input: undefined, model, warnings: read };
  const { input, notes } = preprocessingOf(model, info);
  return {
    input: { ...input, ...(asked as Partial<InputManifest>) },
    model,
    warnings: [...read, ...(asked?.range || asked?.mean ? [] : notes)],
  };
}

/** Builds the network for the data, and chooses what trains. Throws NetworkError, and ConfigError where outputs don't fit. */
export function buildNetwork(config: Config, origin: Origin, dataset: Dataset): RunNetwork {
  const { network, seed, name = "network" } = config;
  const wanted = outputsFor(config, dataset);
  let graph: Graph;
  if ("model" in network) {
    graph = modelGraph(origin.model!, network.head, wanted[0]!, seed);
    const input = dataset.fields.input!;
    if (!takesPictures(input)) graph = withSize(graph, input.shape);
  } else {
    const layers =
      "preset" in network ? presets.get(network.preset)!(presetOptions(network, wanted[0]!) as never) : network.layers;
    const shape = sampleShape(origin.input, dataset.fields);
    graph = createNetwork({ name, input: { name: "image", shape: ["n", ...shape] }, seed, layers });
  }
  const { name: output, shape } = graph.outputs[0]!;
  const width = shape?.[1];
  if (typeof width === "number" && !wanted.includes(width))
    throw new ConfigError(`the network has ${width} outputs, the data asks for ${wanted.join(" or ")}`, {
      hint: "model" in network ? "Give it a head for the data: `head: replace`." : "Change its last layer.",
    });
  const { train, freeze } = network;
  const choice = { ...(train ? { train } : {}), ...(freeze ? { freeze } : {}) };
  return { graph, trained: chooseTrainable(graph, choice), output };
}

/** The loss of a run: what the configuration says, else what fits the labels. */
export function lossOf({ loss }: Config, { labelKind }: Pick<Dataset, "labelKind">): LossItem | readonly LossItem[] {
  const usual = { class: "crossEntropy", "multi-label": "binary", values: "meanSquared" } as const;
  return (loss as LossItem | readonly LossItem[] | undefined) ?? usual[labelKind];
}

/** How many outputs fit the data, what a preset gets first. Two classes can be told by one. */
function outputsFor(config: Config, dataset: Dataset): readonly number[] {
  if (dataset.labelKind !== "class") return [dataset.fields.label!.shape[0] ?? 1];
  const classes = dataset.classes?.length;
  if (classes === undefined) throw new ConfigError("the training data doesn't say what classes it has");
  const kinds = lossKinds(config, dataset);
  return classes === 2 ? (outputsOfTwo[kinds.find((kind) => kind in outputsOfTwo)!] ?? [2]) : [classes];
}

/** Losses for which one output may tell two classes. */
const outputsOfTwo: Readonly<Record<string, readonly number[]>> = { binary: [1, 2], focal: [2, 1] };

/** The losses of a run by name. */
export function lossKinds(config: Config, dataset: Pick<Dataset, "labelKind">): string[] {
  return [lossOf(config, dataset)].flat().map((item) => (typeof item === "string" ? item : Object.keys(item)[0]!));
}

function presetOptions(network: Extract<Config["network"], { preset: string }>, outputs: number): object {
  const { preset: _p, train: _t, freeze: _f, statistics: _s, ...options } = network;
  return { outputs, ...options };
}

function sampleShape(input: InputManifest | undefined, { input: field }: Fields): readonly number[] {
  if (!takesPictures(field!)) return field!.shape;
  return [input!.channelOrder === "grey" ? 1 : 3, ...input!.size];
}

/** Whether samples are prepared pictures, which are scaled inside the graph; finished tensors are fed as they are. */
export function takesPictures({ dtype }: Fields[string]): boolean {
  return dtype === "uint8";
}

/** The model with its batch open where that can be, one output: its logits, of a fresh head where that is wanted. */
function modelGraph(model: ModelFile, head: "replace" | "keep", classes: number, seed: number): Graph {
  if (head === "replace") return openBatch(replaceHead(model.graph, classes, seed));
  const { logits, squashedBy } = groundwork(model);
  const graph = copyGraph(model.graph);
  const { types } = inferGraph(graph);
  const type = types.get(logits);
  if (!type)
    throw new ConfigError(`network.model: the scores before its ${squashedBy} can't be found`, {
      hint: "Use `head: replace`.",
    });
  graph.outputs = [{ name: logits, ...type }];
  return openBatch(graph);
}

/**
 * The graph for any number of samples, where every size follows from the input's: exporters write a batch of 1 into inputs
 * even where nothing else depends on it. Else the graph as it is.
 */
export function openBatch(graph: Graph): Graph {
  const [input] = graph.inputs;
  if (typeof input?.shape?.[0] !== "number" || graph.inputs.length > 1) return graph;
  const open = { ...copyGraph(graph), types: new Map() };
  open.inputs = [{ ...input, shape: ["n", ...input.shape.slice(1)] }];
  const { types } = inferGraph(open);
  const shapes = graph.nodes.flatMap(({ outputs }) => outputs.map((name) => types.get(name)?.shape));
  const [output] = open.outputs;
  const shape = types.get(output!.name)?.shape;
  const spelledOut = open.nodes.some(
    ({ opType, inputs }) => opType === "Reshape" && firstSize(open, inputs[1]!) === input.shape![0],
  );
  if (spelledOut || shape?.[0] !== "n" || shapes.some((each) => each === undefined)) return graph;
  open.outputs = [{ ...output!, shape }];
  return open;
}

/** The first of the sizes that a Reshape writes out. */
function firstSize(graph: Graph, name: string): number | undefined {
  const stored = graph.initializers.get(name);
  return stored && Number(viewBytes("int64", stored.bytes)[0]);
}
