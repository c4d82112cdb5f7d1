import { create } from "@bufbuild/protobuf";
import {
  AttributeProto_AttributeType as A,
  type AttributeProto,
  AttributeProtoSchema,
  type GraphProto,
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "onnx-buf";
import { dtypeToOnnx } from "../../model/dtypes.ts";
import { bytesOf, type DType, type Tensor, type TypedArray } from "../../tensor.ts";

/** Short makers of ONNX's messages. What they make may be as wrong as it is wanted. */

/** A number is an int, `{ float }` a float, a list of numbers ints. */
export type AttributeValue =
  | number
  | string
  | readonly number[]
  | { float: number }
  | { floats: number[] }
  | GraphProto;

export function attributeProto(name: string, value: AttributeValue): AttributeProto {
  const proto = create(AttributeProtoSchema, { name });
  if (typeof value === "number") Object.assign(proto, { type: A.INT, i: int64Of(value) });
  else if (typeof value === "string") Object.assign(proto, { type: A.STRING, s: new TextEncoder().encode(value) });
  else if (Array.isArray(value)) Object.assign(proto, { type: A.INTS, ints: value.map(int64Of) });
  else if ("float" in value) Object.assign(proto, { type: A.FLOAT, f: value.float });
  else if ("floats" in value) Object.assign(proto, { type: A.FLOATS, floats: value.floats });
  else Object.assign(proto, { type: A.GRAPH, g: value });
  return proto;
}

function int64Of(value: number): bigint {
  return BigInt.asIntN(64, BigInt(value));
}

export function nodeProto(
  opType: string,
  input: readonly string[],
  output: readonly string[],
  attributes: Readonly<Record<string, AttributeValue>> = {},
  domain = "",
): NodeProto {
  return create(NodeProtoSchema, {
    opType,
    domain,
    name: `${opType}/${output[0] ?? ""}`,
    input: [...input],
    output: [...output],
    attribute: Object.entries(attributes).map(([name, value]) => attributeProto(name, value)),
  });
}

export function tensorProto(name: string, tensor: Tensor): TensorProto {
  return create(TensorProtoSchema, {
    name,
    dataType: dtypeToOnnx(tensor.dtype),
    dims: tensor.shape.map(int64Of),
    rawData: bytesOf(tensor.data as TypedArray).slice() as Uint8Array<ArrayBuffer>,
  });
}

/** A dimension that is no string is a number; a missing shape is an unknown one. */
export function valueProto(name: string, dtype: DType, shape?: readonly (number | string)[]): ValueInfoProto {
  const dim = shape?.map((size) => ({
    value:
      typeof size === "string"
        ? { case: "dimParam" as const, value: size }
        : { case: "dimValue" as const, value: int64Of(size) },
  }));
  const value = { elemType: dtypeToOnnx(dtype), ...(dim ? { shape: { dim } } : {}) };
  return create(ValueInfoProtoSchema, { name, type: { value: { case: "tensorType", value } } });
}

export type GraphParts = {
  input?: readonly ValueInfoProto[];
  output: readonly ValueInfoProto[];
  node: readonly NodeProto[];
  initializer?: readonly TensorProto[];
  valueInfo?: readonly ValueInfoProto[];
};

export function graphProto({ input = [], output, node, initializer = [], valueInfo = [] }: GraphParts): GraphProto {
  return create(GraphProtoSchema, {
    name: "graph",
    input: [...input],
    output: [...output],
    node: [...node],
    initializer: [...initializer],
    valueInfo: [...valueInfo],
  });
}

export function modelProto(graph: GraphProto, opset = 18): ModelProto {
  return create(ModelProtoSchema, {
    irVersion: 10n,
    producerName: "fuzz",
    opsetImport: [{ domain: "", version: BigInt(opset) }],
    graph,
  });
}
