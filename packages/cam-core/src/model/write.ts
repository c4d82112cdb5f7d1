import type { Attribute, Graph, Initializer, ValueInfo } from "../graph/graph.ts";
import { toInt64 } from "../tensor.ts";
import { dtypeToOnnx } from "./dtypes.ts";
import { attributeTypes, type Draft, external } from "./proto.ts";
import { encode } from "./wire.ts";

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
  const own = withSequence(graphProto(graph, writer), options.sequenceFirst);
  return {
    model: encode("ModelProto", { ...modelProto(graph), graph: own }),
    externalData: [...writer.buffers].map(([buffer, path]) => ({ path, data: new Uint8Array(buffer) })),
    folder: writer.folder,
  };
}

/** What a file says around its graph. */
export function modelProto(graph: Graph, version = irVersion): Draft<"ModelProto"> {
  return {
    irVersion: BigInt(version),
    producerName: "camkit",
    opsetImport: [...graph.opsets].map(([domain, opset]) => ({ domain, version: BigInt(opset) })),
    metadataProps: [...graph.metadata].map(([key, value]) => ({ key, value })),
  };
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

export function graphProto(graph: Graph, writer: Writer): Draft<"GraphProto"> {
  return {
    name: graph.name || "graph",
    input: graph.inputs.map(valueProto),
    output: graph.outputs.map(valueProto),
    node: graph.nodes.map(({ opType, domain, name, inputs, outputs, attributes }) => ({
      opType,
      domain,
      name,
      input: inputs,
      output: outputs,
      attribute: Object.entries(attributes).map(([key, attribute]) => ({ name: key, ...attributeProto(attribute) })),
    })),
    initializer: [...graph.initializers].map(([name, tensor]) => tensorProto(name, tensor, writer)),
  };
}

function withSequence(graph: Draft<"GraphProto">, name: string | undefined): Draft<"GraphProto"> {
  if (name === undefined) return graph;
  const element = { tensorType: { elemType: dtypeToOnnx("float32") } };
  return {
    ...graph,
    node: [...(graph.node ?? []), { opType: "SequenceEmpty", name, output: [name] }],
    output: [{ name, type: { sequenceType: { elemType: element } } }, ...(graph.output ?? [])],
  };
}

function valueProto({ name, dtype, shape, optional }: ValueInfo): Draft<"ValueInfoProto"> {
  const dim = shape?.map((size) => (typeof size === "number" ? { dimValue: BigInt(size) } : { dimParam: size ?? "" }));
  const tensorType = { elemType: dtypeToOnnx(dtype), ...(dim ? { shape: { dim } } : {}) };
  return { name, type: optional ? { optionalType: { elemType: { tensorType } } } : { tensorType } };
}

const text = new TextEncoder();

function attributeProto(attribute: Attribute): Draft<"AttributeProto"> {
  const type = attributeTypes[attribute.type];
  switch (attribute.type) {
    case "int":
      return { type, i: toInt64(attribute.value) };
    case "float":
      return { type, f: attribute.value };
    case "string":
      return { type, s: text.encode(attribute.value) };
    case "ints":
      return { type, ints: attribute.value.map(toInt64) };
    case "floats":
      return { type, floats: attribute.value };
    case "strings":
      return { type, strings: attribute.value.map((value) => text.encode(value)) };
    case "tensor":
      return { type, t: tensorProto("", attribute.value, inside) };
    case "graph":
      return { type, g: bodyProto(attribute.value) };
  }
}

/** A sub-graph. Its values may be of any kind, sequences too: what the file didn't declare is left to the runtime to infer. */
function bodyProto(graph: Graph): Draft<"GraphProto"> {
  const declared = (info: ValueInfo) => (graph.types.has(info.name) ? valueProto(info) : { name: info.name });
  return {
    ...graphProto(graph, inside),
    input: graph.inputs.map(declared),
    output: graph.outputs.map(declared),
  };
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

function tensorProto(name: string, tensor: Initializer, writer: Writer): Draft<"TensorProto"> {
  const place = placeOf(tensor, writer);
  const head = tensorHead(name, tensor, place);
  if (tensor.strings) return { ...head, stringData: tensor.strings.map((value) => text.encode(value)) };
  return place ? head : { ...head, rawData: tensor.bytes };
}

/** A tensor without its elements; where it is given, the place in another file that they lie in. */
export function tensorHead(
  name: string,
  tensor: Initializer,
  place?: { location: string; offset: number },
): Draft<"TensorProto"> {
  const head = { name, dataType: dtypeToOnnx(tensor.dtype), dims: tensor.shape.map(BigInt) };
  if (!place) return head;
  const entries = Object.entries({ ...place, length: tensor.byteLength });
  return {
    ...head,
    dataLocation: external,
    externalData: entries.map(([key, value]) => ({ key, value: String(value) })),
  };
}
