import type { Builder, Value } from "../graph/builder.ts";
import { type Node, producersOf } from "../graph/graph.ts";
import type { Axes } from "./axis.ts";

/** Ends that turn scores into probabilities: their gradient vanishes where the network is sure. */
const squashing: ReadonlySet<string> = new Set(["Softmax", "LogSoftmax", "Sigmoid"]);
/** What may stand behind them without changing the values. */
const passing: ReadonlySet<string> = new Set(["Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Cast"]);

export type Logits = {
  readonly value: Value;
  /** The squashing operator that follows, where the graph ends in one. */
  readonly squashedBy?: string;
};

/** The class scores behind an output: the tensor before a final softmax or sigmoid, else the output itself. */
export function logitsOf(op: Builder, output: Value): Logits {
  const producers = producersOf(op.graph);
  let node: Node | undefined = producers.get(output);
  while (node && node.domain === "" && passing.has(node.opType)) node = producers.get(node.inputs[0]!);
  if (node?.domain === "" && squashing.has(node.opType)) return { value: node.inputs[0]!, squashedBy: node.opType };
  return { value: output };
}

/** The axis of an output that counts classes: the channel axis where it is known, else 1 (the last of rank 3: tokens). */
export function classAxisOf(op: Builder, value: Value, axes: Axes | undefined): number {
  const rank = op.rank(value);
  const channel = axes?.findIndex((axis) => axis.kind === "channel") ?? -1;
  const last = axes?.findLastIndex((axis) => axis.kind === "channel") ?? -1;
  if (channel > 0 && channel === last) return channel;
  return rank === 3 ? 2 : Math.min(1, rank - 1);
}
