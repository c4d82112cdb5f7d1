import type { Builder, Operand, Value } from "../../graph/builder.ts";
import { isNarrow, type NarrowType, rangeOf } from "../../narrow.ts";
import type { DType } from "../../tensor.ts";
import { defineRules, type Rule, type SurrogateRule, samplesOf, type VjpContext } from "../rule.ts";
import { conv } from "./conv.ts";
import { linear } from "./linear.ts";

/**
 * Quantised networks, differentiated as the network of real numbers that they stand for: straight through each rounding
 * (Bengio et al. 2013, arXiv:1308.3432), as PyTorch's fake quantisation does. A quantised integer's cotangent is that of the
 * integer as a real number. Scales and zero points count as constants.
 */

/** The smallest and greatest integer of each type that is quantised to. */
const ranges: Partial<Readonly<Record<DType, readonly [number, number]>>> = {
  uint8: [0, 255],
  int8: [-128, 127],
  uint16: [0, 65535],
  int16: [-32768, 32767],
  uint4: rangeOf("uint4"),
  int4: rangeOf("int4"),
  uint2: rangeOf("uint2"),
  int2: rangeOf("int2"),
};

/** y = saturate(round(x / scale) + zero point): dx = dy / scale where nothing saturates, 0 where it does. */
function quantised(context: VjpContext): (Value | null)[] {
  const { op, node, inputs, dy, refuse } = context;
  const [x, given] = inputs as [Value, Value];
  const type = op.dtype(node.outputs[0]!);
  const scale = laidAlong(context, given, x);
  const whole = ranges[type];
  // Small real numbers, whose zero point is 0.
  if (!whole && !isNarrow(type)) throw refuse(`quantisation to ${type} has no gradient rule`);
  const within = whole
    ? inside(context, scale, whole)
    : op.lessOrEqual(op.abs(op.div(x, scale)), rangeOf(type as NarrowType)[1]);
  return [op.where(within, over(op, dy, given, scale), 0), null];
}

/** Where x is quantised without saturating. Between two numbers, where scale and zero point are known ones. */
function inside(context: VjpContext, scale: Value, [lowest, highest]: readonly [number, number]): Value {
  const { op, inputs } = context;
  const [x, given, zero] = inputs as [Value, Value, Value?];
  const [step, ...more] = op.facts.elements.get(given) ?? [];
  const [offset] = zero ? (op.facts.elements.get(zero) ?? []) : [0];
  if (typeof step === "number" && typeof offset === "number" && more.length === 0 && op.dtype(x) === "float32") {
    const [low, high] = [lowest - offset, highest - offset];
    // Halves are rounded to the even side, so the half beyond an odd end is outside.
    const half = (end: number) => (end % 2 === 0 ? 0.5 : 0.5 - 2 ** -12);
    return op.equal(op.clip(x, (low - half(low)) * step, (high + half(high)) * step), x);
  }
  const steps = op.round(op.div(x, scale));
  const code = zero ? op.add(steps, laidAlong(context, op.cast(zero, op.dtype(x)), x)) : steps;
  return op.and(op.greaterOrEqual(code, lowest), op.lessOrEqual(code, highest));
}

/** dy / scale, which takes back what reading the integer again with the same scale has multiplied. */
function over(op: Builder, dy: Value, given: Value, scale: Value): Value {
  const made = op.graph.nodes.findLast((node) => node.outputs[0] === dy);
  return made?.opType === "Mul" && made.inputs[1] === given ? made.inputs[0]! : op.div(dy, scale);
}

/** y = (x - zero point) * scale. */
function dequantised(context: VjpContext): (Value | null)[] {
  const { op, inputs, dy, wants } = context;
  const [x, given, zero] = inputs as [Value, Value, Value?];
  const type = op.dtype(dy);
  const code = op.cast(x, type);
  const offset = zero && laidAlong(context, op.cast(zero, type), x);
  return [
    wants(0) ? op.mul(dy, laidAlong(context, given, x)) : null,
    wants(1) ? alongScale(context, op.mul(dy, offset ? op.sub(code, offset) : code), given) : null,
  ];
}

/** A scale or zero point in a shape that broadcasts with x: one for all, one for each entry of `axis`, or one for each block. */
function laidAlong(context: VjpContext, value: Value, x: Value): Value {
  const { op, int } = context;
  const dims = op.dims(value)!;
  if (dims.length === 0) return value;
  if (dims.length > 1) {
    const size = op.squeeze(op.dim(x, axisOf(context, x)), [0]);
    const entries = op.range(op.scalar(0, "int64"), size, op.scalar(1, "int64"));
    return op.gather(value, op.div(entries, int("block_size", 0)), axisOf(context, x));
  }
  return dims[0] === 1 ? op.squeeze(value, [0]) : op.unsqueeze(value, behind(op, int("axis", 1), x));
}

function axisOf({ op, int }: VjpContext, x: Value): number {
  const axis = int("axis", 1);
  return axis < 0 ? axis + op.rank(x) : axis;
}

