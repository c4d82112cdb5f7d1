import { positionsOf } from "../../tensor.ts";
import {
  addDims,
  atLeast,
  broadcastShapes,
  compareDims,
  divDims,
  maxDims,
  minDims,
  mulDims,
  quotient,
  sameDim,
  subDims,
} from "../dims.ts";
import type { Dim } from "../graph.ts";
import type { Inferred, ShapeContext, ShapeRule } from "../infer.ts";
import { alike, type ShapeRules, sameAsInput, small, stridesOf } from "./parts.ts";
import { isReal, realQuotient, realScaled, roundReal } from "./real.ts";

/** One output element from the inputs'; `integer` says that the arithmetic is on integers. */
type Scalar = (operands: readonly Dim[], integer: boolean) => Dim;

/** Element by element over inputs broadcast to one shape. */
function broadcasting(scalar?: Scalar, dtype?: (node: ShapeContext) => Inferred["dtype"]): ShapeRule {
  return (node) => {
    const shapes = node.node.inputs.map((_, i) => (node.has(i) ? node.shape(i) : []));
    const shape = broadcastShapes(...shapes);
    const type = dtype?.(node) ?? node.dtype(0);
    return [{ dtype: type, shape, elements: scalar && combine(node, shape, scalar) }];
  };
}

function combine(node: ShapeContext, shape: Inferred["shape"], scalar: Scalar): readonly Dim[] | undefined {
  const target = small(shape);
  const operands = node.node.inputs.map((_, i) => ({ elements: node.elements(i), shape: small(node.shape(i)) }));
  if (!target || operands.some((operand) => !operand.elements || !operand.shape)) return undefined;
  if (mayWrap(node.dtype(node.node.inputs.length - 1))) return undefined;
  const readers = operands.map((operand) => {
    const strides = stridesOf(operand.shape!);
    const skipped = target.length - strides.length;
    // A broadcast axis always reads position 0.
    const steps = target.map((_, axis) => (operand.shape![axis - skipped] === 1 ? 0 : (strides[axis - skipped] ?? 0)));
    return (index: number[]) => operand.elements![index.reduce((sum, at, axis) => sum + at * steps[axis]!, 0)] ?? null;
  });
  const integer = !isFloat(node.dtype(node.node.inputs.length - 1));
  const narrow = node.dtype(node.node.inputs.length - 1) === "float32";
  return positionsOf(target).map((index) => {
    const result = scalar(
      readers.map((read) => read(index)),
      integer,
    );
    return typeof result === "number" && narrow ? finite(Math.fround(result)) : finite(result);
  });
}

/** Sizes don't wrap around as the contents of narrow integers do: those aren't followed. */
function mayWrap(dtype: string): boolean {
  return /^u?int(2|4|8|16)$|^uint/.test(dtype);
}

function isFloat(dtype: string): boolean {
  return dtype.includes("float");
}

function finite(dim: Dim): Dim {
  return typeof dim === "number" && !Number.isFinite(dim) ? null : dim;
}

/** Sums, products and the like over any number of operands; a number that isn't whole meets symbols only where stated. */
function folding(pair: (a: Dim, b: Dim, integer: boolean) => Dim): Scalar {
  return (operands, integer) => operands.reduce((a, b) => pair(a!, b!, integer) as Dim) as Dim;
}

/** Arithmetic that holds only between whole numbers: a real symbol or a fraction beside a symbol gives nothing. */
function whole(pair: (a: Dim, b: Dim) => Dim): (a: Dim, b: Dim) => Dim {
  return (a, b) => {
    const symbolic = typeof a === "string" || typeof b === "string";
    return symbolic && [a, b].some((dim) => isReal(dim) || (typeof dim === "number" && !Number.isInteger(dim)))
      ? null
      : pair(a, b);
  };
}

function multiply(a: Dim, b: Dim): Dim {
  if (typeof a === "number" && typeof b === "number") return a * b;
  if (typeof a === "number") return multiply(b, a);
  if (typeof a === "string" && typeof b === "number") return realScaled(a, b);
  return isReal(a) || isReal(b) ? null : mulDims(a, b);
}

/** Integers divide towards zero; sizes are not negative, so rounding down is the same for symbols. */
function divide(a: Dim, b: Dim, integer: boolean): Dim {
  if (b === 0 || a === null || b === null) return null;
  if (typeof a === "number" && typeof b === "number") return integer ? Math.trunc(a / b) : a / b;
  if (integer) return divDims(a, b);
  return quotient([a], [b]) ?? realQuotient(a, b);
}

/** Python's remainder (the divisor's sign), or C's with fmod. */
function modulo(fmod: boolean): (a: Dim, b: Dim) => Dim {
  return (a, b) => {
    if (typeof a === "number" && typeof b === "number")
      return b === 0 ? null : fmod ? a % b : a - b * Math.floor(a / b);
    return subDims(a, mulDims(divDims(a, b), b));
  };
}

/** A comparison of numbers, or of whole sizes whose order is certain: -1, 0 or 1 stands for it. */
function comparing(test: (a: number, b: number) => boolean): Scalar {
  return ([a, b]) => {
    if (typeof a === "number" && typeof b === "number") return Number(test(a, b));
    const isWhole = [a!, b!].every((dim) => (typeof dim === "number" ? Number.isInteger(dim) : !isReal(dim)));
    const order = isWhole ? compareDims(a!, b!) : undefined;
    return order === undefined ? null : Number(test(order, 0));
  };
}

