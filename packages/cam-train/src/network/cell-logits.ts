import { Builder, checkGraph, copyGraph, float32, type Graph, initializerOf, type Value } from "@camkit/cam-core";
import { NetworkError } from "../errors.ts";
import { shapeText } from "./network-builder.ts";

/**
 * A copy with a second opinion on the logits, for training: the output `cells`, from single positions of a layer.
 *
 *   cells[n, c] = log Σ over positions p of exp(scale[c] · Σ_k head[c, k] · A[n, k, p]) + bias[c]
 *
 * The average that makes the logits is content with evidence anywhere: a corner seen from beside the object counts as much as
 * its middle. This output asks that some position alone can tell; the log-sum-exp is close to "any of them". The position that
 * sees the whole object does that best, and it lies in the object's middle. No mask is used. The class maps are the head's
 * own, [C, K] weights over A [N, K, ...space]; `cells.scale` begins at 0.1, `cells.bias` at -5. Leave the output out when the
 * network is deployed.
 *
 * @param layer the activations that the head averages
 * @param head the name of the head's weight
 */
export function withCellLogits(graph: Graph, layer: Value, head: string): Graph {
  const copy = copyGraph(graph);
  const op = new Builder(copy, { prefix: "cells" });
  const [dims, weight] = [op.dims(layer), op.dims(head)];
  if (!dims || dims.length < 3 || weight?.length !== 2 || weight[1] !== dims[1])
    throw new NetworkError(
      `the head "${head}" ${shapeText(weight ?? [])} doesn't fit the layer "${layer}" ${shapeText(dims ?? [])}`,
      { hint: "It wants weights [classes, channels] over activations [n, channels, ...space]." },
    );
  const classes = weight[0] as number;
  const parameter = (name: string, shape: readonly number[], value: number) => {
    copy.initializers.set(name, initializerOf(float32(shape, Array(classes).fill(value))));
    op.facts.types.set(name, { dtype: "float32", shape });
    return name;
  };
  const maps = op.matMul(head, op.reshape(layer, [0, dims[1] as number, -1])); // [N, C, positions]
  const scaled = op.mul(maps, parameter("cells.scale", [classes, 1], 0.1));
  const any = op.node("ReduceLogSumExp", [scaled, op.ints([2])], { keepdims: 0 })[0]!;
  op.alias(op.add(any, parameter("cells.bias", [classes], -5)), "cells");
  copy.outputs.push({ name: "cells", dtype: "float32", shape: op.dims("cells") });
  checkGraph(copy);
  return copy;
}
