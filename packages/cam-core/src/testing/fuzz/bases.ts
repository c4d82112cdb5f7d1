import { create } from "@bufbuild/protobuf";
import { FunctionProtoSchema, type ModelProto, OperatorSetIdProtoSchema, TensorProto_DataLocation } from "onnx-buf";
import { float32, int64, type Tensor } from "../../tensor.ts";
import { rng } from "../rng.ts";
import { graphProto, modelProto, nodeProto as n, tensorProto, valueProto } from "./protos.ts";

/** A small sound model, what it is fed, and the files beside it. Every one of them can be explained as it is. */
export type Base = {
  readonly model: () => ModelProto;
  readonly feeds: Readonly<Record<string, Tensor>>;
  readonly files?: Readonly<Record<string, Uint8Array<ArrayBuffer>>>;
};

const random = rng(11);
const weights = new Map<string, Tensor>();

/** A weight of small normal numbers, the same whenever its name and shape are. */
function w(name: string, ...shape: number[]) {
  const key = `${name}[${shape}]`;
  let tensor = weights.get(key);
  if (!tensor) {
    tensor = float32(
      shape,
      Array.from(random.normal(shape).data as Float32Array, (value) => 0.4 * value),
    );
    weights.set(key, tensor);
  }
  return tensorProto(name, tensor);
}

function ones(name: string, size: number) {
  return tensorProto(
    name,
    float32(
      [size],
      Array.from({ length: size }, () => 1),
    ),
  );
}

function ints(name: string, ...values: number[]) {
  return tensorProto(name, int64([values.length], values));
}

function scalar(name: string, value: number) {
  return tensorProto(name, float32([], [value]));
}

const picture = random.normal([2, 3, 8, 8]);

/** Convolutions, batch normalisation, both kinds of pooling, a residual sum, a dense head and a softmax. */
const cnn = () =>
  modelProto(
    graphProto({
      input: [valueProto("x", "float32", ["n", 3, 8, 8])],
      output: [valueProto("y", "float32", ["n", 5])],
      initializer: [
        w("w1", 4, 3, 3, 3),
        w("b1", 4),
        ones("scale", 4),
        w("shift", 4),
        w("mean", 4),
        ones("var", 4),
        w("w2", 4, 1, 3, 3),
        w("dense", 4, 5),
        w("bias", 5),
        scalar("low", 0),
        scalar("high", 6),
      ],
      node: [
        n("Conv", ["x", "w1", "b1"], ["c1"], { kernel_shape: [3, 3], pads: [1, 1, 1, 1], strides: [1, 1] }),
        n("BatchNormalization", ["c1", "scale", "shift", "mean", "var"], ["n1"], { epsilon: { float: 1e-5 } }),
        n("Clip", ["n1", "low", "high"], ["r1"]),
        n("MaxPool", ["r1"], ["p1"], { kernel_shape: [2, 2], strides: [2, 2] }),
        n("Conv", ["p1", "w2"], ["c2"], { group: 4, pads: [1, 1, 1, 1], dilations: [1, 1] }),
        n("Add", ["c2", "p1"], ["sum"]),
        n("Relu", ["sum"], ["r2"]),
        n("AveragePool", ["r2"], ["p2"], { kernel_shape: [2, 2], strides: [1, 1], ceil_mode: 1 }),
        n("GlobalAveragePool", ["p2"], ["g"]),
        n("Flatten", ["g"], ["f"], { axis: 1 }),
        n("Gemm", ["f", "dense", "bias"], ["logits"], { alpha: { float: 1 }, transB: 0 }),
        n("Softmax", ["logits"], ["y"], { axis: -1 }),
      ],
    }),
    17,
  );

