import type { Value } from "../../graph/builder.ts";
import type { Tensor } from "../../tensor.ts";
import type { Rng } from "../../testing/rng.ts";
import { defineRules, type Sample, type VjpContext } from "../rule.ts";
import {
  gatesOf,
  outsideOf,
  type Pass,
  type PassBack,
  previous,
  recurrentProduct,
  throughPasses,
  within,
} from "./recurrent-passes.ts";

/**
 * LSTM, GRU and RNN. J stands for what a gate's cotangent is multiplied with on the way through its activation, dH and dC for
 * the cotangents of a step's states, those that later steps send included.
 */

/**
 *   C = f ∘ C₋ + i ∘ g     H = o ∘ h(C)
 *   dC = dH ∘ o ∘ h'(C) + what the next step sends      dC₋ = dC ∘ f      dH₋ = [di, do, df, dg] R
 *
 * i and f also see C₋, and o sees C, through peepholes: these are factors of dC₋ and dC, since a gate's cotangent is a
 * multiple of dC or dH. Where the input gate and the forget gate are one, f = 1 - i.
 */
function lstmBack(pass: Pass, { int }: VjpContext): PassBack {
  const { op, fromInput, r, before, hidden, reverse, cell, dLast, dLastCell, dy } = pass;
  const [gate, candidate, output] = pass.activations as [(typeof pass.activations)[0], ...typeof pass.activations];
  const coupled = int("input_forget", 0) === 1;
  const z = op.add(fromInput, recurrentProduct(op, before, r));
  const [zi, zo, zf, zg] = gatesOf(op, z, hidden, 4) as [Value, Value, Value, Value];
  const [pi, po, pf] = pass.peepholes ? gatesOf(op, pass.peepholes, hidden, 3) : [];
  const seen = (value: Value, peephole: Value | undefined, state: Value) =>
    gate.of(op, peephole ? op.add(value, op.mul(state, peephole)) : value);
  const forget = (i: Value, state: Value) => (coupled ? op.sub(1, i) : seen(zf, pf, state));

  const g = candidate!.of(op, zg);
  const cells = pi
    ? cellsStepByStep(pass, [zi, zf, g], [pi, pf!], coupled)
    : cellsOf(pass, seen(zi, pi, ""), g, forget);
  const before_ = previous(op, cells, cell, reverse);
  const i = seen(zi, pi, before_);
  const f = forget(i, before_);
  const o = seen(zo, po, cells);
  const h = output!.of(op, cells);
  const slope = (value: Value) => gate.slope(op, value);

  const ji = op.mul(coupled ? op.sub(g, before_) : g, slope(i));
  const jf = coupled ? op.fillLike(f, 0) : op.mul(before_, slope(f));
  const jo = op.mul(h, slope(o));
  const jg = op.mul(i, candidate!.slope(op, g));
  const direct = op.mul(o, output!.slope(op, h));
  const intoCell = po ? op.add(direct, op.mul(jo, po)) : direct;
  const held = pi ? op.add(f, op.add(op.mul(ji, pi), op.mul(jf, pf!))) : f;
  const outside = outsideOf(pass);
  const { states, kept } = op.scan({
    states: [dLast, dLastCell],
    sequences: [
      within(pass, op.concat([ji, jo, jf, jg], 2), 0),
      within(pass, intoCell, 0),
      within(pass, held, 1),
      ...(dy ? [dy] : []),
      ...(outside ? [outside] : []),
    ],
    reverse: !reverse,
    body: (inner, [sent, sentCell], [j, into, hold, ...rest]) => {
      const dh = dy ? inner.add(sent!, rest[0]!) : sent!;
      const dc = inner.add(inner.mul(dh, into!), sentCell!);
      const dz = inner.mul(inner.concat([dc, dh, dc, dc], 1), j!);
      const back = inner.matMul(dz, r);
      const past = outside ? inner.add(back, inner.mul(dh, rest.at(-1)!)) : back;
      return { states: [past, inner.mul(dc, hold!)], kept: [dz] };
    },
  });
  const gates = kept[0]!;
  const [di, dO, df] = gatesOf(op, gates, hidden, 4) as [Value, Value, Value];
  const sum = (value: Value) => op.reduceSum(value, { axes: [0, 1], keepdims: false });
  const products = [op.mul(di, before_), op.mul(dO, cells), op.mul(df, before_)].map(sum);
  return {
    gates,
    products: [{ of: before, cotangent: gates }],
    dInitial: states[0]!,
    dInitialCell: states[1]!,
    ...(pi ? { dPeepholes: op.concat(products, 0) } : {}),
  };
}

