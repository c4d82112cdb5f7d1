import type { DType, Tensor } from "../../../tensor.ts";
import { bool, float32, int64 } from "../../../tensor.ts";
import { type AttributeValue, nodeProto, tensorProto } from "../protos.ts";
import { type Mutations, pick, type Victim } from "./mutation.ts";
import { spliceIn } from "./subgraphs.ts";

/** Operators that can ask for anything, asked for too much or for nonsense: `x` marks the value they are put behind. */
type Hostile = readonly [
  opType: string,
  inputs: readonly ("x" | "" | Tensor)[],
  attributes?: Record<string, AttributeValue>,
  domain?: string,
];

const ints = (...values: (number | bigint)[]) => int64([values.length], values);
const whole = (value: number | bigint) => int64([], [value]);
const floats = (...values: number[]) => float32([values.length], values);
const huge = 2 ** 40;

const hostile: readonly Hostile[] = [
  ["Resize", ["x", "", floats(1, 1, 1e9, 1e9)], { mode: "nearest" }],
  ["Resize", ["x", "", floats(0, -1, Number.NaN, 1)], { mode: "linear" }],
  ["Resize", ["x", "", "", ints(1, 1, huge, huge)], { mode: "cubic" }],
  ["Resize", ["x", "", "", ints(0, -1, 1, 1)], { mode: "linear" }],
  ["Resize", ["x", "", floats(1, 1)], { mode: "linear", axes: [2, 77] }],
  ["Upsample", ["x", floats(1, 1, 1e9, 1e9)], { mode: "nearest" }],
  ["ConstantOfShape", [ints(huge)], {}],
  ["ConstantOfShape", [ints(65536, 65536, 16)], {}],
  ["ConstantOfShape", [ints(-3)], {}],
  ["Expand", ["x", ints(65536, 65536, 1, 1)], {}],
  ["Expand", ["x", ints(-1)], {}],
  ["Tile", ["x", ints(1, 1, 100000, 100000)], {}],
  ["Tile", ["x", ints(-1, 1)], {}],
  ["Range", [whole(0), whole(huge), whole(1)], {}],
  ["Range", [whole(0), whole(10), whole(0)], {}],
  ["Pad", ["x", ints(0, 0, huge, huge, 0, 0, 0, 0)], {}],
  ["Pad", ["x", ints(0, 0, -100, -100, 0, 0, -100, 0)], {}],
  ["Pad", ["x", ints(0, 0, 100, 0, 0, 0, 100, 0)], { mode: "reflect" }],
  ["Pad", ["x", ints(1, 2)], { mode: "nonsense" }],
  ["Reshape", ["x", ints(huge, huge)], {}],
  ["Reshape", ["x", ints(-1, -1)], {}],
  ["Reshape", ["x", ints(-7, 3)], {}],
  ["Reshape", ["x", ints(0, 0, 0, 0, 0, 0, 0, 0)], {}],
  ["OneHot", [ints(1), whole(huge), floats(0, 1)], {}],
  ["EyeLike", ["x"], { k: huge }],
  ["RandomNormal", [], { shape: [65536, 65536, 4] }],
  ["RandomUniform", [], { shape: [-1, 2] }],
  ["Conv", ["x", floats(1, 2, 3)], { group: 0, strides: [0, 0], kernel_shape: [0, 0] }],
  ["Conv", ["x", float32([1, 1, 1, 1], [1])], { pads: [2 ** 31, 2 ** 31, 2 ** 31, 2 ** 31] }],
  ["Conv", ["x", float32([1, 1, 1, 1], [1])], { group: -4, dilations: [0, 2 ** 40] }],
  ["ConvTranspose", ["x", float32([4, 1, 1, 1], [1, 1, 1, 1])], { strides: [2 ** 20, 2 ** 20] }],
  ["ConvTranspose", ["x", float32([4, 1, 1, 1], [1, 1, 1, 1])], { output_shape: [2 ** 20, 2 ** 20], group: 0 }],
  ["MaxPool", ["x"], { kernel_shape: [0, 0] }],
  ["MaxPool", ["x"], { kernel_shape: [2, 2], strides: [0, 1], pads: [1, 1, 1, 1] }],
  ["MaxPool", ["x"], { kernel_shape: [3, 3], pads: [-3, 9, 9, 9], dilations: [0, 3] }],
  ["MaxPool", ["x"], {}],
  ["AveragePool", ["x"], { kernel_shape: [2 ** 40, 2] }],
  ["AveragePool", ["x"], { kernel_shape: [2], strides: [2, 2, 2] }],
  ["LpPool", ["x"], { kernel_shape: [2, 2], p: 0 }],
  ["Slice", ["x", ints(0), ints(9), ints(0), ints(0)], {}],
  ["Slice", ["x", ints(0, 0), ints(9), ints(77, -77)], {}],
  ["Slice", ["x", ints(0, 0), ints(4, 4), ints(1, 1)], {}],
  ["Split", ["x", ints(0, -1, 99)], { axis: 1 }],
  ["Split", ["x"], { axis: 9, num_outputs: 0 }],
  ["Split", ["x"], { axis: 1, num_outputs: 2 ** 40 }],
  ["Concat", ["x", "x"], { axis: 77 }],
  ["Concat", [], { axis: 0 }],
  ["DepthToSpace", ["x"], { blocksize: 0 }],
  ["DepthToSpace", ["x"], { blocksize: huge }],
  ["SpaceToDepth", ["x"], { blocksize: -2 }],
  ["MatMul", ["x", float32([7, 1], [1, 2, 3, 4, 5, 6, 7])], {}],
  ["MatMul", ["x", float32([], [1])], {}],
  ["Gemm", ["x", floats(1)], { alpha: { float: Number.NaN } }],
  ["Einsum", ["x"], { equation: "ij...->" }],
  ["Einsum", ["x", "x"], { equation: ",->,->((" }],
  ["Einsum", ["x"], {}],
  ["Transpose", ["x"], { perm: [0, 0, 0, 0] }],
  ["Transpose", ["x"], { perm: [9, -1, 2, 3] }],
  ["Transpose", ["x"], { perm: [0] }],
  ["Flatten", ["x"], { axis: 77 }],
  ["Squeeze", ["x", ints(0, 1, 2, 3, 4)], {}],
  ["Unsqueeze", ["x", ints(77)], {}],
  ["Unsqueeze", ["x", ints(0, 0)], {}],
  ["Softmax", ["x"], { axis: -100 }],
  ["LayerNormalization", ["x", floats(1)], { axis: 77, epsilon: { float: -1 } }],
  ["GroupNormalization", ["x", floats(1), floats(1)], { num_groups: 0 }],
  ["GroupNormalization", ["x", floats(1), floats(1)], { num_groups: huge }],
  ["InstanceNormalization", ["x", floats(1, 2, 3, 4, 5, 6, 7), floats(1)], {}],
  ["BatchNormalization", ["x", floats(1), floats(1), floats(1), floats(-1)], { training_mode: 1 }],
  ["LRN", ["x"], { size: 0 }],
  ["LRN", ["x"], { size: huge, bias: { float: 0 } }],
  ["Gather", ["x", ints(100)], { axis: 1 }],
  ["Gather", ["x", ints(-100)], { axis: 100 }],
  ["GatherElements", ["x", ints(5)], { axis: 3 }],
  ["GatherND", ["x", ints(9, 9, 9, 9, 9, 9, 9)], { batch_dims: 77 }],
  ["GatherND", ["x", ints(0, 0)], { batch_dims: -3 }],
  ["ScatterND", ["x", ints(9, 9), floats(1, 2)], {}],
  ["ScatterElements", ["x", ints(9), floats(1, 2)], { axis: 77 }],
  ["TopK", ["x", ints(huge)], { axis: 1 }],
  ["TopK", ["x", ints(-1)], { axis: -77 }],
  ["TopK", ["x", ints()], {}],
  ["ReduceMean", ["x", ints(77, -77)], {}],
  ["ReduceMean", ["x", ints(1, 1)], { keepdims: 5 }],
  ["ArgMax", ["x"], { axis: 77 }],
  ["CumSum", ["x", whole(77)], {}],
  ["Cast", ["x"], { to: 77 }],
  ["Cast", ["x"], { to: 8 }],
  ["Cast", ["x"], { to: 16 }],
  ["Clip", ["x", floats(1, 2, 3), float32([], [-5])], {}],
  ["Where", ["x", "x", "x"], {}],
  ["Attention", ["x", "x", "x"], { q_num_heads: 0, kv_num_heads: 0 }],
  ["Attention", ["x", "x", "x"], { q_num_heads: 3, kv_num_heads: -2, scale: { float: Number.NaN } }],
  ["LSTM", ["x", floats(1), floats(1)], { hidden_size: huge }],
  [
    "GRU",
    ["x", float32([1, 3, 1], [1, 1, 1]), float32([1, 3, 1], [1, 1, 1])],
    { hidden_size: 0, direction: "sideways" },
  ],
  ["RNN", ["x", float32([1, 1, 1], [1]), float32([1, 1, 1], [1])], { hidden_size: -1 }],
  ["GridSample", ["x", "x"], { mode: "nonsense" }],
  ["AffineGrid", [float32([1, 2, 3], [1, 0, 0, 0, 1, 0]), ints(1, 1, huge, huge)], {}],
  ["RoiAlign", ["x", floats(1), ints(9)], { output_height: huge, output_width: 0 }],
  ["Col2Im", ["x", ints(huge, huge), ints(0, 0)], {}],
  ["MaxUnpool", ["x", ints(9)], { kernel_shape: [2, 2] }],
  ["NonMaxSuppression", ["x", "x", whole(huge)], {}],
  ["NonZero", ["x"], {}],
  ["CenterCropPad", ["x", ints(huge)], { axes: [2] }],
  ["QuantizeLinear", ["x", floats(0), floats(1)], { axis: 77 }],
  ["DequantizeLinear", ["x", floats(0, 1, 2)], { axis: -77, block_size: -1 }],
  ["QLinearConv", ["x", "x", "x"], {}],
  ["MatMulInteger", ["x", "x"], {}],
  ["SequenceAt", ["x", whole(5)], {}],
  ["ConcatFromSequence", ["x"], { axis: 77 }],
  ["SplitToSequence", ["x", whole(0)], { axis: 77 }],
  ["Trilu", ["x", whole(huge)], {}],
  ["Trilu", [floats(1)], {}],
  ["Dropout", ["x", float32([], [2]), bool([], [true])], {}],
  ["BitShift", ["x", "x"], { direction: "UP" }],
  ["Mod", ["x", float32([], [0])], { fmod: 0 }],
  ["Pow", ["x", float32([], [1e30])], {}],
  ["Div", [whole(1), whole(0)], {}],
  ["Mod", [whole(1), whole(0)], {}],
  ["Div", [whole(-(2n ** 63n)), whole(-1)], {}],
  ["Constant", [], {}],
  ["Constant", [], { value_ints: [1], value_int: 4 }],
  ["ConstantOfShape", ["x"], {}],
  ["FusedMatMul", ["x", "x"], { transA: 7 }, "com.microsoft"],
  ["FusedConv", ["x", "x"], { activation: "nonsense", group: 0 }, "com.microsoft"],
  ["BiasGelu", ["x", floats(1, 2, 3)], {}, "com.microsoft"],
  ["SkipLayerNormalization", ["x", "x", floats(1)], {}, "com.microsoft"],
  ["MultiHeadAttention", ["x", "x", "x"], { num_heads: 0 }, "com.microsoft"],
  ["Attention", ["x", "x", floats(1)], { num_heads: 0, qkv_hidden_sizes: [0, -1, huge] }, "com.microsoft"],
  ["GroupQueryAttention", ["x", "x", "x"], { num_heads: 1, kv_num_heads: 0 }, "com.microsoft"],
  ["MatMulNBits", ["x", "x", "x"], { K: 0, N: huge, bits: 0, block_size: 0 }, "com.microsoft"],
  ["QLinearAdd", ["x", "x"], {}, "com.microsoft"],
  ["RotaryEmbedding", ["x", ints(5), floats(1), floats(1)], { num_heads: -1 }, "com.microsoft"],
];

