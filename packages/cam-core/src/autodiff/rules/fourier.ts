import type { Builder, Value } from "../../graph/builder.ts";
import { int64 } from "../../tensor.ts";
import { derived } from "../derived.ts";
import { defineRules, type VjpContext, zero } from "../rule.ts";

/**
 * The discrete Fourier transform, F x with F[k, n] = exp(-2πi k n / N). Complex numbers are pairs along the last axis. Backward
 * is the adjoint: that of F is N times the inverse transform, that of the inverse is 1/N times F. What the transform cut off
 * or padded with zeros at the end is padded or cut off; of a real input the real part counts.
 */
function adjoint(context: VjpContext): Value[] {
  const { op, opset, inputs, dy, int } = context;
  const [x, length] = inputs as [Value, Value?];
  const axis = axisOf(context);
  const inverse = int("inverse", 0) === 1;
  const onesided = int("onesided", 0) === 1;
  // The N of the transform, a 1-element value: of y, unless that holds one side only.
  const size = length ? op.reshape(length, [1]) : op.dim(onesided && !inverse ? x : dy, axis);
  const scalar = op.squeeze(op.cast(size, "int64"), [0]);
  const real = op.cast(scalar, op.dtype(dy));
  const transform = (value: Value, how: { inverse: number; onesided?: number }) =>
    opset >= 20
      ? op.node("DFT", [value, scalar, op.scalar(axis, "int64")], how)[0]!
      : op.node("DFT", [value, scalar], { ...how, axis })[0]!;
  const whole = inverse
    ? op.div(
        onesided
          ? op.mul(transform(dy, { inverse: 0, onesided: 1 }), doubled(context, scalar, axis))
          : transform(dy, { inverse: 0 }),
        real,
      )
    : op.mul(transform(dy, { inverse: 1 }), real);
  const last = op.rank(x) - 1;
  const complex = op.dims(x)![last] === 2 || (onesided && inverse);
  const parts = complex ? whole : op.slice(whole, { axes: [last], starts: [0], ends: op.dim(x, last) });
  return [op.shapedLike(length || (onesided && inverse) ? sized(op, parts, x, axis) : parts, x)];
}

function axisOf({ op, opset, inputs: [x, , axis], int, refuse }: VjpContext): number {
  const rank = op.rank(x!);
  const given = opset < 20 ? int("axis", 1) : axis ? op.integers(axis)?.[0] : -2;
  if (given === undefined) throw refuse("the axis is not known before the run");
  return given < 0 ? given + rank : given;
}

/** Of one side of a spectrum all bins stand for two, the first and (of an even N) the last for themselves. */
function doubled({ op, inputs: [x], dy }: VjpContext, size: Value, axis: number): Value {
  const bins = op.add(op.div(size, 2), 1);
  const bin = op.range(op.scalar(0, "int64"), op.reshape(bins, []), op.scalar(1, "int64"));
  const alone = op.or(op.equal(bin, 0), op.equal(op.mul(bin, 2), size));
  const weights = op.where(alone, op.scalar(1, op.dtype(dy)), op.scalar(2, op.dtype(dy)));
  return op.reshape(weights, [-1, ...Array(op.rank(x!) - axis - 1).fill(1)]);
}

/** Padded with zeros at the end, or cut there, to the size of `like`. */
function sized(op: Builder, value: Value, like: Value, axis: number): Value {
  const missing = op.sub(op.dim(like, axis), op.dim(value, axis));
  const sides = (side: (at: number) => Value) => Array.from({ length: op.rank(like) }, (_, at) => side(at));
  const none = op.ints([0]);
  return op.pad(value, op.concat([...sides(() => none), ...sides((at) => (at === axis ? missing : none))], 0));
}

/** Frames of the signal, each times the window, each transformed. [B, L, parts] → [B, frames, bins, 2] */
function framed(context: VjpContext, inputs: readonly Value[]): Value[] {
  const { op, opset, int, refuse } = context;
  const [signal, step, window, length] = inputs as [Value, Value, Value?, Value?];
  if (op.dims(signal)?.[2] === 2)
    throw refuse("a complex signal has no gradient rule", "ONNX Runtime 1.30 reads beyond the end of one.");
  const size = length ? op.reshape(op.cast(length, "int64"), [1]) : window ? op.dim(window, 0) : op.dim(signal, 1);
  const hop = op.reshape(op.cast(step, "int64"), [1]);
  const frames = op.add(op.div(op.sub(op.dim(signal, 1), size), hop), 1);
  const upTo = (limit: Value) => op.range(op.scalar(0, "int64"), op.squeeze(limit, [0]), op.scalar(1, "int64"));
  const places = op.add(op.mul(op.unsqueeze(upTo(frames), [1]), hop), upTo(size)); // [frames, length]
  const cut = op.gather(signal, places, 1); // [B, frames, length, parts]
  const weighed = window ? op.mul(cut, op.unsqueeze(window, [1])) : cut;
  const onesided = int("onesided", 1);
  return opset >= 20
    ? op.node("DFT", [weighed, undefined, op.scalar(2, "int64")], { onesided })
    : op.node("DFT", [weighed], { onesided, axis: 2 });
}

export const fourier = defineRules({
  DFT: {
    kind: "linear",
    vjp: adjoint,
    sample: (rng) => {
      const axis = (at: number) => int64([], [at]);
      const length = (of: number) => int64([], [of]);
      // ONNX Runtime's factors are those of float32, and not quite the same on the way back.
      const rtol = 1e-6;
      return [
        { inputs: [rng.normal([2, 5, 1])], attributes: { axis: 1 } },
        { inputs: [rng.normal([2, 6, 3, 2])], attributes: { axis: 1, inverse: 1 } },
        { inputs: [rng.normal([2, 6, 1]), length(8)], attributes: { axis: 1, onesided: 1 } },
        { inputs: [rng.normal([2, 7, 1]), length(5)], attributes: { axis: 1, onesided: 1 } },
        { inputs: [rng.normal([2, 5, 2]), undefined, axis(-2)], opset: 20 },
        { inputs: [rng.normal([6, 2, 2]), length(4), axis(0)], attributes: { inverse: 1 }, opset: 20 },
        { inputs: [rng.normal([2, 5, 2])], attributes: { inverse: 1, onesided: 1 }, opset: 20 },
        { inputs: [rng.normal([2, 4, 2]), length(7)], attributes: { inverse: 1, onesided: 1 }, opset: 20 },
      ].map((one) => ({ ...one, rtol }));
    },
  },
  STFT: {
    kind: "linear",
    vjp: (context) => derived(context, (inputs) => framed(context, inputs)),
    sample: (rng) =>
      [
        { inputs: [rng.normal([2, 11, 1]), int64([], [3]), rng.uniform(0.5, 1, [5])] },
        { inputs: [rng.normal([1, 9, 1]), int64([], [2]), undefined, int64([], [4])], attributes: { onesided: 0 } },
      ].map((one) => ({ ...one, rtol: 1e-6 })), // as DFT's
  },

  HannWindow: zero("its input is a size"),
  HammingWindow: zero("its input is a size"),
  BlackmanWindow: zero("its input is a size"),
  MelWeightMatrix: zero("a table of constants; its inputs are sizes and frequencies"),
});