/** One attention block on four patches and a class token, shapes computed in the graph. */
const transformer = () =>
  modelProto(
    graphProto({
      input: [valueProto("x", "float32", ["n", 3, 8, 8])],
      output: [valueProto("y", "float32", ["n", 5])],
      initializer: [
        w("patch", 8, 3, 4, 4),
        w("class", 1, 1, 8),
        w("position", 1, 5, 8),
        ones("gamma", 8),
        w("beta", 8),
        w("qkv", 8, 24),
        w("out", 8, 8),
        w("mlp1", 8, 16),
        w("mlp2", 16, 8),
        w("head", 8, 5),
        scalar("half", 0.5),
        scalar("one", 1),
        scalar("root2", Math.SQRT2),
        tensorProto("zero", int64([], [0])),
        ints("rows", 0),
        ints("minus", -1),
        ints("width", 8),
        ints("tail", 3, 2, 4),
        ints("token", 1, 8),
        ints("parts", 1, 1, 1),
        ints("axis2", 2),
      ],
      node: [
        n("Conv", ["x", "patch"], ["p"], { kernel_shape: [4, 4], strides: [4, 4] }),
        n("Shape", ["p"], ["shape"]),
        n("Gather", ["shape", "rows"], ["batch"], { axis: 0 }),
        n("Concat", ["batch", "width", "minus"], ["flatShape"], { axis: 0 }),
        n("Reshape", ["p", "flatShape"], ["flat"]),
        n("Transpose", ["flat"], ["tokens"], { perm: [0, 2, 1] }),
        n("Concat", ["batch", "token"], ["classShape"], { axis: 0 }),
        n("Expand", ["class", "classShape"], ["classes"]),
        n("Concat", ["classes", "tokens"], ["all"], { axis: 1 }),
        n("Add", ["all", "position"], ["h"]),
        n("LayerNormalization", ["h", "gamma", "beta"], ["ln"], { axis: -1, epsilon: { float: 1e-6 } }),
        n("MatMul", ["ln", "qkv"], ["m"]),
        n("Concat", ["batch", "minus", "tail"], ["headShape"], { axis: 0 }),
        n("Reshape", ["m", "headShape"], ["heads"]),
        n("Split", ["heads", "parts"], ["q5", "k5", "v5"], { axis: 2 }),
        n("Squeeze", ["q5", "axis2"], ["q4"]),
        n("Squeeze", ["k5", "axis2"], ["k4"]),
        n("Squeeze", ["v5", "axis2"], ["v4"]),
        n("Transpose", ["q4"], ["q"], { perm: [0, 2, 1, 3] }),
        n("Transpose", ["k4"], ["k"], { perm: [0, 2, 3, 1] }),
        n("Transpose", ["v4"], ["v"], { perm: [0, 2, 1, 3] }),
        n("MatMul", ["q", "k"], ["scores"]),
        n("Mul", ["scores", "half"], ["scaled"]),
        n("Softmax", ["scaled"], ["attention"], { axis: -1 }),
        n("MatMul", ["attention", "v"], ["mixed"]),
        n("Transpose", ["mixed"], ["back"], { perm: [0, 2, 1, 3] }),
        n("Concat", ["batch", "minus", "width"], ["mergedShape"], { axis: 0 }),
        n("Reshape", ["back", "mergedShape"], ["merged"]),
        n("MatMul", ["merged", "out"], ["projected"]),
        n("Add", ["projected", "h"], ["h2"]),
        n("MatMul", ["h2", "mlp1"], ["wide"]),
        n("Div", ["wide", "root2"], ["d"]),
        n("Erf", ["d"], ["e"]),
        n("Add", ["e", "one"], ["e1"]),
        n("Mul", ["wide", "e1"], ["g2"]),
        n("Mul", ["g2", "half"], ["gelu"]),
        n("MatMul", ["gelu", "mlp2"], ["narrow"]),
        n("Add", ["narrow", "h2"], ["h3"]),
        n("Gather", ["h3", "zero"], ["cls"], { axis: 1 }),
        n("MatMul", ["cls", "head"], ["y"]),
      ],
    }),
  );

