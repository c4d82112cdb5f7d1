import {
  type Builder,
  batchNormTraining,
  type Graph,
  isStatic,
  type Node,
  numberAttribute,
  type Value,
  viewBytes,
} from "@camkit/cam-core";
import { NetworkError } from "../errors.ts";
import { shapeText } from "./network-builder.ts";
import { rewriteGraph } from "./rewrite.ts";

/** A mask that the loop feeds: each number 0 with probability `ratio`, else 1 / (1 - ratio). */
export type Mask = { readonly input: string; readonly shape: readonly number[]; readonly ratio: number };

export type TrainingForm = {
  readonly graph: Graph;
  /** What each running statistic becomes in a step: initializer by initializer, the value in the graph. */
  readonly statistics: ReadonlyMap<string, Value>;
  /** By dropout layer. */
  readonly masks: readonly Mask[];
};

export type TrainingFormOptions = {
  /**
   * Whether batch norms normalise by the batch's statistics and follow them (`batch`), or by those that they have (`keep`), as
   * is right for small batches and for layers that don't train. A function chooses by the name of the norm's output.
   */
  readonly statistics?: "batch" | "keep" | ((norm: Value) => "batch" | "keep");
};

/**
 * A network in inference form, as training wants it: batch norms by the batch's statistics, dropouts as a product with a mask
 * that is fed, each an input of its own. The graph's batch must be a number where there are dropouts (`withBatch`).
 *
 *   running <- (1 - m) · running + m · batch's        m = 1 - ONNX's `momentum`; the variance that is taken up divides by n - 1
 *
 * as torch.nn.BatchNorm2d does. A dropout without a ratio above 0 disappears. Throws NetworkError.
 */
export function trainingForm(graph: Graph, options: TrainingFormOptions = {}): TrainingForm {
  const { statistics: choice = "batch" } = options;
  const statistics = new Map<string, Value>();
  const masks: Mask[] = [];
  const rewrites: Readonly<Record<string, (node: Node, op: Builder) => readonly Value[] | undefined>> = {
    BatchNormalization: (node, op) => {
      const chosen = typeof choice === "function" ? choice(node.outputs[0]!) : choice;
      return chosen === "keep" ? undefined : [byBatch(node, op, statistics)];
    },
    Dropout: (node, op) => [masked(node, op, masks)],
  };
  const trained = rewriteGraph(graph, "train", (node, op) =>
    node.domain === "" ? rewrites[node.opType]?.(node, op) : undefined,
  );
  return { graph: trained, statistics, masks };
}

function byBatch(node: Node, op: Builder, statistics: Map<string, Value>): Value {
  const [x, scale, bias, mean, variance] = node.inputs as [Value, Value, Value, Value, Value];
  for (const name of [mean, variance])
    if (!op.graph.initializers.has(name))
      throw new NetworkError(`${node.outputs[0]}: its statistic "${name}" is computed, not stored`, {
        hint: "Keep the statistics of this norm.",
      });
  const found = batchNormTraining(op, x, { scale, bias, epsilon: numberAttribute(node, "epsilon", 1e-5) });
  const rest = numberAttribute(node, "momentum", 0.9);
  const follow = (running: Value, batch: Value) =>
    statistics.set(running, op.add(op.mul(running, rest), op.mul(batch, 1 - rest)));
  follow(mean, found.mean);
  follow(variance, found.unbiased);
  return found.y;
}

function masked(node: Node, op: Builder, masks: Mask[]): Value {
  const [x, given] = node.inputs as [Value, Value?];
  const ratio = ratioOf(op.graph, given);
  if (ratio === 0) return x;
  const shape = op.dims(x);
  if (!isStatic(shape))
    throw new NetworkError(`${node.outputs[0]}: its mask would have the shape ${shapeText(shape ?? [])}`, {
      hint: "Fix the batch first: withBatch(graph, 32).",
    });
  const input = `mask/${node.outputs[0]}`;
  const info = { name: input, dtype: op.dtype(x), shape };
  op.graph.inputs.push(info);
  op.facts.types.set(input, info);
  masks.push({ input, shape, ratio });
  return op.mul(x, input);
}

/** The share that a Dropout drops; ONNX's own default where it names none. */
function ratioOf(graph: Graph, name: Value | undefined): number {
  if (!name) return 0.5;
  const stored = graph.initializers.get(name);
  if (stored) return Number(viewBytes("float32", stored.bytes)[0]);
  throw new NetworkError(`the ratio "${name}" of a dropout is computed, not stored`);
}
