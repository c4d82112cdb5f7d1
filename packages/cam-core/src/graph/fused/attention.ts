import type { Builder, Value } from "../builder.ts";
import { type Expand, type Expansions, type FusedNode, type Refusal, refused } from "./fused.ts";

/**
 * ONNX Runtime's attention operators, spelled out:
 *
 *   Y = softmax(scale · Q Kᵀ + bias + mask) V    per head, heads side by side in the last axis
 *
 * Here Q is [B, heads, S, width], K and V are [B, heads, T, width].
 */

type Heads = { readonly q: Value; readonly k: Value; readonly v: Value };

/** [B, L, heads · width] to [B, heads, L, width]. */
function split(op: Builder, x: Value, heads: number): Value {
  return op.transpose(op.reshape(x, [0, 0, heads, -1]), [0, 2, 1, 3]);
}

/** And back. */
function joined(op: Builder, x: Value): Value {
  return op.reshape(op.transpose(x, [0, 2, 1, 3]), [0, 0, -1]);
}

/** Positions 0 to n - 1 as int64, n given as a 1-element value. */
function positions(op: Builder, n: Value): Value {
  return op.range(op.scalar(0, "int64"), op.squeeze(n, [0]), op.scalar(1, "int64"));
}

/** `low` where a key lies after its query, else 0: [S, T]. */
function causal(op: Builder, { q, k }: Heads, low: number): Value {
  const [length, total] = [op.dim(q, 2), op.dim(k, 2)];
  const rows = op.add(op.unsqueeze(positions(op, length), [1]), op.sub(total, length));
  const later = op.greater(op.unsqueeze(positions(op, total), [0]), rows);
  return blocked(op, later, low, op.dtype(q));
}

function blocked(op: Builder, where: Value, low: number, like: ReturnType<Builder["dtype"]>): Value {
  return op.where(where, op.scalar(low, like), op.scalar(0, like));
}

/**
 * What is added for keys that are masked out. A mask is 1 for keys that count: [B, T], [B, S, T] or [B, 1, S, T]; or it holds
 * the number of keys of each sample, [B].
 */
function maskOf(op: Builder, mask: Value, { q, k }: Heads, low: number): Value | Refusal {
  const rank = op.dims(mask)?.length;
  if (rank === 1) {
    const [lengths, batch] = [op.dims(mask)![0], op.dims(q)![0]];
    if (lengths !== batch) return refused("its mask gives starts and ends of the keys");
    const beyond = op.greaterOrEqual(positions(op, op.dim(k, 2)), op.unsqueeze(op.cast(mask, "int64"), [1]));
    return op.unsqueeze(blocked(op, beyond, low, op.dtype(q)), [1, 2]);
  }
  if (rank === undefined || rank > 4) return refused("the rank of its mask is not known");
  const out = blocked(op, op.equal(mask, 0), low, op.dtype(q));
  return rank === 2 ? op.unsqueeze(out, [1, 2]) : rank === 3 ? op.unsqueeze(out, [1]) : out;
}

type Summands = { mask?: Value | undefined; bias?: Value | undefined; causal: boolean; low: number; scale: number };

/** The outcome side by side: [B, S, heads · width]. */
function attended(op: Builder, heads: Heads, { mask, bias, causal: turned, low, scale }: Summands): Value | Refusal {
  const { q, k, v } = heads;
  const width = op.dims(q)?.[3];
  const factor =
    scale ||
    (typeof width === "number" ? 1 / Math.sqrt(width) : op.reciprocal(op.sqrt(op.cast(op.dim(q, 3), op.dtype(q)))));
  let scores = op.matMul(op.mul(q, factor), op.transpose(k, [0, 1, 3, 2]));
  if (bias) scores = op.add(scores, bias);
  if (mask) {
    const added = maskOf(op, mask, heads, low);
    if (typeof added !== "string") return added;
    scores = op.add(scores, added);
  }
  if (turned) scores = op.add(scores, causal(op, heads, low));
  return joined(op, op.matMul(op.softmax(scores, -1), v));
}

/** Input, weights and bias of the three projections in one. */
function projected({ op, int, ints }: FusedNode, x: Value, weights: Value, bias: Value | undefined): Heads | Refusal {
  const heads = int("num_heads", 1);
  const columns = op.dims(weights)?.[1];
  if (typeof columns !== "number") return refused("the shape of its weights is not known");
  const sizes = ints("qkv_hidden_sizes") ?? [columns / 3, columns / 3, columns / 3];
  const product = op.matMul(x, weights);
  const parts = op.split(bias ? op.add(product, bias) : product, { axis: -1, sizes, outputs: 3 });
  const [q, k, v] = parts.map((part) => split(op, part, heads)) as [Value, Value, Value];
  return { q, k, v };
}