/** A branch, a loop and a sequence beside a convolution. */
const flow = () => {
  const branch = (opType: string, name: string) =>
    graphProto({ output: [valueProto(name, "float32")], node: [n(opType, ["r"], [name])] });
  const body = graphProto({
    input: [valueProto("i", "int64", []), valueProto("go", "bool", []), valueProto("state", "float32")],
    output: [valueProto("goOn", "bool", []), valueProto("next", "float32")],
    node: [n("Identity", ["go"], ["goOn"]), n("Mul", ["state", "factor"], ["next"])],
  });
  return modelProto(
    graphProto({
      input: [valueProto("x", "float32", ["n", 3, 8, 8])],
      output: [valueProto("y", "float32", ["n", 4])],
      initializer: [
        w("w1", 4, 3, 3, 3),
        scalar("zero", 0),
        scalar("factor", 0.9),
        tensorProto("trips", int64([], [3])),
        tensorProto("first", int64([], [0])),
        tensorProto("true", { dtype: "bool", shape: [], data: Uint8Array.of(1) }),
      ],
      node: [
        n("Conv", ["x", "w1"], ["c"], { pads: [1, 1, 1, 1] }),
        n("Relu", ["c"], ["r"]),
        n("ReduceMean", ["x"], ["mean"], { keepdims: 0 }),
        n("Greater", ["mean", "zero"], ["positive"]),
        n("If", ["positive"], ["chosen"], {
          then_branch: branch("Neg", "negated"),
          else_branch: branch("Identity", "same"),
        }),
        n("Abs", ["chosen"], ["side"]),
        n("Loop", ["trips", "true", "factor"], ["power"], { body }),
        n("SequenceConstruct", ["power", "factor"], ["list"]),
        n("SequenceAt", ["list", "first"], ["picked"]),
        n("Mul", ["r", "picked"], ["weighted"]),
        n("GlobalMaxPool", ["side"], ["other"]),
        n("GlobalAveragePool", ["weighted"], ["g"]),
        n("Flatten", ["g"], ["y"]),
        n("Flatten", ["other"], ["unused"]),
      ],
      valueInfo: [valueProto("power", "float32", []), valueProto("picked", "float32", [])],
    }),
  );
};

/** Two convolutions with weights in a file beside the model, one behind the other. */
const externalWeights = { first: random.normal([16, 3, 3, 3]), second: random.normal([16, 16, 3, 3]) };
const external = () => {
  const outside = (name: keyof typeof externalWeights, offset: number) => {
    const proto = tensorProto(name, externalWeights[name]);
    const entries = { location: "weights.bin", offset: String(offset), length: String(proto.rawData.byteLength) };
    proto.rawData = new Uint8Array(0);
    proto.dataLocation = TensorProto_DataLocation.EXTERNAL;
    proto.externalData = Object.entries(entries).map(([key, value]) => ({
      $typeName: "onnx.StringStringEntryProto",
      key,
      value,
    }));
    return proto;
  };
  return modelProto(
    graphProto({
      input: [valueProto("x", "float32", ["n", 3, "h", "w"])],
      output: [valueProto("y", "float32", ["n", 16])],
      initializer: [outside("first", 0), outside("second", 1728)],
      node: [
        n("Conv", ["x", "first"], ["c1"], { auto_pad: "SAME_UPPER" }),
        n("Sigmoid", ["c1"], ["s1"]),
        n("Mul", ["c1", "s1"], ["swish"]),
        n("Conv", ["swish", "second"], ["c2"], { strides: [2, 2], pads: [1, 1, 1, 1] }),
        n("LeakyRelu", ["c2"], ["r2"], { alpha: { float: 0.1 } }),
        n("ReduceMean", ["r2", "axes"], ["y"], { keepdims: 0 }),
      ],
    }),
  );
};
const externalModel = () => {
  const model = external();
  model.graph!.initializer.push(ints("axes", 2, 3));
  return model;
};

/** A convolution between fake-quantised values, its weight stored in 8 bits. */
const quantised = () => {
  const q = (x: string, out: string) => [
    n("QuantizeLinear", [x, "s", "z"], [`${out}/q`]),
    n("DequantizeLinear", [`${out}/q`, "s", "z"], [out]),
  ];
  return modelProto(
    graphProto({
      input: [valueProto("x", "float32", ["n", 3, 8, 8])],
      output: [valueProto("y", "float32", ["n", 4])],
      initializer: [
        scalar("s", 0.05),
        tensorProto("z", { dtype: "uint8", shape: [], data: Uint8Array.of(128) }),
        tensorProto("ws", float32([4], [0.01, 0.02, 0.01, 0.03])),
        tensorProto("wz", { dtype: "int8", shape: [4], data: Int8Array.of(0, 0, 0, 0) }),
        tensorProto("w", {
          dtype: "int8",
          shape: [4, 3, 3, 3],
          data: Int8Array.from({ length: 108 }, () => random.int(200) - 100),
        }),
      ],
      node: [
        ...q("x", "xq"),
        n("DequantizeLinear", ["w", "ws", "wz"], ["wf"], { axis: 0 }),
        n("Conv", ["xq", "wf"], ["c"], { pads: [1, 1, 1, 1] }),
        n("Relu", ["c"], ["r"]),
        ...q("r", "rq"),
        n("GlobalAveragePool", ["rq"], ["g"]),
        n("Flatten", ["g"], ["y"]),
      ],
    }),
  );
};

