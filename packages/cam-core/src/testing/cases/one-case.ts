import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Graph } from "../../graph/graph.ts";
import { readModel } from "../../model/read.ts";
import { readTensorFile } from "../../model/read-tensor.ts";
import { sourceOf } from "../../model/source.ts";
import { isNarrow } from "../../narrow.ts";
import type { DType, Tensor } from "../../tensor.ts";
import { dataSets, type NodeCase } from "./read.ts";

/** A case in memory: its file, the graph as it stands in the file, and its data by name. */
export type LoadedCase = {
  readonly bytes: Uint8Array;
  readonly graph: Graph;
  readonly sets: readonly { readonly feeds: Record<string, Tensor>; readonly expected: Record<string, Tensor> }[];
};

/** Why a case can't be run at all from here. */
export class CaseSkipped extends Error {}

/** Element types that onnxruntime-node 1.30 has no tensor for. */
const withoutTensor = (dtype: DType) => dtype === "bfloat16" || isNarrow(dtype);

/**
 * Reads a case. Throws UnsupportedModelError for what camkit doesn't read, CaseSkipped for what can't be fed or fetched:
 * onnxruntime-node takes and gives tensors only.
 */
export function loadCase({ folder }: NodeCase): LoadedCase {
  const bytes = readFileSync(join(folder, "model.onnx"));
  const graph = readModel(sourceOf(bytes), { name: "the case" });
  for (const { name, dtype, optional } of [...graph.inputs, ...graph.outputs]) {
    if (optional || !graph.types.has(name)) throw new CaseSkipped("takes or gives a sequence or an optional value");
    if (withoutTensor(dtype)) throw new CaseSkipped(`takes or gives ${dtype}`);
  }
  const sets = dataSets(folder).map(({ inputs, outputs }) => ({
    feeds: named(graph.inputs, inputs),
    expected: named(graph.outputs, outputs),
  }));
  if (sets.length === 0) throw new CaseSkipped("has no data");
  return { bytes, graph, sets };
}

function named(values: readonly { name: string }[], files: readonly string[]): Record<string, Tensor> {
  return Object.fromEntries(
    files.map((file, i) => {
      const name = values[i]?.name ?? "";
      const tensor = readTensorFile(readFileSync(file), file);
      return [name, tensor];
    }),
  );
}
