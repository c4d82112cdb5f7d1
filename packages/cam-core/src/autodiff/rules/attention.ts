import type { Builder, Value } from "../../graph/builder.ts";
import { bool, int64 } from "../../tensor.ts";
import { defineRules, type VjpContext } from "../rule.ts";
import { summedIn } from "./scatter.ts";

/** What stands for -infinity in a sum: it leaves rows of -infinity alone a softmax without NaN. */
const lowest = { float32: -3.4028234663852886e38, float64: -Number.MAX_VALUE };

/**
 * Backward of scaled dot-product attention, per head. The probabilities are computed again, as the forward node keeps none.
 *
 *   S = scale · Q Kᵀ    C = cap · tanh(S / cap)    B = C + mask    P = softmax(B)    Y = P V
 *   dV = Pᵀ dY          dP = dY Vᵀ                 dB = P ∘ (dP - sum(dP ∘ P))       sum(dY Vᵀ ∘ P) = sum(dY ∘ Y)
 *   dmask = dB          dS = dB ∘ (1 - tanh²)      dQ = scale · dS K                 dK = scale · dSᵀ Q
 *
 * Q, K, V are [B, heads, L, width], or [B, L, heads · width] with the numbers of heads as attributes. Past keys and values
 * stand before the new ones; all of them together are outputs, whose cotangents add to dK and dV. So does that of the scores,
 * which are S, C, B or P by the mode asked for. Where several query heads share one key head, they are laid end to end along
 * L, so that each product serves a whole group and dK and dV come out summed. A query that may attend to nothing has Y = 0, as
 * in PyTorch, and passes nothing back.
 */
function attend(context: VjpContext): (Value | null)[] {
  const { op, inputs, outputs, dys, wants, int, float, refuse } = context;
  const [query, key, value, mask, pastKey, pastValue] = inputs as [Value, Value, Value, Value?, Value?, Value?];
  if (Math.max(int("left_window_size", -1), int("right_window_size", -1)) >= 0)
    throw refuse("a sliding window has no gradient rule");
  const dtype = op.dtype(query);
  const wide = summedIn(dtype);
  const packed = op.rank(query) === 3;
  const heads = (x: Value, count: string) => {
    const own = op.cast(x, wide);
    return packed ? op.transpose(op.reshape(own, [0, 0, int(count, 1), -1]), [0, 2, 1, 3]) : own;
  };
  const [dy, dPresentKey, dPresentValue, dScored] = dys.map((x) => (x ? op.cast(x, wide) : undefined));
  const q = heads(query, "q_num_heads");
  const [newKeys, newValues] = [key, value].map((x) => heads(x, "kv_num_heads")) as [Value, Value];
  const all = (past: Value | undefined, own: Value, present: Value | undefined) =>
    past ? op.cast(present || op.concat([op.cast(past, wide), own], 2), wide) : own;
  const [k, v] = [all(pastKey, newKeys, outputs[1]), all(pastValue, newValues, outputs[2])];
  const [queryHeads, keyHeads] = [op.dim(q, 1), op.dim(k, 1)];
  const shared = op.dims(q)?.[1] !== op.dims(k)?.[1];
  // Sizes that stay are named: next to a number of heads that only the run knows, ONNX's own inference takes a 0 for a size.
  const among = (x: Value, heads: Value) => op.reshape(x, op.sizes([op.dim(x, 0), heads, -1, op.dim(x, 3)]));
  const grouped = (x: Value) => (shared ? among(x, keyHeads) : x);
  const single = (x: Value) => (shared ? among(x, queryHeads) : x);
  const turned = (x: Value) => op.transpose(x, [0, 1, 3, 2]);

  const scale = float("scale", 0) || scaleOf(op, q);
  const scaled = op.mul(q, scale);
  const products = single(op.matMul(grouped(scaled), turned(k)));
  const cap = float("softcap", 0);
  const bent = cap === 0 ? undefined : op.tanh(op.div(products, cap));
  const { scores, live, may } = masked(context, bent ? op.mul(bent, cap) : products, q, k, pastKey);
  const probabilities = op.softmax(scores, -1);
  const whereLive = (x: Value) => (live ? op.where(live, x, 0) : x);
  const whereAllowed = (x: Value) => (may ? op.where(may, x, 0) : x);
  const scored = (...modes: number[]) =>
    dScored && modes.includes(int("qk_matmul_output_mode", 0)) ? dScored : undefined;
  const sum = (parts: readonly (Value | undefined)[]) =>
    parts.reduce((a, b) => (a && b ? op.add(a, b) : (a ?? b)), undefined);

  const dyHeads = dy && heads(dy, "q_num_heads");
  const dyLive = dyHeads && whereLive(dyHeads);
  const dGiven = scored(3) && whereLive(scored(3)!);
  const dP = sum([dyLive && single(op.matMul(grouped(dyLive), turned(v))), dGiven]);
  const mean = sum([
    dyHeads && whereLive(op.reduceSum(op.mul(dyHeads, heads(outputs[0]!, "q_num_heads")), { axes: [-1] })),
    dGiven && op.reduceSum(op.mul(dGiven, probabilities), { axes: [-1] }),
  ]);
  const dMasked = sum([dP && op.mul(probabilities, op.sub(dP, mean!)), scored(2) && whereAllowed(scored(2)!)]);
  const dCapped = sum([dMasked, scored(1)]);
  const dProducts = sum([dCapped && bent ? op.mul(dCapped, op.sub(1, op.mul(bent, bent))) : dCapped, scored(0)]);

  const back = (x: Value, like: Value) => {
    const own = packed ? op.reshapeLike(op.transpose(x, [0, 2, 1, 3]), like) : op.shapedLike(x, like);
    return op.cast(own, dtype);
  };
  /** Of all keys or values, to the new ones and to the past ones. */
  const parted = (x: Value | undefined, like: Value, own: Value, past: Value | undefined) => {
    if (!x) return [null, null];
    if (!past) return [back(x, like), null];
    const sizes = op.concat([op.dim(past, 2), op.dim(own, 2)], 0);
    const [before, after] = op.split(x, { axis: 2, sizes, outputs: 2 });
    return [back(after!, like), op.cast(op.shapedLike(before!, past), dtype)];
  };
  const dKeys = () => dProducts && op.matMul(turned(grouped(dProducts)), grouped(scaled));
  const dValues = () => dyLive && op.matMul(turned(grouped(probabilities)), grouped(dyLive));
  const [dKey, dPastKey] = wants(1) || wants(4) ? parted(sum([dKeys(), dPresentKey]), key, newKeys, pastKey) : [];
  const [dValue, dPastValue] =
    wants(2) || wants(5) ? parted(sum([dValues(), dPresentValue]), value, newValues, pastValue) : [];
  return [
    wants(0) && dProducts ? back(op.mul(single(op.matMul(grouped(dProducts), k)), scale), query) : null,
    dKey ?? null,
    dValue ?? null,
    mask && wants(3) && dMasked ? op.cast(dMasked, op.dtype(mask)) : null,
    dPastKey ?? null,
    dPastValue ?? null,
  ];
}

