import { type Graph, groundwork, type InputManifest, type ModelFile } from "@camkit/cam-core";
import type { Dataset } from "../data/dataset.ts";
import { type Evaluation, evaluateGraph } from "../loop/evaluate.ts";
import type { Part } from "../loop/train.ts";
import { openBatch, takesPictures } from "./network.ts";

/** How a deployed classifier is run over data. */
export type JudgeOptions = {
  readonly input: InputManifest | undefined;
  readonly batch?: number | undefined;
  readonly workers?: number | undefined;
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (done: number, total: number) => void;
};

/**
 * What a model file says of samples. Outputs are read before a final softmax or sigmoid where the graph has one, so that
 * they are logits: temperatures are fitted to those. Throws NetworkError, AbortedError, and what data throws.
 */
export async function judge(
  model: ModelFile,
  { dataset, indices }: Part,
  options: JudgeOptions & { readonly output?: string | undefined },
): Promise<Evaluation> {
  const { output: asked, input, batch, workers, threads, signal, onProgress } = options;
  const { logits, squashedBy, op } = groundwork(model, { output: asked });
  const name = asked ?? model.manifest?.output?.name ?? model.graph.outputs[0]!.name;
  const stated = model.manifest?.output?.kind ?? "logits";
  const graph: Graph =
    squashedBy === undefined
      ? { ...model.graph, outputs: model.graph.outputs.filter((output) => output.name === name) }
      : { ...op.graph, outputs: op.graph.outputs.filter((output) => output.name === logits) };
  return evaluateGraph({
    graph: openBatch(graph),
    dataset,
    input: takesPictures(dataset.fields.input!) ? input : undefined,
    kind: squashedBy === undefined ? stated : "logits",
    threads,
    signal,
    ...(indices ? { indices } : {}),
    ...(batch === undefined ? {} : { batch }),
    ...(workers === undefined ? {} : { workers }),
    ...(onProgress ? { onProgress } : {}),
  });
}

/** Each sample's classes as 0 or 1 for each: how a network that decides every class alone is judged. */
export function inEachClass(dataset: Dataset): Dataset {
  if (dataset.labelKind !== "class") return dataset;
  const { classes = [], labelOf } = dataset;
  return { ...dataset, labelKind: "multi-label", labelOf: (i) => classes.map((_, k) => Number(k === labelOf(i))) };
}
