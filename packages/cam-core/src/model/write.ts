import { create, toBinary } from "@bufbuild/protobuf";
import {
  AttributeProto_AttributeType as A,
  type AttributeProto,
  AttributeProtoSchema,
  type GraphProto,
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  NodeProtoSchema,
  type TensorProto,
  TensorProto_DataLocation,
  TensorProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "onnx-buf";
import type { Attribute, Graph, Initializer, ValueInfo } from "../graph/graph.ts";
import { toInt64 } from "../tensor.ts";
import { dtypeToOnnx } from "./dtypes.ts";

/**
 * A graph as bytes, and where its large weights stay: in buffers (`path` is the location that the model names), or in files
 * of one folder.
 */
export type WrittenModel = {
  readonly model: Uint8Array;
  readonly externalData: readonly { readonly path: string; readonly data: Uint8Array }[];
  readonly folder: string | undefined;
};

export type WriteOptions = {
  /** Weights of at least this many bytes stay where they are and are named by offset. Default Infinity: all inside. */
  externalFrom?: number;
  /** The name of one more output, before all others: an empty sequence of tensors. Default: there is none. */
  sequenceFirst?: string;
};

/** IR version written: 10 is what opset 21 came with and every current runtime reads. */
const irVersion = 10;

/**
 * Serialises a graph. With `externalFrom`, large weights aren't copied: the model names them by offset into the buffers they
 * already live in, which go to the runtime beside it. Shapes and other integers always stay inside, where the runtime's own
 * shape inference needs them.
 */
export function writeModel(graph: Graph, options: WriteOptions = {}): WrittenModel {
  const externalFrom = options.externalFrom ?? Number.POSITIVE_INFINITY;
  const outside = [...graph.initializers.values()].filter((tensor) => isLarge(tensor, externalFrom));
  const writer: Writer = { externalFrom, buffers: new Map(), folder: outside.find(({ file }) => file)?.file?.folder };
  const model = modelProto(graph);
  model.graph = withSequence(graphProto(graph, writer), options.sequenceFirst);
  return {
    model: toBinary(ModelProtoSchema, model),
    externalData: [...writer.buffers].map(([buffer, path]) => ({ path, data: new Uint8Array(buffer) })),
    folder: writer.folder,
  };
}

/** What a file says around its graph. */
export function modelProto(graph: Graph, version = irVersion): ModelProto {
  return create(ModelProtoSchema, {
    irVersion: BigInt(version),
    producerName: "camkit",
    opsetImport: [...graph.opsets].map(([domain, opset]) => ({ domain, version: BigInt(opset) })),
    metadataProps: [...graph.metadata].map(([key, value]) => ({ key, value })),
  });
}

type Writer = {
  externalFrom: number;
  readonly buffers: Map<ArrayBuffer, string>;
  /** The folder of the first weight that lies in a file. The runtime takes buffers or files of one folder, not both. */
  readonly folder: string | undefined;
};

/** What a sub-graph or an attribute holds stays inside: the runtime looks for external data in the outermost graph only. */
export const inside: Writer = { externalFrom: Number.POSITIVE_INFINITY, buffers: new Map(), folder: undefined };

function isLarge(tensor: Initializer, externalFrom: number): boolean {
  return tensor.dtype.startsWith("float") && tensor.byteLength >= externalFrom;
}

export function graphProto(graph: Graph, writer: Writer): GraphProto {
  return create(GraphProtoSchema, {
    name: graph.name || "graph",
    input: graph.inputs.map(valueProto),
    output: graph.outputs.map(valueProto),
    node: graph.nodes.map((node) =>
      create(NodeProtoSchema, {
        opType: node.opType,
        domain: node.domain,
        name: node.name,
        input: [...node.inputs],
        output: [...node.outputs],
        attribute: Object.entries(node.attributes).map(([name, attribute]) => attributeProto(name, attribute)),
      }),
    ),
    initializer: [...graph.initializers].map(([name, tensor]) => tensorProto(name, tensor, writer)),
  });
}

function withSequence(graph: GraphProto, name: string | undefined): GraphProto {
  if (name === undefined) return graph;
  const element = { value: { case: "tensorType" as const, value: { elemType: dtypeToOnnx("float32") } } };
  const type = { value: { case: "sequenceType" as const, value: { elemType: element } } };
  graph.node.push(create(NodeProtoSchema, { opType: "SequenceEmpty", name, output: [name] }));
  graph.output.unshift(create(ValueInfoProtoSchema, { name, type }));
  return graph;
}

function valueProto(info: ValueInfo): ValueInfoProto {
  const shape = info.shape && {
    dim: info.shape.map((dim) => {
      if (typeof dim === "number") return { value: { case: "dimValue" as const, value: BigInt(dim) } };
      return { value: { case: "dimParam" as const, value: dim ?? "" } };
    }),
  };
  const tensor = {
    case: "tensorType" as const,
    value: { elemType: dtypeToOnnx(info.dtype), ...(shape ? { shape } : {}) },
  };
  return create(ValueInfoProtoSchema, {
    name: info.name,
    type: { value: info.optional ? { case: "optionalType", value: { elemType: { value: tensor } } } : tensor },
  });
}

const text = new TextEncoder();

function attributeProto(name: string, attribute: Attribute): AttributeProto {
  const proto = create(AttributeProtoSchema, { name });
  switch (attribute.type) {
    case "int":
      proto.type = A.INT;
      proto.i = toInt64(attribute.value);
      break;
    case "float":
      proto.type = A.FLOAT;
      proto.f = attribute.value;
      break;
    case "string":
      proto.type = A.STRING;
      proto.s = text.encode(attribute.value);
      break;
    case "ints":
      proto.type = A.INTS;
      proto.ints = attribute.value.map(toInt64);
      break;
    case "floats":
      proto.type = A.FLOATS;
      proto.floats = [...attribute.value];
      break;
    case "strings":
      proto.type = A.STRINGS;
      proto.strings = attribute.value.map((value) => text.encode(value));
      break;
    case "tensor":
      proto.type = A.TENSOR;
      proto.t = tensorProto("", attribute.value, inside);
      break;
    case "graph":
      proto.type = A.GRAPH;
      proto.g = bodyProto(attribute.value);
      break;
  }
  return proto;
}

/** A sub-graph. Its values may be of any kind, sequences too: what the file didn't declare is left to the runtime to infer. */
function bodyProto(graph: Graph): GraphProto {
  const proto = graphProto(graph, inside);
  for (const value of [...proto.input, ...proto.output]) if (!graph.types.has(value.name)) delete value.type;
  return proto;
}

/** Where the runtime finds a weight; undefined for one that is written inside. */
function placeOf(tensor: Initializer, writer: Writer): { location: string; offset: number } | undefined {
  if (!isLarge(tensor, writer.externalFrom)) return undefined;
  if (writer.folder !== undefined)
    return tensor.file?.folder === writer.folder
      ? { location: tensor.file.name, offset: tensor.file.offset }
      : undefined;
  const buffer = tensor.bytes.buffer as ArrayBuffer;
  const location = writer.buffers.get(buffer) ?? `camkit-buffer-${writer.buffers.size}`;
  writer.buffers.set(buffer, location);
  return { location, offset: tensor.bytes.byteOffset };
}

function tensorProto(name: string, tensor: Initializer, writer: Writer): TensorProto {
  const place = placeOf(tensor, writer);
  const proto = tensorHead(name, tensor, place);
  if (tensor.strings) proto.stringData = tensor.strings.map((value) => text.encode(value));
  else if (!place) proto.rawData = tensor.bytes as Uint8Array<ArrayBuffer>;
  return proto;
}

/** A tensor without its elements; where it is given, the place in another file that they lie in. */
export function tensorHead(
  name: string,
  tensor: Initializer,
  place?: { location: string; offset: number },
): TensorProto {
  const proto = create(TensorProtoSchema, {
    name,
    dataType: dtypeToOnnx(tensor.dtype),
    dims: tensor.shape.map(BigInt),
  });
  if (!place) return proto;
  proto.dataLocation = TensorProto_DataLocation.EXTERNAL;
  proto.externalData = Object.entries({ ...place, length: tensor.byteLength }).map(([key, value]) => ({
    $typeName: "onnx.StringStringEntryProto",
    key,
    value: String(value),
  }));
  return proto;
}
