import type { Builder, Value } from "../builder.ts";
import type { Expand, Expansions, FusedNode } from "./fused.ts";
import { channelsFirst, channelsLast } from "./products.ts";

/** Operators on quantised integers: dequantise, the same operator on real numbers, quantise. */

/** The real number behind an integer tensor. One node for all its readers, so that a layer has one real twin. */
export function real(op: Builder, x: Value, scale: Value, zero: Value | undefined, axis = 1): Value {
  const inputs = [x, scale, ...(zero ? [zero] : [])];
  const twin = op.graph.nodes.find(
    (node) =>
      node.opType === "DequantizeLinear" && node.name.startsWith(op.prefix) && node.inputs.join() === inputs.join(),
  );
  return twin?.outputs[0] ?? op.node("DequantizeLinear", inputs, { axis })[0]!;
}

function quantised(op: Builder, x: Value, scale: Value, zero: Value | undefined): readonly Value[] {
  return [op.node("QuantizeLinear", [x, scale, zero])[0]!];
}

/** An operator of ONNX's own, whose channels come second, on what lies as the node says. */
function inLayout({ op, int }: FusedNode, x: Value, apply: (x: Value) => Value): Value {
  return int("channels_last", 0) === 1 ? channelsLast(op, apply(channelsFirst(op, x))) : apply(x);
}

/** X, its scale and zero point, then the result's: an operator on one tensor. */
function on(apply: (fused: FusedNode, x: Value) => Value): Expand {
  return (fused) => {
    const { op, inputs } = fused;
    const [x, scale, zero, toScale, toZero] = inputs;
    const y = inLayout(fused, real(op, x!, scale!, zero), (laid) => apply(fused, laid));
    return quantised(op, y, toScale!, toZero);
  };
}

/** Two tensors, each with scale and zero point, then the result's. */
function onTwo(apply: (op: Builder, a: Value, b: Value) => Value): Expand {
  return ({ op, inputs: [a, scaleA, zeroA, b, scaleB, zeroB, scale, zero] }) =>
    quantised(op, apply(op, real(op, a!, scaleA!, zeroA), real(op, b!, scaleB!, zeroB)), scale!, zero);
}

/** The bias is in steps of both scales. */
function biasOf(op: Builder, bias: Value, scaleX: Value, scaleW: Value, alpha = 1): Value {
  return op.mul(op.cast(bias, "float32"), op.mul(op.mul(op.reshape(scaleX, [-1]), op.reshape(scaleW, [-1])), alpha));
}

const convolution: Expand = (fused) => {
  const { op, inputs } = fused;
  const [x, scaleX, zeroX, w, scaleW, zeroW, scale, zero, bias] = inputs;
  const b = bias && op.expand(biasOf(op, bias, scaleX!, scaleW!), op.shape(bias));
  const y = inLayout(fused, real(op, x!, scaleX!, zeroX), (laid) =>
    fused.again("Conv", [laid, real(op, w!, scaleW!, zeroW, 0), b], "channels_last"),
  );
  return quantised(op, y, scale!, zero);
};

const matMul: Expand = ({ op, inputs: [a, scaleA, zeroA, b, scaleB, zeroB, scale, zero] }) =>
  quantised(op, op.matMul(real(op, a!, scaleA!, zeroA), real(op, b!, scaleB!, zeroB, op.rank(b!) - 1)), scale!, zero);

const gemm: Expand = (fused) => {
  const { op, inputs, int, float } = fused;
  const [a, scaleA, zeroA, b, scaleB, zeroB, c, scale, zero] = inputs;
  const bias = c && biasOf(op, c, scaleA!, scaleB!, float("alpha", 1));
  const columns = real(op, b!, scaleB!, zeroB, int("transB", 0) === 1 ? 0 : 1);
  const y = fused.again("Gemm", [real(op, a!, scaleA!, zeroA), columns, bias]);
  return scale ? quantised(op, y, scale, zero) : [y];
};

/** A product of integers whose result is a real number. */
const toFloat: Expand = ({ op, inputs: [a, b, scaleA, scaleB, zeroA, zeroB, bias] }) => {
  const y = op.matMul(real(op, a!, scaleA!, zeroA), real(op, b!, scaleB!, zeroB, op.rank(b!) - 1));
  return [bias ? op.add(y, bias) : y];
};

/** The same of a real number that is quantised first, by its own range. */
const dynamicMatMul: Expand = ({ op, inputs: [a, b, scaleB, zeroB, bias] }) => {
  const [q, scale, zero] = op.node("DynamicQuantizeLinear", [a], {}, { outputs: 3 }) as [Value, Value, Value];
  const y = op.matMul(real(op, q, scale, zero), real(op, b!, scaleB!, zeroB, op.rank(b!) - 1));
  return [bias ? op.add(y, bias) : y];
};

const concat: Expand = ({ op, inputs: [scale, zero, ...given], int }) => {
  const parts = given.flatMap((x, i) => (i % 3 === 0 ? [real(op, x!, given[i + 1]!, given[i + 2])] : []));
  return quantised(op, op.concat(parts, int("axis", 1)), scale!, zero);
};

const choice: Expand = ({ op, inputs: [condition, x, scaleX, zeroX, y, scaleY, zeroY, scale, zero] }) =>
  quantised(op, op.where(condition!, real(op, x!, scaleX!, zeroX), real(op, y!, scaleY!, zeroY)), scale!, zero);

/** Operators of ONNX's own domain. */
export const standardQuantised: Expansions = { QLinearConv: convolution, QLinearMatMul: matMul };

/** Operators of ONNX Runtime's. */
export const quantisedOperators: Expansions = {
  QLinearConv: convolution,
  QGemm: gemm,
  MatMulIntegerToFloat: toFloat,
  DynamicQuantizeMatMul: dynamicMatMul,
  QLinearAdd: onTwo((op, a, b) => op.add(a, b)),
  QLinearMul: onTwo((op, a, b) => op.mul(a, b)),
  QLinearSigmoid: on(({ op }, x) => op.sigmoid(x)),
  QLinearLeakyRelu: on(({ op, float }, x) => op.node("LeakyRelu", [x], { alpha: float("alpha", 0.01) })[0]!),
  QLinearSoftmax: on(({ op, int }, x) => op.softmax(x, int("axis", -1))),
  QLinearGlobalAveragePool: on(({ op }, x) => op.node("GlobalAveragePool", [x])[0]!),
  QLinearAveragePool: on((fused, x) => fused.again("AveragePool", [x], "channels_last")),
  QLinearConcat: concat,
  QLinearWhere: choice,
};