/** A cotangent of x's shape, summed to the scale's. */
function alongScale(context: VjpContext, dx: Value, scale: Value): Value {
  const { op, int, refuse } = context;
  const dims = op.dims(scale)!;
  const axis = axisOf(context, dx);
  if (dims.length > 1) {
    const [size, block] = [op.dims(dx)![axis], int("block_size", 0)];
    if (typeof size !== "number" || size % block !== 0) throw refuse("the scales' blocks don't divide the axis");
    const sizes = op.dims(dx)!.flatMap<Operand>((_, i) => (i === axis ? [size / block, block] : [op.dim(dx, i)]));
    return op.reduceSum(op.reshape(dx, op.sizes(sizes)), { axes: [axis + 1], keepdims: false });
  }
  const single = dims.length === 0 || dims[0] === 1;
  const axes = Array.from({ length: op.rank(dx) }, (_, i) => i).filter((i) => single || i !== axis);
  return op.reshapeLike(op.reduceSum(dx, { axes, keepdims: false }), scale);
}

/** Positions of the axes that follow `axis` of x, counted in a tensor that starts with it. */
function behind(op: Builder, axis: number, x: Value): number[] {
  const rank = op.rank(x);
  const count = rank - 1 - (axis < 0 ? axis + rank : axis);
  return Array.from({ length: count }, (_, i) => i + 1);
}

/** A - its zero point, as real numbers; `places`: axes to add to a zero point that isn't a scalar. */
function centred(op: Builder, a: Value, zero: Value | undefined, places: readonly number[]): Value {
  const real = op.cast(a, "float32");
  if (!zero) return real;
  const offset = op.cast(zero, "float32");
  return op.sub(real, op.rank(zero) === 1 && op.dims(zero)![0] !== 1 ? op.unsqueeze(offset, places) : offset);
}

const quantise: SurrogateRule = {
  kind: "surrogate",
  why: "straight through the rounding, 0 where the result saturates",
  quantises: true,
  vjp: quantised,
};

const dequantise: Rule = {
  kind: "linear",
  vjp: dequantised,
  sample: (rng) => {
    const codes = (shape: readonly number[]) => {
      const { data } = rng.normal(shape);
      return { dtype: "int8" as const, shape, data: Int8Array.from(data as Float32Array, (v) => Math.round(20 * v)) };
    };
    const zero = (...values: number[]) => ({
      dtype: "int8" as const,
      shape: values.length === 1 ? [] : [values.length],
      data: Int8Array.from(values),
    });
    return [
      { inputs: [codes([2, 3, 4]), rng.normal([])] },
      { inputs: [codes([2, 3, 4]), rng.normal([]), zero(5)] },
      { inputs: [codes([2, 3, 4]), rng.normal([3]), zero(5, -7, 0)] },
      { inputs: [codes([2, 3, 4]), rng.normal([4])], attributes: { axis: -1 } },
      { inputs: [codes([2, 3, 4]), rng.normal([2, 3, 2])], attributes: { axis: -1, block_size: 2 }, opset: 21 },
      { inputs: [codes([1, 6, 2]), rng.normal([1, 2, 2])], attributes: { block_size: 3 }, opset: 21 },
    ];
  },
};

export const quantisation = defineRules({
  QuantizeLinear: quantise,
  "com.microsoft:QuantizeLinear": quantise,
  DequantizeLinear: dequantise,
  // ONNX Runtime's own has no blocks.
  "com.microsoft:DequantizeLinear": {
    ...dequantise,
    sample: (rng) => samplesOf(dequantise, rng).filter(({ attributes }) => attributes?.block_size === undefined),
  },

  // The range follows the data, so that nothing saturates; what the scale itself adds cancels out in the product that undoes it.
  DynamicQuantizeLinear: {
    kind: "surrogate",
    why: "straight through the rounding",
    quantises: true,
    vjp: ({ op, outputs: [, scale], dys: [dy] }) => [dy ? op.div(dy, scale!) : null],
  },

  // Products of whole numbers are those of the real numbers that the codes stand for, less their zero points.
  MatMulInteger: {
    kind: "surrogate",
    why: "the product's gradient in the real numbers that the integers stand for",
    quantises: true,
    vjp: (context) => {
      const { op, inputs } = context;
      const [a, b, zeroA, zeroB] = inputs as [Value, Value, Value?, Value?];
      return linear.MatMul.vjp({ ...context, inputs: [centred(op, a, zeroA, [1]), centred(op, b, zeroB, [])] });
    },
  },
  ConvInteger: {
    kind: "surrogate",
    why: "the convolution's gradient in the real numbers that the integers stand for",
    quantises: true,
    vjp: (context) => {
      const { op, inputs } = context;
      const [x, w, zeroX, zeroW] = inputs as [Value, Value, Value?, Value?];
      const places = Array.from({ length: op.rank(w) - 1 }, (_, i) => i + 1);
      const [dx, dw] = conv.Conv.vjp({
        ...context,
        inputs: [centred(op, x, zeroX, []), centred(op, w, zeroW, places)],
      });
      return [dx!, dw!];
    },
  },
});
