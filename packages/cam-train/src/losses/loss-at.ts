import { Builder, emptyGraph, gradient, openSession, type Tensor, type Value } from "@camkit/cam-core";
import type { LossContext } from "./define-loss.ts";

/** For tests: a loss and its gradient in the output `logits`, at given logits and labels. */
export async function lossAt(
  loss: (context: LossContext) => Value,
  logits: Tensor,
  labels: Tensor,
): Promise<{ value: number; gradient: number[] }> {
  const graph = emptyGraph("loss", new Map([["", 18]]));
  const given = { logits, labels };
  for (const [name, { dtype, shape }] of Object.entries(given)) graph.inputs.push({ name, dtype, shape });
  const op = new Builder(graph);
  const scalar = loss({ op, outputs: { logits: "logits" }, fields: { labels: "labels" } });
  if (op.rank(scalar) !== 0) throw new Error(`a loss is a scalar, found rank ${op.rank(scalar)}`);
  const [slope] = gradient(op, new Map([[scalar, op.scalar(1, "float32")]]), ["logits"]);
  graph.outputs = [scalar, slope!].map((name) => ({ name, dtype: "float32" }));
  const session = await openSession(graph, { threads: 1 });
  try {
    const results = await session.run(given);
    return {
      value: (results[scalar]!.data as Float32Array)[0]!,
      gradient: [...(results[slope!]!.data as Float32Array)],
    };
  } finally {
    await session.close();
  }
}
