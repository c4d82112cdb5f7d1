import { checkGraph, groundwork, type Model, openSession, pruneUnused, type Session } from "@camkit/cam-core";

/** A model's class scores alone, before a final softmax or sigmoid: no backward pass. */
export type Forward = {
  readonly session: Session;
  readonly input: string;
  readonly logits: string;
  /** The final activation that was left out. */
  readonly squashedBy: string | undefined;
  /** Fixed sizes of the input, undefined where it is open: [N, C, …]. */
  readonly inputShape: readonly (number | undefined)[];
};

/** Opens it; close the session when done. */
export async function openForward(
  model: Model,
  options: { device?: string | undefined; threads?: number | undefined },
): Promise<Forward> {
  const base = groundwork(model);
  const { graph } = base.op;
  graph.outputs = [{ name: base.logits, dtype: base.op.dtype(base.logits) }];
  pruneUnused(graph);
  checkGraph(graph);
  return {
    session: await openSession(graph, options),
    input: base.input,
    logits: base.logits,
    squashedBy: base.squashedBy,
    inputShape: inputShapeOf(model, base.input),
  };
}

/** Sizes of an input that the graph fixes. */
export function inputShapeOf({ graph }: Model, name: string): readonly (number | undefined)[] {
  const shape = graph.inputs.find((input) => input.name === name)?.shape ?? [];
  return shape.map((dim) => (typeof dim === "number" ? dim : undefined));
}
