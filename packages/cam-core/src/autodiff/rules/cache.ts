import { int64 } from "../../tensor.ts";
import { defineRules } from "../rule.ts";

export const cache = defineRules({
  /**
   * TensorScatter writes `update` over a part of a cache along one axis, from a place that each sample of the batch names;
   * "circular" goes on at the beginning. What was overwritten gets nothing back, the update what lies at its places.
   */
  TensorScatter: {
    kind: "linear",
    vjp: ({ op, node, inputs, dy, wants, int, string }) => {
      const [past, update, starts] = inputs as [string, string, string?];
      const name = op.fresh(node.opType);
      const kept = () =>
        op.append({
          ...node,
          name,
          inputs: [dy, op.fillLike(update, 0), ...(starts ? [starts] : [])],
          outputs: [name],
        })[0]!;
      const written = () => {
        const rank = op.rank(past);
        const axis = int("axis", -2) < 0 ? int("axis", -2) + rank : int("axis", -2);
        const along = (at: number) => Array.from({ length: rank }, (_, i) => (i === at ? -1 : 1));
        const length = op.squeeze(op.dim(update, axis), [0]);
        const steps = op.reshape(op.range(op.scalar(0, "int64"), length, op.scalar(1, "int64")), along(axis));
        const places = starts ? op.add(op.reshape(starts, along(0)), steps) : steps;
        const within =
          string("mode", "linear") === "circular" ? op.mod(places, op.squeeze(op.dim(past, axis), [0])) : places;
        return op.gatherElements(dy, op.expand(within, op.shape(update)), axis);
      };
      return [wants(0) ? op.shapedLike(kept(), past) : null, wants(1) ? op.shapedLike(written(), update) : null];
    },
    sample: (rng) => [
      { inputs: [rng.normal([2, 2, 4, 3]), rng.normal([2, 2, 2, 3]), int64([2], [1, 2])], opset: 24 },
      {
        inputs: [rng.normal([2, 4, 3]), rng.normal([2, 3, 3]), int64([2], [3, 0])],
        attributes: { mode: "circular", axis: 1 },
        opset: 24,
      },
      { inputs: [rng.normal([2, 4, 3]), rng.normal([2, 3, 3])], opset: 24 },
    ],
  },
});
