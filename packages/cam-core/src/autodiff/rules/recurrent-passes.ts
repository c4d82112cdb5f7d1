import type { Builder, Value } from "../../graph/builder.ts";
import type { VjpContext } from "../rule.ts";

/**
 * What the recurrent operators have in common: one pass over the sequence for each direction, whose weights, states and
 * cotangents are cut out of the node's, and whose results are put together again.
 *
 * Nothing is run again that the forward node answered: from Y, every step's state before it is known, so that all gates of all
 * steps are one product. What remains step by step is the linear recurrence of the cotangents, a Scan.
 */
export type Pass = {
  readonly op: Builder;
  /** Gates of all steps before their activations: what x and the bias add to them, [T, B, gates · H]. */
  readonly fromInput: Value;
  /** [gates · H, H]. */
  readonly r: Value;
  /** The second bias, of the recurrent product, [gates · H]; it is part of `fromInput`, too, unless it has a place of its own. */
  readonly recurrentBias: Value | undefined;
  /** H at the end of each step, and before it. [T, B, H] */
  readonly y: Value;
  readonly before: Value;
  readonly hidden: number;
  readonly reverse: boolean;
  /** Whether a step is within its sequence, bool [T, B, 1]; undefined where all are. */
  readonly valid: Value | undefined;
  /** The cotangents of Y [T, B, H], 0 at steps outside, and of the last states [B, H]. */
  readonly dy: Value | undefined;
  readonly dLast: Value;
  readonly dLastCell: Value;
  /** The initial cell state [B, H], and the peephole weights [3 · H]. */
  readonly cell: Value;
  readonly peepholes: Value | undefined;
  readonly activations: readonly Activation[];
};

/** What a pass answers with. */
export type PassBack = {
  /** The cotangent of `fromInput` [T, B, gates · H]. */
  readonly gates: Value;
  /** What was multiplied with the rows of R, and the cotangent of that product, gate by gate. */
  readonly products: readonly { readonly of: Value; readonly cotangent: Value }[];
  readonly dInitial: Value;
  readonly dInitialCell?: Value;
  readonly dPeepholes?: Value;
};

/** An activation, and its derivative by its own value. */
export type Activation = {
  readonly of: (op: Builder, x: Value) => Value;
  readonly slope: (op: Builder, y: Value) => Value;
};

const activations: Readonly<Record<string, Activation>> = {
  sigmoid: { of: (op, x) => op.sigmoid(x), slope: (op, y) => op.mul(y, op.sub(1, y)) },
  tanh: { of: (op, x) => op.tanh(x), slope: (op, y) => op.sub(1, op.mul(y, y)) },
  // 0 at 0.
  relu: { of: (op, x) => op.relu(x), slope: (op, y) => op.cast(op.greater(y, 0), op.dtype(y)) },
};

export type CellRule = {
  readonly gates: number;
  /** The activations that the operator has without being told. */
  readonly usual: readonly string[];
  /** Whether the second bias stays out of `fromInput`. */
  readonly ownBias?: (context: VjpContext) => boolean;
  readonly back: (pass: Pass, context: VjpContext) => PassBack;
};