/** 1 / sqrt(width of a head). */
function scaleOf(op: Builder, q: Value): number | Value {
  const width = op.dims(q)?.[3];
  if (typeof width === "number") return 1 / Math.sqrt(width);
  return op.reciprocal(op.sqrt(op.cast(op.dim(q, 3), op.dtype(q))));
}

/**
 * The scores with what may not be attended to at the lowest number, what may (broadcast against the scores; absent where it is
 * all), and which queries may attend to anything at all ([…, L, 1]; absent where it is all of them). A bool mask says what
 * may, a float mask is added, `is_causal` allows keys up to the query's own position, which is counted from the first past
 * key, and the number of keys that aren't padding (opset 24) those below it, the last of them being the last query's position.
 */
function masked(
  { op, inputs, int }: VjpContext,
  scores: Value,
  q: Value,
  k: Value,
  past: Value | undefined,
): { scores: Value; live?: Value; may?: Value } {
  const [mask, lengths] = [inputs[3], inputs[6]];
  const dtype = op.dtype(scores) as keyof typeof lowest;
  const causal = int("is_causal", 0) === 1;
  const upTo = (size: Value) => op.range(op.scalar(0, "int64"), op.squeeze(size, [0]), op.scalar(1, "int64"));
  const allowed: Value[] = [];
  const length = op.dim(q, 2);
  const known = lengths ? op.reshape(lengths, [-1, 1, 1, 1]) : undefined;
  if (mask && op.dtype(mask) === "bool") allowed.push(mask);
  if (known) allowed.push(op.less(upTo(op.dim(k, 2)), known));
  if (causal) {
    const own = op.unsqueeze(upTo(length), [1]);
    const before = known ? op.sub(known, length) : past ? op.dim(past, 2) : 0;
    allowed.push(op.lessOrEqual(upTo(op.dim(k, 2)), op.add(own, before)));
  }
  const may = allowed.length > 0 ? allowed.reduce((a, b) => op.and(a, b)) : undefined;
  const anyOf = (x: Value) => op.reduceMax(x, { axes: [-1] });
  if (mask && op.dtype(mask) !== "bool") {
    const given = op.cast(mask, dtype);
    const added = may ? op.where(may, given, Number.NEGATIVE_INFINITY) : given;
    const live = op.greater(anyOf(added), Number.NEGATIVE_INFINITY);
    return { scores: op.add(scores, op.max(added, lowest[dtype])), live, ...(may && { may }) };
  }
  if (!may) return { scores };
  const cut = op.where(may, scores, lowest[dtype]);
  // Causal alone, the first key is always allowed.
  const live = mask || known ? op.greater(anyOf(op.cast(may, dtype)), 0) : undefined;
  return { scores: cut, may, ...(live && { live }) };
}