/** C of each step, which LSTM answers with for the last one only; outside a sequence it stays. [T, B, H] */
function cellsOf(pass: Pass, i: Value, g: Value, forget: (i: Value, state: Value) => Value): Value {
  const { op, reverse, cell } = pass;
  return op.scan({
    states: [cell],
    sequences: [within(pass, forget(i, ""), 1), within(pass, op.mul(i, g), 0)],
    reverse,
    body: (inner, [state], [f, added]) => {
      const next = inner.add(inner.mul(state!, f!), added!);
      return { states: [next], kept: [next] };
    },
  }).kept[0]!;
}

/** The same with peepholes, through which the gates see C. */
function cellsStepByStep(
  pass: Pass,
  [zi, zf, g]: readonly [Value, Value, Value],
  [pi, pf]: readonly [Value, Value],
  coupled: boolean,
): Value {
  const { op, reverse, cell, valid, activations } = pass;
  const gate = activations[0]!;
  return op.scan({
    states: [cell],
    sequences: [zi, zf, g, ...(valid ? [valid] : [])],
    reverse,
    body: (inner, [state], [ai, af, ag, inside]) => {
      const i = gate.of(inner, inner.add(ai!, inner.mul(state!, pi)));
      const f = coupled ? inner.sub(1, i) : gate.of(inner, inner.add(af!, inner.mul(state!, pf)));
      const next = inner.add(inner.mul(state!, f), inner.mul(i, ag!));
      const stays = inside ? inner.where(inside, next, state!) : next;
      return { states: [stays], kept: [stays] };
    },
  }).kept[0]!;
}

/**
 *   H = (1 - z) ∘ n + z ∘ H₋      dn = dH ∘ (1 - z) ∘ n'      dz = dH ∘ (H₋ - n) ∘ z'
 *
 * with n = g(x + r ∘ (H₋ Rnᵀ + b)) where the reset comes after the product (`linear_before_reset`), else
 * n = g(x + (r ∘ H₋) Rnᵀ + b). Outside a sequence z counts as 1 and all J as 0, so that dH goes on as it is.
 */
