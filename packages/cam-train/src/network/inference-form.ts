import { copyGraph, float32, type Graph, initializerOf, pruneUnused } from "@camkit/cam-core";
import { NetworkError } from "../errors.ts";
import { foldBatchNorms } from "./fold-batch-norms.ts";
import { shapeText } from "./network-builder.ts";
import { rewriteGraph } from "./rewrite.ts";

export type InferenceFormOptions = {
  /** Writes each batch norm into the convolution before it: fewer nodes, the same function. Default false. */
  readonly foldBatchNorms?: boolean;
};

/**
 * A network to deploy: trained values take the place of the first ones, dropouts are gone.
 *
 * @param graph the network in inference form, as training began with it
 * @param weights by initializer: trained weights and running statistics; others keep their values
 */
export function inferenceForm(
  graph: Graph,
  weights: Readonly<Record<string, Float32Array>> = {},
  options: InferenceFormOptions = {},
): Graph {
  const trained = copyGraph(graph);
  for (const [name, data] of Object.entries(weights)) {
    const shape = trained.initializers.get(name)?.shape;
    if (!shape) throw new NetworkError(`the network has no weight "${name}"`);
    if (data.length !== shape.reduce((a, b) => a * b, 1))
      throw new NetworkError(`"${name}": ${data.length} numbers for a weight of shape ${shapeText(shape)}`);
    trained.initializers.set(name, initializerOf(float32(shape, data)));
  }
  const plain = rewriteGraph(trained, "deploy", (node) =>
    node.domain === "" && node.opType === "Dropout" ? [node.inputs[0]!] : undefined,
  );
  if (options.foldBatchNorms) foldBatchNorms(plain);
  pruneUnused(plain);
  return plain;
}
