/**
 * ONNX's messages, as far as a network that is run has them: onnx.proto's names, numbers and types. `[]` is repeated, `?` one of
 * which it matters whether it is there; a message is undefined where it is absent, a number 0, a text empty.
 *
 * A table instead of the schema that protobuf's compiler generates: that one brings descriptors of descriptors along, 16 kB
 * gzipped in a page. `proto.test.ts` compares them. `wire.ts` reads and writes by it.
 */
export const schema = {
  ModelProto: {
    irVersion: [1, "int64"],
    producerName: [2, "string"],
    producerVersion: [3, "string"],
    graph: [7, "GraphProto"],
    opsetImport: [8, "OperatorSetIdProto[]"],
    metadataProps: [14, "StringStringEntryProto[]"],
    functions: [25, "FunctionProto[]"],
  },
  GraphProto: {
    node: [1, "NodeProto[]"],
    name: [2, "string"],
    initializer: [5, "TensorProto[]"],
    input: [11, "ValueInfoProto[]"],
    output: [12, "ValueInfoProto[]"],
    valueInfo: [13, "ValueInfoProto[]"],
    sparseInitializer: [15, "SparseTensorProto[]"],
  },
  FunctionProto: {
    name: [1, "string"],
    input: [4, "string[]"],
    output: [5, "string[]"],
    attribute: [6, "string[]"],
    node: [7, "NodeProto[]"],
    opsetImport: [9, "OperatorSetIdProto[]"],
    domain: [10, "string"],
    attributeProto: [11, "AttributeProto[]"],
    overload: [13, "string"],
  },
  NodeProto: {
    input: [1, "string[]"],
    output: [2, "string[]"],
    name: [3, "string"],
    opType: [4, "string"],
    attribute: [5, "AttributeProto[]"],
    domain: [7, "string"],
    overload: [8, "string"],
  },
  AttributeProto: {
    name: [1, "string"],
    f: [2, "float"],
    i: [3, "int64"],
    s: [4, "bytes"],
    t: [5, "TensorProto"],
    g: [6, "GraphProto"],
    floats: [7, "float[]"],
    ints: [8, "int64[]"],
    strings: [9, "bytes[]"],
    type: [20, "int32"],
    refAttrName: [21, "string"],
  },
  TensorProto: {
    dims: [1, "int64[]"],
    dataType: [2, "int32"],
    floatData: [4, "float[]"],
    int32Data: [5, "int32[]"],
    stringData: [6, "bytes[]"],
    int64Data: [7, "int64[]"],
    name: [8, "string"],
    rawData: [9, "bytes"],
    doubleData: [10, "double[]"],
    uint64Data: [11, "uint64[]"],
    externalData: [13, "StringStringEntryProto[]"],
    dataLocation: [14, "int32"],
  },
  SparseTensorProto: {},
  ValueInfoProto: { name: [1, "string"], type: [2, "TypeProto"] },
  TypeProto: { tensorType: [1, "Tensor"], sequenceType: [4, "Sequence"], optionalType: [9, "Optional"] },
  Tensor: { elemType: [1, "int32"], shape: [2, "TensorShapeProto"] },
  Sequence: { elemType: [1, "TypeProto"] },
  Optional: { elemType: [1, "TypeProto"] },
  TensorShapeProto: { dim: [1, "Dimension[]"] },
  Dimension: { dimValue: [1, "int64?"], dimParam: [2, "string?"] },
  OperatorSetIdProto: { domain: [1, "string"], version: [2, "int64"] },
  StringStringEntryProto: { key: [1, "string"], value: [2, "string"] },
} as const;

type Schema = typeof schema;
export type MessageName = keyof Schema;
export type Scalars = {
  int64: bigint;
  uint64: bigint;
  int32: number;
  float: number;
  double: number;
  string: string;
  bytes: Uint8Array;
};
type One<Kind> = Kind extends keyof Scalars ? Scalars[Kind] : Kind extends MessageName ? Message<Kind> : never;
type Read<Kind> = Kind extends `${infer Each}[]`
  ? One<Each>[]
  : Kind extends `${infer Each}?`
    ? One<Each> | undefined
    : Kind extends MessageName
      ? Message<Kind> | undefined
      : One<Kind>;

/** A message that was read. */
export type Message<Name extends MessageName> = {
  [Field in keyof Schema[Name]]: Schema[Name][Field] extends readonly [number, infer Kind] ? Read<Kind> : never;
};

type OneDraft<Kind> = Kind extends MessageName ? Draft<Kind> : One<Kind>;
type Written<Kind> = Kind extends `${infer Each}[]`
  ? readonly OneDraft<Each>[]
  : Kind extends `${infer Each}?`
    ? OneDraft<Each>
    : OneDraft<Kind>;

/** A message to be written: what isn't named isn't there. */
export type Draft<Name extends MessageName> = {
  [Field in keyof Schema[Name]]?: Schema[Name][Field] extends readonly [number, infer Kind]
    ? Written<Kind> | undefined
    : never;
};

export type AttributeProto = Message<"AttributeProto">;
export type FunctionProto = Message<"FunctionProto">;
export type GraphProto = Message<"GraphProto">;
export type NodeProto = Message<"NodeProto">;
export type TensorProto = Message<"TensorProto">;
export type ValueInfoProto = Message<"ValueInfoProto">;

/** AttributeProto.AttributeType, as far as nodes have them. */
export const attributeTypes = {
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
} as const;

/** TensorProto.DataLocation of a tensor whose elements lie in another file. */
export const external = 1;