function gruBack(pass: Pass, context: VjpContext): PassBack {
  const { op, fromInput, r: rows, before, hidden, reverse, dLast, dy, recurrentBias } = pass;
  const [gate, candidate] = pass.activations as [(typeof pass.activations)[0], (typeof pass.activations)[0]];
  const [xz, xr, xn] = gatesOf(op, fromInput, hidden, 3) as [Value, Value, Value];
  const [rzr, rn] = op.split(rows, { axis: 0, sizes: [2 * hidden, hidden], outputs: 2 }) as [Value, Value];
  const after = resetsAfter(context);
  const biased = recurrentBias && after ? gatesOf(op, recurrentBias, hidden, 3) : [];
  const plus = (value: Value, bias: Value | undefined) => (bias ? op.add(value, bias) : value);
  const [hz, hr] = gatesOf(op, recurrentProduct(op, before, rzr), hidden, 2) as [Value, Value];
  const z = gate.of(op, plus(op.add(xz, hz), biased[0]));
  const r = gate.of(op, plus(op.add(xr, hr), biased[1]));
  const read = after ? before : op.mul(r, before);
  const product = plus(recurrentProduct(op, read, rn), biased[2]);
  const n = candidate.of(op, op.add(xn, after ? op.mul(r, product) : product));

  const jz = within(pass, op.mul(op.sub(before, n), gate.slope(op, z)), 0);
  const jn = within(pass, op.mul(op.sub(1, z), candidate.slope(op, n)), 0);
  const jr = op.mul(after ? op.mul(jn, product) : before, gate.slope(op, r));
  const stays = within(pass, z, 1);
  const total = (inner: Pass["op"], sent: Value, rest: readonly Value[]) => (dy ? inner.add(sent, rest[0]!) : sent);
  const given = dy ? [dy] : [];

  if (after) {
    const factors = op.concat([jz, jr, op.mul(jn, r)], 2);
    const { states, kept } = op.scan({
      states: [dLast],
      sequences: [factors, stays, ...given],
      reverse: !reverse,
      body: (inner, [sent], [j, stay, ...rest]) => {
        const dh = total(inner, sent!, rest);
        const products = inner.mul(inner.concat([dh, dh, dh], 1), j!);
        return { states: [inner.add(inner.matMul(products, rows), inner.mul(dh, stay!))], kept: [products, dh] };
      },
    });
    const [products, dh] = kept as [Value, Value];
    const [dz, dr] = gatesOf(op, products, hidden, 3) as [Value, Value];
    return {
      gates: op.concat([dz, dr, op.mul(dh, jn)], 2),
      products: [{ of: before, cotangent: products }],
      dInitial: states[0]!,
    };
  }
  const { states, kept } = op.scan({
    states: [dLast],
    sequences: [jz, jr, jn, r, stays, ...given],
    reverse: !reverse,
    body: (inner, [sent], [z_, r_, n_, reset, stay, ...rest]) => {
      const dh = total(inner, sent!, rest);
      const dn = inner.mul(dh, n_!);
      const dRead = inner.matMul(dn, rn);
      const dzr = inner.concat([inner.mul(dh, z_!), inner.mul(dRead, r_!)], 1);
      const past = inner.add(inner.mul(dRead, reset!), inner.mul(dh, stay!));
      return { states: [inner.add(past, inner.matMul(dzr, rzr))], kept: [dzr, dn] };
    },
  });
  const [dzr, dn] = kept as [Value, Value];
  return {
    gates: op.concat([dzr, dn], 2),
    products: [
      { of: before, cotangent: dzr },
      { of: read, cotangent: dn },
    ],
    dInitial: states[0]!,
  };
}

function resetsAfter({ int }: VjpContext): boolean {
  return int("linear_before_reset", 0) !== 0;
}

/** H = f(x + H₋ Rᵀ): dz = dH ∘ f', dH₋ = dz R. */
function rnnBack(pass: Pass): PassBack {
  const { op, r, before, reverse, dLast, dy, y } = pass;
  const outside = outsideOf(pass);
  const { states, kept } = op.scan({
    states: [dLast],
    sequences: [within(pass, pass.activations[0]!.slope(op, y), 0), ...(dy ? [dy] : []), ...(outside ? [outside] : [])],
    reverse: !reverse,
    body: (inner, [sent], [j, ...rest]) => {
      const dh = dy ? inner.add(sent!, rest[0]!) : sent!;
      const dz = inner.mul(dh, j!);
      const back = inner.matMul(dz, r);
      return { states: [outside ? inner.add(back, inner.mul(dh, rest.at(-1)!)) : back], kept: [dz] };
    },
  });
  return { gates: kept[0]!, products: [{ of: before, cotangent: kept[0]! }], dInitial: states[0]! };
}