const finished = (y: Value | Refusal, ...more: (Value | undefined)[]) => (typeof y === "string" ? [y, ...more] : y);

/** Self-attention on a sequence, its projections included. `at`: positions of the optional inputs. */
function selfAttention(
  fused: FusedNode,
  x: Value,
  weights: Value,
  bias: Value | undefined,
  optional: { mask?: Value | undefined; past?: Value | undefined; bias?: Value | undefined },
) {
  const { op, int, float, node } = fused;
  if (optional.past || int("past_present_share_buffer", 0) === 1) return refused("it has past keys and values");
  if (int("do_rotary", 0) === 1) return refused("it turns its queries by position (do_rotary)");
  const heads = projected(fused, x, weights, bias);
  if ("refused" in heads) return heads;
  const y = attended(op, heads, {
    mask: optional.mask,
    bias: optional.bias,
    causal: int("unidirectional", 0) === 1,
    low: float("mask_filter_value", -10000),
    scale: float("scale", 0),
  });
  const present = node.outputs[1] ? op.concat([op.unsqueeze(heads.k, [0]), op.unsqueeze(heads.v, [0])], 0) : undefined;
  return finished(y, present);
}

const attention: Expand = (fused) => {
  const [x, weights, bias, mask, past, added] = fused.inputs;
  return selfAttention(fused, x!, weights!, bias, { mask, past, bias: added });
};

/** The same on integers: input and weights are dequantised first. */
const quantisedAttention: Expand = (fused) => {
  const { op } = fused;
  const [x, weights, bias, inputScale, weightScale, mask, inputZero, weightZero, past] = fused.inputs;
  const real = op.node("DequantizeLinear", [x, inputScale, inputZero])[0]!;
  const own = op.node("DequantizeLinear", [weights, weightScale, weightZero], { axis: 1 })[0]!;
  return selfAttention(fused, real, own, bias, { mask, past });
};

/** Query, key and value apart, each with its part of the bias. */
const multiHeadAttention: Expand = (fused) => {
  const { op, inputs, int, float } = fused;
  const [query, key, value, bias, mask, added, pastKey, pastValue, pastLength] = inputs;
  if (pastKey || pastValue || pastLength) return refused("it has past keys and values");
  const heads = headsOf(op, query!, key, value, bias, int("num_heads", 1));
  if ("refused" in heads) return heads;
  const y = attended(op, heads, {
    mask,
    bias: added,
    causal: int("unidirectional", 0) === 1,
    low: float("mask_filter_value", -10000),
    scale: float("scale", 0),
  });
  return finished(y, heads.k, heads.v);
};

function headsOf(
  op: Builder,
  query: Value,
  key: Value | undefined,
  value: Value | undefined,
  bias: Value | undefined,
  heads: number,
): Heads | Refusal {
  if (op.rank(query) === 5 || (key && op.rank(key) === 5)) return refused("its inputs are packed into one");
  if (!key || !value) return refused("it has no keys and values of its own");
  const biases = biasesOf(op, bias, [query, key, value]);
  if (bias && !biases) return refused("the sizes of its bias are not known");
  const [q, k, v] = [query, key, value].map((x, i) => {
    if (op.rank(x) === 4) return x; // [B, heads, T, width], as cross-attention keeps them
    return split(op, biases ? op.add(x, biases[i]!) : x, heads);
  }) as [Value, Value, Value];
  return { q, k, v };
}

function biasesOf(op: Builder, bias: Value | undefined, parts: readonly Value[]): Value[] | undefined {
  const sizes = parts.map((part) => op.dims(part)?.at(-1));
  const all = bias && parts.every((part) => op.rank(part) === 3) && sizes.every((size) => typeof size === "number");
  return all ? op.split(bias, { axis: 0, sizes: sizes as number[], outputs: 3 }) : undefined;
}

/**
 * Groups of query heads share a key head; keys follow those of the past. `seqlens_k` [B]: the last key that counts. Always
 * causal.
 */