function logical(test: (a: boolean, b: boolean) => boolean): Scalar {
  return ([a, b]) => (typeof a === "number" && typeof b === "number" ? Number(test(a !== 0, b !== 0)) : null);
}

function unary(apply: (a: number) => number, symbol: (a: string) => Dim = () => null): ShapeRule {
  return broadcasting(([a]) => (typeof a === "number" ? apply(a) : typeof a === "string" ? symbol(a) : null));
}

/** The smaller, the greater; an infinite bound lets everything through. */
function least(a: Dim, b: Dim): Dim {
  return a === Number.POSITIVE_INFINITY ? b : whole(minDims)(a, b);
}

function most(a: Dim, b: Dim): Dim {
  return a === Number.NEGATIVE_INFINITY ? b : whole(maxDims)(a, b);
}

/** Halves go to the even neighbour. */
function roundEven(a: number): number {
  const down = Math.floor(a);
  if (a - down !== 0.5) return Math.round(a);
  return down % 2 === 0 ? down : down + 1;
}

const toBool = () => "bool" as const;

export const elementwise: ShapeRules = {
  Add: broadcasting(folding(whole(addDims))),
  Sum: broadcasting(folding(whole(addDims))),
  Sub: broadcasting(folding(whole(subDims))),
  Mul: broadcasting(folding(multiply)),
  Div: broadcasting(folding(divide)),
  Mod: (node) => broadcasting(folding(whole(modulo(node.int("fmod", 0) === 1))))(node),
  Min: broadcasting(folding(whole(minDims))),
  Max: broadcasting(folding(whole(maxDims))),
  Pow: broadcasting(([a, b]) => {
    if (typeof a === "number" && typeof b === "number") return a ** b;
    return typeof b === "number" && Number.isInteger(b) && b > 0 && b < 9 && !isReal(a!)
      ? mulDims(...Array.from({ length: b }, () => a!))
      : null;
  }),
  Mean: broadcasting(),
  BitShift: broadcasting(),
  ...alike(broadcasting(), "BitwiseAnd", "BitwiseOr", "BitwiseXor", "PRelu"),

  Equal: broadcasting(
    comparing((a, b) => a === b),
    toBool,
  ),
  Greater: broadcasting(
    comparing((a, b) => a > b),
    toBool,
  ),
  GreaterOrEqual: broadcasting(
    comparing((a, b) => a >= b),
    toBool,
  ),
  Less: broadcasting(
    comparing((a, b) => a < b),
    toBool,
  ),
  LessOrEqual: broadcasting(
    comparing((a, b) => a <= b),
    toBool,
  ),
  And: broadcasting(
    logical((a, b) => a && b),
    toBool,
  ),
  Or: broadcasting(
    logical((a, b) => a || b),
    toBool,
  ),
  Xor: broadcasting(
    logical((a, b) => a !== b),
    toBool,
  ),
  Not: broadcasting(([a]) => (typeof a === "number" ? Number(a === 0) : null), toBool),
  ...alike((node) => [{ dtype: "bool", shape: node.shape(0) }], "IsNaN", "IsInf"),

  // The condition decides; where it can't be told, branches that agree do.
  Where: broadcasting(
    ([condition, yes, no]) => {
      if (typeof condition === "number") return condition !== 0 ? yes! : no!;
      return sameDim(yes, no) ? yes! : null;
    },
    (node) => node.dtype(1),
  ),

  Neg: unary(
    (a) => -a,
    (a) => (isReal(a) ? null : subDims(0, a)),
  ),
  Abs: unary(Math.abs, (a) => (atLeast(a, 0) ? a : null)),
  Sign: unary(Math.sign, (a) => compareDims(a, 0) ?? null),
  Floor: unary(Math.floor, (a) => roundReal(a, "floor")),
  Ceil: unary(Math.ceil, (a) => roundReal(a, "ceil")),
  Round: unary(roundEven, (a) => (isReal(a) ? null : a)),
  Sqrt: unary(Math.sqrt),
  Reciprocal: unary((a) => 1 / a),
  // The bounds are scalars: they broadcast without changing the shape.
  Clip: (node) => {
    const bound = (input: number, otherwise: number) => (node.has(input) ? node.elements(input)?.[0] : otherwise);
    const [low, high] = [bound(1, node.int("min", -Infinity)), bound(2, node.int("max", Infinity))];
    const elements =
      low === undefined || high === undefined ? undefined : node.elements(0)?.map((dim) => least(high, most(low, dim)));
    return [{ dtype: node.dtype(0), shape: node.shape(0), elements }];
  },

  ...alike(sameAsInput, "Exp", "Log", "Sin", "Cos", "Tan", "Asin", "Acos", "Atan", "Sinh", "Cosh", "Asinh", "Acosh"),
  ...alike(sameAsInput, "Atanh", "Erf", "BitwiseNot", "Relu", "LeakyRelu", "Elu", "Selu", "Celu", "ThresholdedRelu"),
  ...alike(sameAsInput, "Softplus", "Softsign", "Sigmoid", "Tanh", "HardSigmoid", "HardSwish", "Mish", "Gelu", "Swish"),
  ...alike(sameAsInput, "Softmax", "LogSoftmax", "Hardmax", "Shrink", "FastGelu", "BiasGelu", "QuickGelu", "CumSum"),
  ...alike(sameAsInput, "Trilu", "ReverseSequence", "RotaryEmbedding", "CumProd"),
};