export const recurrent = defineRules({
  LSTM: {
    kind: "smooth",
    vjp: (context) => throughPasses({ gates: 4, usual: ["Sigmoid", "Tanh", "Tanh"], back: lstmBack }, context),
    sample: (rng) => {
      const sample = samplesFor(rng, 4, 3);
      return [
        sample({ T: 3 }),
        sample({ T: 2, B: 2, direction: "reverse", biased: true, states: 2, output: 1, wrt: [3, 5, 6] }),
        sample({ T: 2, direction: "bidirectional", states: 2, peepholes: true, output: 2, wrt: [0, 6, 7] }),
        sample({ T: 3, B: 2, direction: "bidirectional", biased: true, states: 2, lengths: [3, 1], wrt: [0, 2, 5] }),
        sample({ T: 3, B: 2, states: 2, lengths: [2, 3], peepholes: true, output: 1, wrt: [1, 7] }),
        sample({ T: 2, attributes: { input_forget: 1 }, wrt: [1, 2] }),
        sample({ T: 2, attributes: { activations: { strings: ["Sigmoid", "Sigmoid", "Tanh"] } }, wrt: [0, 2] }),
      ];
    },
  },
  GRU: {
    kind: "smooth",
    vjp: (context) =>
      throughPasses({ gates: 3, usual: ["Sigmoid", "Tanh"], ownBias: resetsAfter, back: gruBack }, context),
    sample: (rng) => {
      const sample = samplesFor(rng, 3, 2);
      const after = { linear_before_reset: 1 };
      return [
        sample({ T: 3 }),
        sample({ T: 3, attributes: after }),
        sample({ T: 2, B: 2, direction: "reverse", biased: true, states: 1, output: 1, wrt: [0, 3, 5] }),
        sample({ T: 2, B: 2, direction: "bidirectional", biased: true, attributes: after, wrt: [0, 3] }),
        sample({ T: 3, B: 2, direction: "bidirectional", biased: true, states: 1, lengths: [3, 1], wrt: [0, 2] }),
        sample({
          T: 3,
          B: 2,
          direction: "reverse",
          states: 1,
          lengths: [1, 3],
          attributes: after,
          output: 1,
          wrt: [0, 5],
        }),
      ];
    },
  },
  RNN: {
    kind: "smooth",
    vjp: (context) => throughPasses({ gates: 1, usual: ["Tanh"], back: rnnBack }, context),
    sample: (rng) => {
      const sample = samplesFor(rng, 1, 2);
      return [
        sample({ T: 4 }),
        sample({ T: 3, B: 2, direction: "bidirectional", biased: true, states: 1, output: 1 }),
        sample({ T: 4, B: 3, direction: "bidirectional", biased: true, states: 1, lengths: [4, 2, 3] }),
        sample({ T: 3, attributes: { activations: { strings: ["Sigmoid"] } } }),
      ];
    },
  },
});

type Given = {
  T: number;
  B?: number;
  direction?: "forward" | "reverse" | "bidirectional";
  biased?: boolean;
  /** How many initial states are given. */
  states?: number;
  peepholes?: boolean;
  lengths?: readonly number[];
  output?: number;
  wrt?: readonly number[];
  attributes?: Sample["attributes"];
};

/** Samples of an operator with so many gates and outputs: 2 numbers in, 3 hidden. */
function samplesFor(rng: Rng, gates: number, outputs: number): (given: Given) => Sample {
  const [width, hidden] = [2, 3];
  return ({ T, B = 1, direction = "forward", biased, states = 0, peepholes, lengths, wrt, ...given }) => {
    const directions = direction === "bidirectional" ? 2 : 1;
    const ends: Tensor | undefined = lengths && { dtype: "int32", shape: [B], data: Int32Array.from(lengths) };
    // Small enough to keep the gates where they are steep: what saturates has no slope to compare.
    const drawn = (...shape: number[]) => rng.uniform(-1, 1, shape);
    return {
      inputs: [
        drawn(T, B, width),
        drawn(directions, gates * hidden, width),
        drawn(directions, gates * hidden, hidden),
        biased ? drawn(directions, 2 * gates * hidden) : undefined,
        ends,
        ...Array.from({ length: states }, () => drawn(directions, B, hidden)),
        ...(peepholes ? [...Array(2 - states).fill(undefined), drawn(directions, 3 * hidden)] : []),
      ],
      attributes: { hidden_size: hidden, direction, ...given.attributes },
      outputs,
      output: given.output ?? 0,
      precision: "float32",
      ...(wrt ? { wrt } : {}),
    };
  };
}