const groupQueryAttention: Expand = (fused) => {
  const { op, inputs, int, float, node } = fused;
  const [query, key, value, pastKey, pastValue, lengths, , cos, sin, places, added, ...rest] = inputs;
  if (rest.some((input) => input)) return refused("it has sinks, quantised caches or norms");
  if (int("local_window_size", -1) > 0) return refused("its attention is local");
  if (int("smooth_softmax", 0) > 0) return refused("its softmax is a smooth one");
  if (places) return refused("its positions are given");
  const [queryHeads, keyHeads] = [int("num_heads", 1), int("kv_num_heads", 1)];
  const [q, k, v] = key && value ? [query!, key, value] : (packed(op, query!, queryHeads, keyHeads) ?? []);
  if (!q || !k || !v) return refused("the width of its packed input is not known");
  const past = pastKey ? op.dim(pastKey, 2) : op.ints([0]);
  const turned = (x: Value, heads: number) => {
    const laid = split(op, x, heads);
    return int("do_rotary", 0) === 1 ? rotated(op, laid, cos!, sin!, past, int("rotary_interleaved", 0) === 1) : laid;
  };
  const behind = (old: Value | undefined, x: Value) => (old ? op.concat([old, x], 2) : x);
  const allKeys = behind(pastKey, turned(k, keyHeads));
  const allValues = behind(pastValue, split(op, v, keyHeads));
  // Each key head once for each query head of its group.
  const repeated = (x: Value) => {
    const copies = op.expand(op.unsqueeze(x, [2]), op.ints([1, 1, queryHeads / keyHeads, 1, 1]));
    return op.reshape(copies, op.sizes([op.dim(x, 0), queryHeads, op.dim(x, 2), op.dim(x, 3)]));
  };
  const heads = { q: turned(q, queryHeads), k: repeated(allKeys), v: repeated(allValues) };
  const low = -10000;
  const unused = op.greater(
    positions(op, op.dim(heads.k, 2)),
    op.unsqueeze(op.cast(op.reshape(lengths!, [-1]), "int64"), [1]),
  );
  const mask = op.unsqueeze(blocked(op, unused, low, op.dtype(q)), [1, 2]);
  const bias = added ? op.add(mask, added) : mask;
  const cap = float("softcap", 0);
  if (cap !== 0) return refused("its scores are capped");
  const y = attended(op, heads, { bias, causal: true, low, scale: float("scale", 0) });
  return finished(y, node.outputs[1] ? allKeys : undefined, node.outputs[2] ? allValues : undefined);
};

function packed(op: Builder, x: Value, queryHeads: number, keyHeads: number): Value[] | undefined {
  const width = op.dims(x)?.at(-1);
  if (typeof width !== "number") return undefined;
  const each = width / (queryHeads + 2 * keyHeads);
  return op.split(x, { axis: -1, sizes: [queryHeads * each, keyHeads * each, keyHeads * each], outputs: 3 });
}

/**
 * Rotary positions: pairs of channels are turned by their position's angle, cos and sin [most, width / 2]. A pair lies side by
 * side, or half the width apart.
 */
function rotated(op: Builder, x: Value, cos: Value, sin: Value, first: Value, interleaved: boolean): Value {
  const end = op.add(first, op.dim(x, 2));
  const rows = (table: Value) => op.slice(table, { axes: [0], starts: first, ends: end }); // [S, width / 2]
  const [c, s] = [rows(cos), rows(sin)];
  const half = op.dims(cos)?.[1];
  if (interleaved) {
    const pairs = op.reshape(x, [0, 0, 0, -1, 2]);
    const [a, b] = op.split(pairs, { axis: 4, sizes: [1, 1], outputs: 2 }).map((part) => op.squeeze(part, [4])) as [
      Value,
      Value,
    ];
    const both = [op.sub(op.mul(a, c), op.mul(b, s)), op.add(op.mul(a, s), op.mul(b, c))];
    return op.reshapeLike(
      op.concat(
        both.map((part) => op.unsqueeze(part, [4])),
        4,
      ),
      x,
    );
  }
  const [a, b] = op.split(x, { axis: 3, sizes: [Number(half), Number(half)], outputs: 2 }) as [Value, Value];
  return op.concat([op.sub(op.mul(a, c), op.mul(b, s)), op.add(op.mul(a, s), op.mul(b, c))], 3);
}

export const attentions: Expansions = {
  Attention: attention,
  QAttention: quantisedAttention,
  MultiHeadAttention: multiHeadAttention,
  GroupQueryAttention: groupQueryAttention,
};
