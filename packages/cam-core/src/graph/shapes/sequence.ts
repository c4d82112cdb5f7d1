import { addDims, divDims, mulDims } from "../dims.ts";
import type { Dim, Shape } from "../graph.ts";
import type { ShapeContext, ShapeRule } from "../infer.ts";
import { alike, type ShapeRules } from "./parts.ts";

/** Attention and recurrence. */

type Heads = { batch: Dim; heads: Dim; length: Dim; width: Dim };

/** [B, heads, L, width], or [B, L, heads·width] where the number of heads is an attribute. */
function headsOf(shape: Shape | undefined, heads: number): Heads | undefined {
  if (shape?.length === 4) return { batch: shape[0]!, heads: shape[1]!, length: shape[2]!, width: shape[3]! };
  if (shape?.length !== 3) return undefined;
  return { batch: shape[0]!, heads, length: shape[1]!, width: divDims(shape[2]!, heads) };
}

/** Y like the queries with the values' width; past keys come before the new ones; the last output is the scores. */
const attention: ShapeRule = (node) => {
  if (node.node.domain !== "") return [];
  const dtype = node.dtype(0);
  const q = headsOf(node.shape(0), node.int("q_num_heads", 1));
  const k = headsOf(node.shape(1), node.int("kv_num_heads", 1));
  const v = headsOf(node.shape(2), node.int("kv_num_heads", 1));
  if (!q || !k || !v) return node.node.outputs.map(() => ({ dtype }));
  const past = node.has(4) ? (node.shape(4)?.[2] ?? null) : 0;
  const total = addDims(past, k.length);
  const y = node.rank(0) === 4 ? [q.batch, q.heads, q.length, v.width] : [q.batch, q.length, mulDims(q.heads, v.width)];
  return [
    { dtype, shape: y },
    { dtype, shape: [k.batch, k.heads, total, k.width] },
    { dtype, shape: [v.batch, v.heads, total, v.width] },
    { dtype, shape: [q.batch, q.heads, q.length, total] },
  ];
};

/** X [T, B, in] gives Y [T, directions, B, hidden] and last states [directions, B, hidden]; layout 1 puts the batch first. */
const recurrent: ShapeRule = (node: ShapeContext) => {
  const x = node.shape(0);
  const dtype = node.dtype(0);
  const hidden = node.int("hidden_size", -1) >= 0 ? node.int("hidden_size", 0) : (node.shape(2)?.[2] ?? null);
  const directions = node.string("direction", "forward") === "bidirectional" ? 2 : 1;
  const batchFirst = node.int("layout", 0) === 1;
  const [time, batch] = batchFirst ? [x?.[1] ?? null, x?.[0] ?? null] : [x?.[0] ?? null, x?.[1] ?? null];
  const state = { dtype, shape: batchFirst ? [batch, directions, hidden] : [directions, batch, hidden] };
  const all = batchFirst ? [batch, time, directions, hidden] : [time, directions, batch, hidden];
  return [{ dtype, shape: all }, state, state];
};

export const sequence: ShapeRules = {
  Attention: attention,
  ...alike(recurrent, "LSTM", "GRU", "RNN"),
};
