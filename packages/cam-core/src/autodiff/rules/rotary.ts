import type { Value } from "../../graph/builder.ts";
import { float32, int64 } from "../../tensor.ts";
import type { Rng } from "../../testing/rng.ts";
import { defineRules, type Rule, type Sample, type VjpContext } from "../rule.ts";

/**
 * RotaryEmbedding turns pairs of numbers by angles whose cosines and sines lie in two tables. Backward turns by the angles
 * the other way: the same operator with the sines negated. The tables count as constants.
 */
const turnedBack =
  (cosine: number, sine: number): Rule["vjp"] =>
  (context: VjpContext): Value[] => {
    const { op, node, inputs, dy, wants, refuse } = context;
    if (wants(cosine) || wants(sine)) throw refuse("the tables of cosines and sines have no gradient rule");
    const given = inputs.map((value, i) => (i === 0 ? dy : i === sine ? op.neg(value) : value));
    const name = op.fresh(node.opType);
    const [dx] = op.append({ ...node, name, inputs: given, outputs: [name] });
    return [op.shapedLike(dx!, inputs[0]!)];
  };

/** Cosines and sines of so many positions and angles. */
function tables(rng: Rng, shape: readonly number[]) {
  const angles = Array.from(rng.normal(shape).data as Float32Array);
  return [float32(shape, angles.map(Math.cos)), float32(shape, angles.map(Math.sin))] as const;
}

export const rotary = defineRules({
  RotaryEmbedding: {
    kind: "linear",
    vjp: turnedBack(1, 2),
    sample: (rng) => {
      const positions = int64([2, 3], [0, 1, 2, 4, 3, 1]);
      const sample = (x: readonly number[], table: readonly number[], attributes: Sample["attributes"] = {}) => ({
        inputs: [rng.normal(x), ...tables(rng, table), ...(table.length === 2 ? [positions] : [])],
        attributes,
        constants: [1, 2],
        opset: 23,
      });
      return [
        sample([2, 2, 3, 4], [5, 2]),
        sample([2, 2, 3, 4], [2, 3, 2], { interleaved: 1 }),
        sample([2, 3, 8], [5, 2], { num_heads: 2 }),
        sample([2, 2, 3, 6], [5, 2], { rotary_embedding_dim: 4 }),
      ];
    },
  },
  "com.microsoft:RotaryEmbedding": {
    kind: "linear",
    vjp: turnedBack(2, 3),
    sample: (rng) => {
      const sample = (x: readonly number[], attributes: Sample["attributes"] = {}) => ({
        inputs: [rng.normal(x), int64([2, 3], [0, 1, 2, 4, 3, 1]), ...tables(rng, [5, 2])],
        attributes,
        constants: [2, 3],
      });
      return [
        sample([2, 2, 3, 4]),
        sample([2, 3, 8], { interleaved: 1 }),
        sample([2, 3, 12], { num_heads: 2, rotary_embedding_dim: 4 }),
      ];
    },
  },
});