/** The vjp of LSTM, GRU or RNN from what one pass does. */
export function throughPasses(rule: CellRule, context: VjpContext): (Value | null)[] {
  const { op, inputs, dys, wants, int, float, string, refuse } = context;
  const [x, w, r, bias, lengths, initial, initialCell, peepholes] = inputs as [Value, Value, Value, ...Value[]];
  if (int("layout", 0) !== 0)
    throw refuse("layout 1 has no gradient rule", "ONNX Runtime has no kernel for it either: export with layout 0.");
  if (float("clip", 0) > 0) throw refuse("clip has no gradient rule");
  const hidden = int("hidden_size", 0) || op.dims(r)?.[2];
  if (typeof hidden !== "number") throw refuse("hidden_size is not known before the run");
  const direction = string("direction", "forward");
  const reversed = direction === "bidirectional" ? [false, true] : [direction === "reverse"];
  const kinds = activationsOf(context, rule.usual, reversed.length);
  const ownBias = rule.ownBias?.(context) ?? false;
  const y = allStates(context);
  const steps = () => {
    const count = op.range(op.scalar(0, "int64"), op.squeeze(op.dim(x, 0), [0]), op.scalar(1, "int64"));
    return op.reshape(count, [-1, 1, 1]);
  };
  const ends = lengths && op.reshape(op.cast(lengths, "int64"), [1, -1, 1]);
  const valid = ends && op.less(steps(), ends);
  const zeros = () => op.expand(op.scalar(0, op.dtype(x)), op.concat([op.dim(x, 1), op.ints([hidden])], 0)); // [B, H]

  const passes = reversed.map((reverse, at): { pass: Pass; weights: Value; back: PassBack } => {
    const own = (value: Value | undefined, axis = 0) =>
      value && op.squeeze(op.slice(value, { axes: [axis], starts: [at], ends: [at + 1] }), [axis]);
    const [weights, recurrent, biases] = [own(w)!, own(r)!, own(bias)];
    const [inputBias, recurrentBias] = biases ? halves(op, biases, rule.gates * hidden) : [];
    const parts = [inputBias, ownBias ? undefined : recurrentBias].filter((part) => part !== undefined);
    const product = op.matMul(x, op.transpose(weights, [1, 0]));
    const states = own(y, 1)!;
    const start = own(initial) ?? zeros();
    const shifted = previous(op, states, start, reverse);
    // Behind the end of a shorter sequence Y is 0, but a pass from the end begins there with the initial state.
    const outside = reverse && ends ? op.less(op.add(steps(), 1), ends) : undefined;
    const dy = own(dys[0] ?? undefined, 1);
    const pass: Pass = {
      op,
      fromInput: parts.reduce((sum, part) => op.add(sum, part), product),
      r: recurrent,
      recurrentBias,
      y: states,
      before: outside ? op.where(outside, shifted, start) : shifted,
      hidden,
      reverse,
      valid,
      dy: dy && valid ? op.where(valid, dy, 0) : dy,
      dLast: own(dys[1] ?? undefined) ?? zeros(),
      dLastCell: own(dys[2] ?? undefined) ?? zeros(),
      cell: own(initialCell) ?? zeros(),
      peepholes: own(peepholes),
      activations: kinds[at]!,
    };
    return { pass, weights, back: rule.back(pass, context) };
  });

  type One = (typeof passes)[number];
  const stacked = (input: number, one: (each: One) => Value | undefined) =>
    wants(input)
      ? op.concat(
          passes.map((each) => op.unsqueeze(one(each)!, [0])),
          0,
        )
      : null;
  const sum = (value: Value) => op.reduceSum(value, { axes: [0, 1], keepdims: false });
  return [
    wants(0) ? passes.map(({ back, weights }) => op.matMul(back.gates, weights)).reduce((a, b) => op.add(a, b)) : null,
    stacked(1, ({ back }) => outer(op, back.gates, x)),
    stacked(2, ({ back }) =>
      op.concat(
        back.products.map(({ cotangent, of }) => outer(op, cotangent, of)),
        0,
      ),
    ),
    stacked(3, ({ back }) => op.concat([sum(back.gates), ...back.products.map(({ cotangent }) => sum(cotangent))], 0)),
    null,
    stacked(5, ({ back }) => back.dInitial),
    stacked(6, ({ back }) => back.dInitialCell),
    stacked(7, ({ back }) => back.dPeepholes),
  ];
}

/** Y, which a node whose reader asks for the last state alone doesn't answer with: then it is run once more. */
function allStates({ op, node, outputs }: VjpContext): Value {
  if (outputs[0]) return outputs[0];
  const name = op.fresh(node.opType);
  return op.append({ ...node, name, outputs: [op.fresh(`${node.opType}.states`)] })[0]!;
}

function activationsOf({ node, refuse }: VjpContext, usual: readonly string[], directions: number): Activation[][] {
  const given = node.attributes.activations;
  const names = given?.type === "strings" ? given.value : Array<readonly string[]>(directions).fill(usual).flat();
  const found = names.map((name) => {
    const activation = activations[name.toLowerCase()];
    if (!activation) throw refuse(`the activation "${name}" has no gradient rule`, "Sigmoid, Tanh and Relu have.");
    return activation;
  });
  return Array.from({ length: directions }, (_, at) => found.slice(at * usual.length, (at + 1) * usual.length));
}

/** The states that the steps begin with: those before them, or after them in a pass from the end. */
export function previous(op: Builder, states: Value, start: Value, reverse: boolean): Value {
  const first = op.unsqueeze(start, [0]);
  const rest = reverse
    ? op.slice(states, { axes: [0], starts: [1], ends: [Number.MAX_SAFE_INTEGER] })
    : op.slice(states, { axes: [0], starts: [0], ends: [-1] });
  return op.shapedLike(op.concat(reverse ? [rest, first] : [first, rest], 0), states);
}

function halves(op: Builder, value: Value, length: number): Value[] {
  return op.split(value, { axis: 0, sizes: [length, length], outputs: 2 });
}

/** The last axis in `count` equal parts. */
export function gatesOf(op: Builder, value: Value, hidden: number, count: number): Value[] {
  const axis = op.rank(value) - 1;
  return count === 1 ? [value] : op.split(value, { axis, sizes: Array(count).fill(hidden), outputs: count });
}

/** `value` where a step is within its sequence, else a number. */
export function within({ op, valid }: Pass, value: Value, otherwise: number): Value {
  return valid ? op.where(valid, value, otherwise) : value;
}

/** 1 where a step is outside its sequence [T, B, 1]; undefined where none is. */
export function outsideOf({ op, valid, y }: Pass): Value | undefined {
  return valid && op.cast(op.not(valid), op.dtype(y));
}

/** before · Rᵀ for some rows of R. */
export function recurrentProduct(op: Builder, states: Value, rows: Value): Value {
  return op.matMul(states, op.transpose(rows, [1, 0]));
}

/** Σ over steps and batch of a ⊗ b: [T, B, n], [T, B, m] → [n, m]. */
function outer(op: Builder, a: Value, b: Value): Value {
  const rows = (value: Value) => op.reshape(value, op.sizes([-1, op.dim(value, 2)]));
  return op.gemm(rows(a), rows(b), { transA: true });
}
