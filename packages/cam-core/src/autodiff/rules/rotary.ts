import type { Ints, Value } from "../../graph/builder.ts";
import { float32, int64 } from "../../tensor.ts";
import type { Rng } from "../../testing/rng.ts";
import { derived } from "../derived.ts";
import { defineRules, type Rule, type Sample, type VjpContext } from "../rule.ts";

/**
 * RotaryEmbedding turns pairs of numbers by angles whose cosines and sines lie in two tables. Backward turns by the angles
 * the other way: the same operator with the sines negated. The tables are cosines and sines at `cosine` and `cosine + 1`.
 */
function turnedBack({ op, node, inputs, dy }: VjpContext, cosine: number): Value[] {
  const given = inputs.map((value, i) => (i === 0 ? dy : i === cosine + 1 ? op.neg(value) : value));
  const name = op.fresh(node.opType);
  const [dx] = op.append({ ...node, name, inputs: given, outputs: [name] });
  return [op.shapedLike(dx!, inputs[0]!)];
}

/** Where a gradient goes to the tables, the operator is spelled out. */
const turned: Rule["vjp"] = (context) => {
  const { wants } = context;
  if (!wants(1) && !wants(2)) return turnedBack(context, 1);
  return derived(context, ([x, cosines, sines, positions]) => [
    spelledOut(context, x!, { cosines: cosines!, sines: sines!, positions }),
  ]);
};

type Tables = { cosines: Value; sines: Value; positions: Value | undefined };

/**
 * x [B, heads, L, width] or [B, L, heads · width]; a table holds a row of angles for each position, [B, L, angles], or for
 * each that `positions` [B, L] may name, [most, angles]. A pair is turned to (c·a - s·b, s·a + c·b); `a` and `b` are
 * neighbours, or stand in two halves. What is wider than the pairs stays as it is.
 */
function spelledOut({ op, int }: VjpContext, x: Value, { cosines, sines, positions }: Tables): Value {
  const packed = op.rank(x) === 3;
  const heads = packed ? op.reshape(x, [0, 0, int("num_heads", 1), -1]) : x;
  const rows = (table: Value) => op.unsqueeze(positions ? op.gather(table, positions) : table, [packed ? 2 : 1]);
  const [c, s] = [rows(cosines), rows(sines)];
  const half = op.dim(cosines, -1);
  const both = op.mul(half, 2);
  const cut = (from: Ints, to: Ints) => op.slice(heads, { axes: [3], starts: from, ends: to });
  const interleaved = int("interleaved", 0) === 1;
  const pairs = op.reshape(cut([0], both), op.sizes([op.dim(heads, 0), op.dim(heads, 1), op.dim(heads, 2), half, 2]));
  const one = (at: number) => op.squeeze(op.slice(pairs, { axes: [4], starts: [at], ends: [at + 1] }), [4]);
  const [a, b] = interleaved ? [one(0), one(1)] : [cut([0], half), cut(half, both)];
  const [p, q] = [op.sub(op.mul(c, a), op.mul(s, b)), op.add(op.mul(s, a), op.mul(c, b))];
  const turned = interleaved
    ? op.reshape(op.concat([op.unsqueeze(p, [4]), op.unsqueeze(q, [4])], 4), [0, 0, 0, -1])
    : op.concat([p, q], 3);
  const rest = int("rotary_embedding_dim", 0) > 0 ? [cut(both, [Number.MAX_SAFE_INTEGER])] : [];
  return op.reshapeLike(op.concat([turned, ...rest], 3), x);
}

/** Cosines and sines of so many positions and angles. */
function tables(rng: Rng, shape: readonly number[]) {
  const angles = Array.from(rng.normal(shape).data as Float32Array);
  return [float32(shape, angles.map(Math.cos)), float32(shape, angles.map(Math.sin))] as const;
}

export const rotary = defineRules({
  RotaryEmbedding: {
    kind: "linear",
    vjp: turned,
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
        // In the tables as well.
        ...[
          sample([2, 2, 3, 4], [5, 2]),
          sample([2, 2, 3, 4], [2, 3, 2], { interleaved: 1 }),
          sample([2, 3, 8], [2, 3, 2], { num_heads: 2 }),
          sample([2, 3, 12], [5, 2], { num_heads: 2, rotary_embedding_dim: 4, interleaved: 1 }),
        ].map((all) => ({ ...all, constants: [] })),
      ];
    },
  },
  "com.microsoft:RotaryEmbedding": {
    kind: "linear",
    vjp: (context) => {
      if (context.wants(2) || context.wants(3))
        throw context.refuse("the tables of cosines and sines have no gradient rule");
      return turnedBack(context, 2);
    },
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