/** Types in which a value is given to what expects another. */
const otherTypes: readonly DType[] = ["float64", "float16", "int64", "bool", "string", "uint8"];
const onnxNumber: Readonly<Record<string, number>> = {
  float64: 11,
  float16: 10,
  int64: 7,
  bool: 9,
  string: 8,
  uint8: 2,
};

function place(victim: Victim, inputs: Hostile[1], from: string): string[] {
  return inputs.map((input) => {
    if (input === "") return "";
    if (input === "x") return from;
    const { initializer } = victim.model.graph!;
    const name = `fuzz/constant/${initializer.length}`;
    initializer.push(tensorProto(name, input));
    return name;
  });
}

export const hostileNodes: Mutations = {
  hostileNode: (victim, random) => {
    const [opType, inputs, attributes, domain] = pick(random, hostile)!;
    return spliceIn(victim, random, (from, to) => [
      nodeProto(opType, place(victim, inputs, from), [to], attributes, domain),
    ]);
  },
  /** The same, where nothing comes after it: its output is the model's. */
  hostileEnd: (victim, random) => {
    const [opType, inputs, attributes, domain] = pick(random, hostile)!;
    const info = victim.model.graph?.output[0];
    if (!info) return false;
    const [from, to] = [info.name, `${info.name}/end`];
    victim.model.graph!.node.push(nodeProto(opType, place(victim, inputs, from), [to], attributes, domain));
    info.name = to;
    return true;
  },
  otherType: (victim, random) => {
    const type = pick(random, otherTypes)!;
    return spliceIn(victim, random, (from, to) => [nodeProto("Cast", [from], [to], { to: onnxNumber[type]! })]);
  },
  manyNodes: (victim, random) =>
    spliceIn(victim, random, (from, to) =>
      Array.from({ length: 2000 }, (_, i) =>
        nodeProto("Identity", [i === 0 ? from : `${to}/${i - 1}`], [i === 1999 ? to : `${to}/${i}`]),
      ),
    ),
  /** x + x, again and again: paths double at every step, nodes don't. */
  diamonds: (victim, random) =>
    spliceIn(victim, random, (from, to) =>
      Array.from({ length: 60 }, (_, i) => {
        const before = i === 0 ? from : `${to}/${i - 1}`;
        return nodeProto(i % 2 === 0 ? "Add" : "Mul", [before, before], [i === 59 ? to : `${to}/${i}`]);
      }),
    ),
};
