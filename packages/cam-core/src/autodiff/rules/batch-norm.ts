import { batchNormTraining, perChannelCount } from "../../graph/batch-norm.ts";
import type { Builder, Value } from "../../graph/builder.ts";
import { defineRules, type Sample, type VjpContext } from "../rule.ts";
import { alongSpace, sumPerChannel } from "./per-channel.ts";

/**
 * y = scale · (x - mean) / √(var + ε) + bias, per channel (axis 1). x, y: [N, C, ...space]; the others: [C].
 *
 * In evaluation the statistics are given. In training (training_mode) they are the batch's, and so depend on x.
 */
export const batchNorm = defineRules({
  BatchNormalization: {
    kind: "smooth",
    vjp: (context) => (context.int("training_mode", 0) === 1 ? trained : evaluated)(context),
    sample: (rng) => {
      const channels = (n: number) => [rng.normal([n]), rng.normal([n]), rng.normal([n]), rng.uniform(0.5, 2, [n])];
      const training = (shape: readonly number[], output: number, momentum: number, epsilon = 1e-5): Sample => ({
        inputs: [rng.normal(shape), ...channels(shape[1]!)],
        attributes: { training_mode: 1, momentum: { float: momentum }, epsilon: { float: epsilon } },
        outputs: 3,
        output,
        // What the running statistics are updated from doesn't reach y.
        wrt: output === 0 ? [0, 1, 2] : momentum === 0 ? [0] : [0, 2 + output],
      });
      return [
        { inputs: [rng.normal([2, 3, 4, 5]), ...channels(3)] },
        { inputs: [rng.normal([2, 3, 4]), ...channels(3)], attributes: { epsilon: { float: 0.125 } } },
        { inputs: [rng.normal([4, 3]), ...channels(3)] },
        { inputs: [rng.normal([2, 1, 2, 3, 2]), ...channels(1)] },
        ...[0, 1, 2].flatMap((output) => [training([2, 3, 4, 5], output, 0), training([2, 3, 4], output, 0.75, 0.125)]),
        training([5, 3], 0, 0),
        training([2, 2, 2, 3, 2], 0, 0.5),
      ];
    },
  },
});

/** A multiplication as far as x goes. */
function evaluated({ op, inputs, dy, wants, float }: VjpContext): (Value | null)[] {
  const [x, scale, bias, mean, variance] = inputs as [Value, Value, Value, Value, Value];
  const dtype = op.dtype(variance);
  const perChannel = (value: Value) => alongSpace(op, op.cast(value, op.dtype(x)), x);
  const inverse = op.reciprocal(op.sqrt(op.add(variance, float("epsilon", 1e-5))));
  const slope = op.mul(op.cast(scale, dtype), inverse);
  const sum = wants(2) || wants(3) ? sumPerChannel(op, dy, dtype) : "";
  const moment = wants(1) || wants(4) ? sumPerChannel(op, op.mul(dy, op.sub(x, perChannel(mean))), dtype) : "";
  return [
    wants(0) ? op.mul(dy, perChannel(slope)) : null,
    wants(1) ? op.cast(op.mul(moment, inverse), op.dtype(scale)) : null,
    wants(2) ? op.cast(sum, op.dtype(bias)) : null,
    wants(3) ? op.neg(op.mul(sum, slope)) : null,
    wants(4) ? op.mul(op.mul(moment, slope), op.mul(op.mul(inverse, inverse), -0.5)) : null,
  ];
}

/**
 * Through the batch's statistics. With n values a channel, r = 1 / √(var + ε), all sums per channel:
 *
 *   dbias = Σ dy     dscale = r · Σ dy · (x - mean)
 *   dx = scale · r · (dy - dbias / n - (x - mean) · r² · Σ dy · (x - mean) / n) + dmean / n + dvar · 2 (x - mean) / n
 *
 * That is dy · a + (x - mean) · b + c with one a, b, c a channel. The running statistics are m · given + (1 - m) · (mean or
 * var), m being `momentum`: with m = 0 they are the batch's, and those that the forward node left are used; otherwise another
 * one finds them.
 */
function trained({ op, inputs, outputs, dys, wants, float }: VjpContext): (Value | null)[] {
  const [x, scale, bias] = inputs as [Value, Value, Value];
  const [dy, dRunningMean, dRunningVariance] = dys;
  const epsilon = float("epsilon", 1e-5);
  const momentum = float("momentum", 0.9);
  const [, left, spread] = outputs;
  const { mean, variance } =
    momentum === 0 && left && spread
      ? { mean: left, variance: spread }
      : batchNormTraining(op, x, { scale, bias, epsilon });
  const count = perChannelCount(op, x);
  const inverse = op.reciprocal(op.sqrt(op.add(variance, epsilon)));
  const slope = op.mul(scale, inverse);
  const [zero, one] = [op.fillLike(mean, 0), op.fillLike(mean, 1)];
  const line = (value: Value, factor: Value, added: Value, from: Value) =>
    op.node("BatchNormalization", [value, factor, added, from, one], { epsilon: 0 })[0]!;
  const centred = () => (hasSmallPlanes(op, x) ? line(x, one, zero, mean) : op.sub(x, alongSpace(op, mean, x)));
  const scaled = (value: Value) =>
    hasSmallPlanes(op, x) ? line(value, slope, zero, zero) : op.mul(value, alongSpace(op, slope, x));
  const sum = dy && (wants(0) || wants(2)) ? sumPerChannel(op, dy) : undefined;
  const moment = dy && (wants(0) || wants(1)) ? sumPerChannel(op, op.mul(dy, centred())) : undefined;
  const dx = () => {
    const ofMoment = moment && op.mul(op.mul(slope, op.mul(inverse, inverse)), op.neg(moment));
    const b = total(op, ofMoment, dRunningVariance && op.mul(dRunningVariance, 2 * (1 - momentum)));
    const c = total(op, sum && op.neg(op.mul(slope, sum)), dRunningMean && op.mul(dRunningMean, 1 - momentum));
    const [perX, always] = [b ?? zero, c ?? zero].map((term) => op.div(term, count)) as [Value, Value];
    const ofX = line(x, perX, always, mean);
    return dy ? op.add(scaled(dy), ofX) : ofX;
  };
  const kept = (input: number, dRunning: Value | null | undefined) =>
    dRunning && momentum !== 0 && wants(input) ? op.mul(dRunning, momentum) : null;
  return [
    wants(0) ? dx() : null,
    moment && wants(1) ? op.mul(moment, inverse) : null,
    sum && wants(2) ? sum : null,
    kept(3, dRunningMean),
    kept(4, dRunningVariance),
  ];
}

/**
 * Whether an evaluated BatchNormalization, factor · (x - mean) + added, is the better way to a single product or difference
 * with something per channel. It is one loop over all planes in one thread; Mul and Sub start anew at each plane, and use all
 * threads. In milliseconds, one thread: 16×512×4² 0.09 and 0.16, 16×64×16² 0.14 and 0.15.
 */
function hasSmallPlanes(op: Builder, x: Value): boolean {
  const space = op.dims(x)!.slice(2);
  return space.every((dim) => typeof dim === "number") && space.reduce((a, b) => a * b, 1) <= 64;
}

/** The sum of those that are there. */
function total(op: Builder, ...terms: (Value | null | undefined)[]): Value | undefined {
  const given = terms.filter((term) => typeof term === "string");
  return given.length === 0 ? undefined : given.reduce((a, b) => op.add(a, b));
}
