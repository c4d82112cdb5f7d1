import type { Value } from "../graph/builder.ts";
import type { VjpContext } from "./rule.ts";

/**
 * A vjp by way of simpler operators: `forward` writes what the node computes in operators that have rules, and the sweep goes
 * back through those. Of the nodes that this adds, only those stay that the cotangents need.
 */
export function derived(
  context: VjpContext,
  forward: (inputs: readonly Value[]) => readonly Value[],
): (Value | null)[] {
  const { op, inputs, dys, wants, pull } = context;
  // Under names of their own, the inputs end the sweep here: one may be computed from another.
  const own = inputs.map((value, i) => (wants(i) ? op.alias(value, op.fresh("input")) : value));
  const outputs = forward(own);
  const seeds = new Map(outputs.flatMap((value, i) => (dys[i] ? [[value, dys[i]] as const] : [])));
  const wanted = own.flatMap((_, i) => (wants(i) ? [i] : []));
  const found = pull(
    op,
    seeds,
    wanted.map((i) => own[i]!),
  );
  return own.map((_, i) => found[wanted.indexOf(i)] ?? null);
}