export const attention = defineRules({
  Attention: {
    kind: "smooth",
    vjp: attend,
    sample: (rng) => {
      const opset = 23;
      const some = bool(
        [3, 5],
        [true, true, false, true, false, false, true, true, false, true, ...Array(5).fill(true)],
      );
      // [B, heads, L, width]; keys are as wide as queries, values may be wider or narrower. 16 wide, the scale is a power of
      // two, which float32 holds: in it ONNX Runtime keeps the scale when it spells the operator out for float64.
      const inputs = () => [rng.normal([2, 4, 3, 16]), rng.normal([2, 4, 5, 16]), rng.normal([2, 4, 5, 6])];
      const shared = () => [rng.normal([2, 4, 3, 16]), rng.normal([2, 2, 5, 16]), rng.normal([2, 2, 5, 16])];
      const packed = () => [rng.normal([2, 3, 64]), rng.normal([2, 5, 32]), rng.normal([2, 5, 6])];
      const heads = { q_num_heads: 4, kv_num_heads: 2 };
      const past = (heads: number, width = 6) => [rng.normal([2, heads, 2, 16]), rng.normal([2, heads, 2, width])];
      return [
        { inputs: inputs(), opset },
        { inputs: inputs(), attributes: { scale: { float: 0.0625 } }, opset },
        { inputs: inputs(), attributes: { is_causal: 1 }, opset },
        { inputs: shared(), opset },
        { inputs: packed(), attributes: heads, opset },
        { inputs: [...inputs(), some], opset },
        { inputs: [...inputs(), rng.normal([3, 5])], opset },
        { inputs: [...shared(), rng.normal([2, 1, 3, 5])], attributes: { is_causal: 1 }, opset },
        { inputs: [...inputs(), rng.normal([4, 3, 5])], attributes: { softcap: { float: 1.5 } }, opset },
        { inputs: [...shared(), some], attributes: { softcap: { float: 2 }, is_causal: 1 }, opset },
        { inputs: [...inputs(), undefined, undefined, undefined, int64([2], [4, 5])], opset: 24 },
        ...[
          { output: 0, wrt: [0, 1, 2, 4, 5] },
          { output: 1, wrt: [1, 4] },
          { output: 2, wrt: [2, 5] },
        ].map((of) => ({ inputs: [...inputs(), undefined, ...past(4)], outputs: 3, opset, ...of })),
        { inputs: [...inputs(), undefined, ...past(4)], outputs: 3, attributes: { is_causal: 1 }, opset },
        { inputs: [...shared(), rng.normal([3, 7]), ...past(2, 16)], outputs: 3, opset },
        { inputs: [...packed(), undefined, ...past(2, 3)], outputs: 3, attributes: heads, opset },
        { inputs: packed(), outputs: 3, output: 1, wrt: [1], attributes: heads, opset },
        // The scores themselves: the products, bent, masked, and as probabilities.
        ...[0, 1, 2, 3].map((mode) => ({
          inputs: [...shared(), rng.normal([2, 1, 3, 5])],
          attributes: { qk_matmul_output_mode: mode, softcap: { float: 2 } },
          outputs: 4,
          output: 3,
          wrt: mode < 2 ? [0, 1] : [0, 1, 3],
          opset,
        })),
        { inputs: [...inputs(), undefined, ...past(4)], outputs: 4, output: 3, wrt: [0, 1, 4], opset },
      ];
    },
  },
});
