import type { Builder, Value } from "../builder.ts";
import { activated } from "./activations.ts";
import { type Expand, type Expansions, type FusedNode, type Refusal, refused } from "./fused.ts";

/** Products with what follows them. */

function one(value: Value | Refusal): readonly Value[] | Refusal {
  return typeof value === "string" ? [value] : value;
}

/** Conv, a summand and an activation. */
function convolved(fused: FusedNode, x: Value, z: Value | undefined): Value | Refusal {
  const { op, inputs } = fused;
  const y = fused.again("Conv", [x, inputs[1], inputs[2]], "activation", "activation_params");
  return activated(fused, z ? op.add(y, z) : y, fused.ints("activation_params"));
}

/** Channels in front, and at the end again. */
export function channelsFirst(op: Builder, x: Value): Value {
  const rank = op.rank(x);
  return op.transpose(x, [0, rank - 1, ...Array.from({ length: rank - 2 }, (_, i) => i + 1)]);
}
export function channelsLast(op: Builder, x: Value): Value {
  const rank = op.rank(x);
  return op.transpose(x, [0, ...Array.from({ length: rank - 2 }, (_, i) => i + 2), 1]);
}

const nhwcConv: Expand = (fused) => {
  const { op, inputs } = fused;
  const y = convolved(fused, channelsFirst(op, inputs[0]!), inputs[3] && channelsFirst(op, inputs[3]));
  return typeof y === "string" ? [channelsLast(op, y)] : y;
};

/** An operand as the product reads it: the first axis behind the batch axes, then the last two exchanged. */
function operand(op: Builder, x: Value, batch: boolean, swap: boolean): Value {
  const rank = op.rank(x);
  const axes = Array.from({ length: rank }, (_, axis) => axis);
  const laid = batch ? [...axes.slice(1, -1), 0, rank - 1] : axes;
  return op.transpose(x, swap ? [...laid.slice(0, -2), laid[rank - 1]!, laid[rank - 2]!] : laid);
}

const matMul: Expand = (fused) => {
  const { op, inputs, int, float } = fused;
  const [a, b] = [
    operand(op, inputs[0]!, int("transBatchA", 0) === 1, int("transA", 0) === 1),
    operand(op, inputs[1]!, int("transBatchB", 0) === 1, int("transB", 0) === 1),
  ];
  const y = op.mul(op.matMul(a, b), float("alpha", 1));
  const parameters = ["activation_alpha", "activation_beta"].map((name) => float(name, Number.NaN));
  return one(activated(fused, y, Number.isNaN(parameters[0]) ? [] : parameters));
};

const gemm: Expand = (fused) => {
  const attributes = ["activation", "activation_alpha", "activation_beta", "activation_gamma"];
  const y = fused.again("Gemm", fused.inputs, ...attributes);
  const parameters = ["activation_alpha", "activation_beta"].map((name) => fused.float(name, Number.NaN));
  return one(activated(fused, y, Number.isNaN(parameters[0]) ? [] : parameters));
};

/**
 * A product with weights of few bits: B [N, blocks, bytes] holds each row's codes, the first in the lowest bits, which stand
 * for (code - zero point) · scale, one scale and zero point per block.
 */
const matMulNBits: Expand = ({ op, inputs: [a, b, scales, zeros, order, bias], int }) => {
  if (order) return refused("its blocks are reordered (g_idx)");
  if (int("weight_prepacked", 0) !== 0) return refused("its weights are laid out for one machine");
  const [rows, columns, bits, block] = [int("N", 0), int("K", 0), int("bits", 4), int("block_size", 32)];
  if (![2, 4, 8].includes(bits) || !(rows > 0 && columns > 0 && block > 0))
    return refused(`its weights have ${bits} bits, [${rows}, ${columns}] in blocks of ${block}`);
  const blocks = Math.ceil(columns / block);
  const type = op.dtype(a!);
  const codes = op.reshape(unpacked(op, b!, bits), [rows, blocks, block]);
  const centre = (): Value => {
    if (!zeros) return op.scalar(2 ** (bits - 1), type);
    if (op.dtype(zeros) !== "uint8") return op.reshape(zeros, [rows, blocks, 1]);
    // Packed like the codes, each row filled up to whole bytes.
    const perRow = Math.ceil((blocks * bits) / 8);
    const all = op.reshape(unpacked(op, op.reshape(zeros, [rows, perRow]), bits), [rows, (perRow * 8) / bits]);
    const own = op.slice(all, { axes: [1], starts: [0], ends: [blocks] });
    return op.cast(op.reshape(own, [rows, blocks, 1]), type);
  };
  const blockwise = op.mul(op.sub(op.cast(codes, type), centre()), op.reshape(scales!, [rows, blocks, 1]));
  const flat = op.reshape(blockwise, [rows, blocks * block]);
  const weights = blocks * block === columns ? flat : op.slice(flat, { axes: [1], starts: [0], ends: [columns] });
  const y = op.matMul(a!, op.transpose(weights, [1, 0]));
  return [bias ? op.add(y, bias) : y];
};

/** Codes of `bits` bits out of bytes, in an axis of their own at the end. */
function unpacked(op: Builder, bytes: Value, bits: number): Value {
  if (bits === 8) return bytes;
  const constant = (value: number) => op.constant({ dtype: "uint8", shape: [], data: Uint8Array.of(value) });
  const parts = Array.from({ length: 8 / bits }, (_, i) => {
    const shifted = op.node("BitShift", [bytes, constant(i * bits)], { direction: "RIGHT" })[0]!;
    return op.unsqueeze(op.node("BitwiseAnd", [shifted, constant(2 ** bits - 1)])[0]!, [-1]);
  });
  return op.concat(parts, -1);
}

export const products: Expansions = {
  FusedConv: (fused) => one(convolved(fused, fused.inputs[0]!, fused.inputs[3])),
  NhwcFusedConv: nhwcConv,
  NhwcConv: nhwcConv,
  FusedGemm: gemm,
  FusedMatMul: matMul,
  FusedMatMulActivation: matMul,
  TransposeMatMul: matMul,
  MatMulNBits: matMulNBits,
};