/** An activation as a function of the model's own, called twice, with an attribute of its own. */
const functions = () => {
  const model = modelProto(
    graphProto({
      input: [valueProto("x", "float32", ["n", 3, 8, 8])],
      output: [valueProto("y", "float32", ["n", 4])],
      initializer: [w("w1", 4, 3, 3, 3)],
      node: [
        n("Conv", ["x", "w1"], ["c"], { pads: [1, 1, 1, 1] }),
        n("Gate", ["c"], ["g1"], { slope: { float: 0.2 } }, "fuzz.local"),
        n("Gate", ["g1"], ["g2"], { slope: { float: 0.1 } }, "fuzz.local"),
        n("GlobalAveragePool", ["g2"], ["g"]),
        n("Flatten", ["g"], ["y"]),
      ],
    }),
  );
  const leaky = n("LeakyRelu", ["in"], ["leaky"], { alpha: { float: 0 } });
  Object.assign(leaky.attribute[0]!, { refAttrName: "slope" });
  const domains = ["", "fuzz.local"].map((domain) => create(OperatorSetIdProtoSchema, { domain, version: 18n }));
  model.opsetImport.push(create(OperatorSetIdProtoSchema, { domain: "fuzz.local", version: 1n }));
  model.functions.push(
    create(FunctionProtoSchema, {
      name: "Gate",
      domain: "fuzz.local",
      input: ["in"],
      output: ["out"],
      attribute: ["slope"],
      node: [leaky, n("Tanh", ["leaky"], ["t"]), n("Mul", ["leaky", "t"], ["out"])],
      opsetImport: domains,
    }),
  );
  return model;
};

/** Volumes, down and up again. */
const volume = () =>
  modelProto(
    graphProto({
      input: [valueProto("x", "float32", ["n", 1, 6, 6, 6])],
      output: [valueProto("y", "float32", ["n", 3])],
      initializer: [
        w("w1", 4, 1, 3, 3, 3),
        w("up", 4, 2, 2, 2, 2),
        w("slope", 2, 1, 1, 1),
        w("dense", 2, 3),
        tensorProto("scales", float32([5], [1, 1, 1, 2, 2])),
        ints("pads", 0, 0, 0, 1, 1, 0, 0, 0, 1, 0),
        ints("starts", 0, 0),
        ints("ends", 5, 9),
        ints("axes", 2, 4),
        ones("gamma", 4),
        w("beta", 4),
      ],
      node: [
        n("Pad", ["x", "pads"], ["padded"], { mode: "reflect" }),
        n("Conv", ["padded", "w1"], ["c"], { pads: [1, 1, 1, 1, 1, 1], strides: [2, 2, 2] }),
        n("InstanceNormalization", ["c", "gamma", "beta"], ["in"]),
        n("Elu", ["in"], ["e"]),
        n("ConvTranspose", ["e", "up"], ["u"], { strides: [2, 2, 2], output_padding: [0, 0, 0] }),
        n("PRelu", ["u", "slope"], ["a"]),
        n("Resize", ["a", "", "scales"], ["big"], { mode: "linear", coordinate_transformation_mode: "half_pixel" }),
        n("Slice", ["big", "starts", "ends", "axes"], ["cut"]),
        n("GlobalAveragePool", ["cut"], ["g"]),
        n("Flatten", ["g"], ["f"]),
        n("MatMul", ["f", "dense"], ["y"]),
      ],
    }),
  );

/** The forms that operators had in opset 9. */
const old = () =>
  modelProto(
    graphProto({
      input: [valueProto("x", "float32", ["n", 3, 8, 8]), valueProto("w1", "float32", [4, 3, 3, 3])],
      output: [valueProto("y", "float32", ["n", 4])],
      initializer: [
        w("w1", 4, 3, 3, 3),
        ones("gamma", 4),
        w("beta", 4),
        w("mean", 4),
        ones("var", 4),
        tensorProto("scales", float32([4], [1, 1, 2, 2])),
        tensorProto("k", int64([1], [4])),
      ],
      node: [
        n("Pad", ["x"], ["padded"], { pads: [0, 0, 1, 1, 0, 0, 1, 1], mode: "constant", value: { float: 0 } }),
        n("Conv", ["padded", "w1"], ["c"]),
        n("BatchNormalization", ["c", "gamma", "beta", "mean", "var"], ["bn"], { momentum: { float: 0.9 } }),
        n("Clip", ["bn"], ["clipped"], { min: { float: 0 }, max: { float: 6 } }),
        n("Dropout", ["clipped"], ["dropped"], { ratio: { float: 0.5 } }),
        n("Upsample", ["dropped", "scales"], ["up"], { mode: "nearest" }),
        n("Slice", ["up"], ["cut"], { axes: [2, 3], starts: [0, 1], ends: [12, -1] }),
        n("Split", ["cut"], ["a", "b"], { axis: 1 }),
        n("Concat", ["b", "a"], ["swapped"], { axis: 1 }),
        n("ReduceMean", ["swapped"], ["mean2"], { axes: [2, 3], keepdims: 1 }),
        n("Squeeze", ["mean2"], ["s"], { axes: [2, 3] }),
        n("Softmax", ["s"], ["y"], { axis: 1 }),
      ],
    }),
    9,
  );

/** Recurrence, attention, picking and scattering: operators of other families. */
const mixed = () =>
  modelProto(
    graphProto({
      input: [valueProto("x", "float32", ["n", 3, 8, 8])],
      output: [valueProto("y", "float32", ["n", 4]), valueProto("best", "int64")],
      initializer: [
        w("w1", 4, 3, 1, 1),
        ints("sequence", 0, 4, 64),
        w("W", 1, 12, 4),
        w("R", 1, 12, 4),
        ints("k", 2),
        ints("order", 3, 0, 1, 2),
        w("a", 4, 4),
        ints("last", 0),
        ints("repeats", 1, 1, 2, 1),
      ],
      node: [
        n("Conv", ["x", "w1"], ["c"]),
        n("DepthToSpace", ["c"], ["wide"], { blocksize: 2, mode: "CRD" }),
        n("SpaceToDepth", ["wide"], ["narrow"], { blocksize: 2 }),
        n("Tile", ["narrow", "repeats"], ["tiled"]),
        n("CumSum", ["tiled", "last"], ["cumulated"]),
        n("GlobalAveragePool", ["cumulated"], ["pooled"]),
        n("Flatten", ["pooled"], ["f"]),
        n("Unsqueeze", ["f", "last"], ["t"]),
        n("GRU", ["t", "W", "R"], ["all", "state"], { hidden_size: 4 }),
        n("Squeeze", ["state", "last"], ["s"]),
        n("Einsum", ["s", "a"], ["e"], { equation: "ij,jk->ik" }),
        n("Gather", ["e", "order"], ["g"], { axis: 1 }),
        n("TopK", ["g", "k"], ["values", "indices"], { axis: -1 }),
        n("ScatterElements", ["g", "indices", "values"], ["y"], { axis: 1 }),
        n("ArgMax", ["y"], ["best"], { axis: 1 }),
      ],
    }),
  );

const images = { x: picture };

export const bases: Readonly<Record<string, Base>> = {
  cnn: { model: cnn, feeds: images },
  transformer: { model: transformer, feeds: images },
  flow: { model: flow, feeds: images },
  external: {
    model: externalModel,
    feeds: images,
    files: { "weights.bin": joined(externalWeights.first, externalWeights.second) },
  },
  quantised: { model: quantised, feeds: images },
  functions: { model: functions, feeds: images },
  volume: { model: volume, feeds: { x: random.normal([2, 1, 6, 6, 6]) } },
  old: { model: old, feeds: images },
  mixed: { model: mixed, feeds: images },
};

function joined(...tensors: readonly Tensor[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Float32Array.from(tensors.flatMap((tensor) => Array.from(tensor.data as Float32Array))).buffer);
}
