import { NotOnnxError, UnsupportedModelError } from "../errors.ts";
import { opaque } from "../graph/expression.ts";
import type { Attribute, Dim, Graph, Initializer, Node, ValueInfo, ValueType } from "../graph/graph.ts";
import { byteLengthOf, bytesOf, type DType, sizeOf, type TypedArray } from "../tensor.ts";
import { dtypeFromOnnx, onnxTypeName } from "./dtypes.ts";
import { functionKey, inlineFunctions } from "./functions.ts";
import {
  type AttributeProto,
  attributeTypes,
  external,
  type GraphProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from "./proto.ts";
import { type ByteSource, sourceOf } from "./source.ts";
import { splitModel } from "./sparse.ts";
import { decode } from "./wire.ts";

export type ReadOptions = {
  /** What errors call the model: a path, a URL. Default "the model". */
  name?: string;
  /** The external data file that the model names by a location relative to itself. */
  externalData?: (location: string) => ByteSource;
};

/**
 * Parses an .onnx model. Its weights stay where they are: views on bytes in memory, or parts of the file that are read only
 * when somebody asks for them. Keep bytes and files unchanged.
 *
 * Throws NotOnnxError for what is no ONNX model, truncated or damaged; UnsupportedModelError for element types that aren't
 * handled. What `externalData` throws passes through.
 */
export function readModel(source: ByteSource, options: ReadOptions = {}): Graph {
  const name = options.name ?? "the model";
  if (source.size === 0) throw new NotOnnxError(name, "the file is empty");
  const parts = parse(source, name);
  const { model, graph } = parts;
  if (graph === undefined || model.opsetImport.length === 0)
    throw new NotOnnxError(name, "it has no graph or names no operator set", { hint: describeBytes(source) });
  const reader: Reader = { name, externalData: options.externalData };
  const opsets = new Map(model.opsetImport.map((entry) => [canonicalDomain(entry.domain), Number(entry.version)]));
  const functions = new Map(model.functions.map((fn) => [functionKey(fn, fn.name), fn]));
  // What a function needs must fit what the model needs: a version that the model doesn't name is the function's own.
  for (const entry of model.functions.flatMap((fn) => fn.opsetImport))
    if (!opsets.has(canonicalDomain(entry.domain))) opsets.set(canonicalDomain(entry.domain), Number(entry.version));
  const read = readGraph(inlineFunctions(graph, functions, name), reader, opsets);
  for (const { tensor, offset, length } of parts.tensors)
    read.initializers.set(tensor.name, placed(tensor, reader, { source, offset, length }));
  // Before IR version 4 every initializer was listed among the inputs as well; those are weights, not inputs.
  read.inputs = read.inputs.filter((input) => !read.initializers.has(input.name));
  return {
    ...read,
    producer: { name: model.producerName, version: model.producerVersion, irVersion: Number(model.irVersion) },
    metadata: new Map(model.metadataProps.map((entry) => [entry.key, entry.value])),
  };
}

type Reader = { name: string; externalData: ReadOptions["externalData"] };

function parse(source: ByteSource, name: string) {
  try {
    const { model, graph, tensors } = splitModel(source);
    return {
      model: decode("ModelProto", model),
      graph: graph && decode("GraphProto", graph),
      tensors: tensors.map(({ proto, offset, length }) => ({ tensor: decode("TensorProto", proto), offset, length })),
    };
  } catch (cause) {
    throw new NotOnnxError(name, "the protobuf can't be parsed; the file is damaged, truncated or something else", {
      hint: describeBytes(source),
      cause,
    });
  }
}

const signatures: readonly (readonly [string, string])[] = [
  ["PK\x03\x04", "It is a zip archive: a PyTorch checkpoint (.pt, .pth) or a Keras file. Export it to ONNX first."],
  ["\x80\x02", "It is a Python pickle: a PyTorch checkpoint. Export it with torch.onnx.export first."],
  ["\x89HDF", "It is an HDF5 file (Keras .h5). Convert it with tf2onnx first."],
  ["version https://git-lfs", "It is a Git LFS pointer, not the file itself: run `git lfs pull`."],
  ["<!DOCTYPE", "It is a web page: the download went wrong."],
  ["<html", "It is a web page: the download went wrong."],
];

/** What the first bytes say about a file that isn't ONNX. */
function describeBytes(source: ByteSource): string {
  const head = String.fromCharCode(...source.read(0, Math.min(32, source.size)));
  const known = signatures.find(([start]) => head.startsWith(start));
  if (known) return known[1];
  if (head.slice(4, 8) === "TFL3") return "It is a TensorFlow Lite model. Convert it with tf2onnx first.";
  return "Check that the download or copy is complete, and that the file is an .onnx model.";
}

/** `ai.onnx` and the empty name are the same domain. */
function canonicalDomain(domain: string): string {
  return domain === "ai.onnx" ? "" : domain;
}

function readGraph(proto: GraphProto, reader: Reader, opsets: ReadonlyMap<string, number>): Graph {
  const initializers = new Map(proto.initializer.map((tensor) => [tensor.name, readTensor(tensor, reader)]));
  if (proto.sparseInitializer.length > 0)
    throw new UnsupportedModelError(`${reader.name}: sparse initializers are not handled`, {
      hint: "Export the model with dense weights.",
    });
  const types = new Map<string, ValueType>();
  for (const info of [...proto.input, ...proto.output, ...proto.valueInfo]) {
    const type = readType(info, reader);
    if (type) types.set(info.name, type);
  }
  return {
    name: proto.name,
    opsets,
    inputs: proto.input.filter((info) => !initializers.has(info.name)).map((info) => named(info, types)),
    outputs: proto.output.map((info) => named(info, types)),
    nodes: proto.node.map((node, index) => readNode(node, index, reader, opsets)),
    initializers,
    types,
    metadata: new Map(),
  };
}

/** A value of another kind than tensor or optional tensor (a sequence) keeps its name; its type stays unknown. */
function named(info: ValueInfoProto, types: ReadonlyMap<string, ValueType>): ValueInfo {
  const optional = info.type?.optionalType !== undefined;
  const type = types.get(info.name) ?? { dtype: "float32" as DType };
  return { name: info.name, ...type, ...(optional ? { optional } : {}) };
}

function readType(info: ValueInfoProto, reader: Reader): ValueType | undefined {
  const declared = info.type?.optionalType?.elemType ?? info.type;
  const tensor = declared?.tensorType;
  if (tensor === undefined || tensor.elemType === 0) return undefined;
  const dtype = dtypeOf(tensor.elemType, `value "${info.name}"`, reader);
  const shape = tensor.shape?.dim.map(({ dimValue, dimParam }): Dim => {
    if (dimValue !== undefined) return dimValue < 0n ? null : Number(dimValue);
    return dimParam === undefined ? null : symbolOf(dimParam);
  });
  return shape ? { dtype, shape } : { dtype };
}

/** No exporter's name for a size is longer. */
const longestSymbol = 256;

/** A size's name. One that reads like an expression of ours is only a name all the same. */
function symbolOf(name: string): Dim {
  return name === "" || name.length > longestSymbol ? null : opaque(name);
}

function dtypeOf(number: number, where: string, reader: Reader): DType {
  const dtype = dtypeFromOnnx(number);
  if (dtype === undefined)
    throw new UnsupportedModelError(
      `${reader.name}: ${where} has element type ${onnxTypeName(number)}, which is not handled`,
    );
  return dtype;
}

function readNode(proto: NodeProto, index: number, reader: Reader, opsets: ReadonlyMap<string, number>): Node {
  // Not an object that is filled name by name: a name in a file may be one that JavaScript objects have already.
  const attributes: Readonly<Record<string, Attribute>> = Object.fromEntries(
    proto.attribute.flatMap((attribute) => {
      const read = readAttribute(attribute, reader, opsets);
      return read ? [[attribute.name, read]] : [];
    }),
  );
  return {
    opType: proto.opType,
    domain: canonicalDomain(proto.domain),
    name: proto.name || `${proto.opType}_${index}`,
    // An absent input at the end may be there as an empty name. ONNX Runtime's fusions read beyond their arrays for one.
    inputs: proto.input.slice(0, proto.input.findLastIndex((name) => name !== "") + 1),
    outputs: proto.output,
    attributes,
  };
}

const text = new TextDecoder();

function readAttribute(
  proto: AttributeProto,
  reader: Reader,
  opsets: ReadonlyMap<string, number>,
): Attribute | undefined {
  switch (proto.type) {
    case attributeTypes.int:
      return { type: "int", value: Number(proto.i) };
    case attributeTypes.float:
      return { type: "float", value: proto.f };
    case attributeTypes.string:
      return { type: "string", value: text.decode(proto.s) };
    case attributeTypes.ints:
      return { type: "ints", value: proto.ints.map(Number) };
    case attributeTypes.floats:
      return { type: "floats", value: proto.floats };
    case attributeTypes.strings:
      return { type: "strings", value: proto.strings.map((bytes) => text.decode(bytes)) };
    case attributeTypes.tensor:
      return proto.t && { type: "tensor", value: readTensor(proto.t, reader) };
    case attributeTypes.graph:
      return proto.g && { type: "graph", value: readGraph(proto.g, reader, opsets) };
    default:
      throw new UnsupportedModelError(
        `${reader.name}: attribute "${proto.name}" has a type that is not handled (${proto.type})`,
      );
  }
}

function readTensor(proto: TensorProto, reader: Reader): Initializer {
  const where = `tensor "${proto.name}"`;
  const dtype = dtypeOf(proto.dataType, where, reader);
  const shape = proto.dims.map(Number);
  if (dtype === "string")
    return {
      dtype,
      shape,
      byteLength: 0,
      bytes: new Uint8Array(0),
      strings: proto.stringData.map((bytes) => text.decode(bytes)),
    };
  if (proto.dataLocation === external) return placed(proto, reader, externalPart(proto, reader));
  const bytes = proto.rawData.byteLength > 0 ? proto.rawData : bytesOf(typedField(proto, dtype));
  return placed(proto, reader, { source: sourceOf(bytes), offset: 0, length: bytes.byteLength });
}

/** A tensor that stands alone, with its contents inside. `name` is what errors call it. */
export function tensorOf(proto: TensorProto, name: string): Initializer {
  return readTensor(proto, { name, externalData: undefined });
}

/** A tensor whose contents are part of a source: a view on it, or what is read from the file when it is first wanted. */
function placed(proto: TensorProto, reader: Reader, { source, offset, length }: Part): Initializer {
  const dtype = dtypeOf(proto.dataType, `tensor "${proto.name}"`, reader);
  const shape = proto.dims.map(Number);
  const expected = byteLengthOf(dtype as Exclude<DType, "string">, sizeOf(shape));
  if (length !== expected || shape.some((dim) => dim < 0))
    throw new NotOnnxError(
      reader.name,
      `tensor "${proto.name}" of shape [${shape.join(", ")}] needs ${expected} bytes and has ${length}`,
      { hint: "Check that the download or copy is complete." },
    );
  let bytes: Uint8Array | undefined;
  return {
    dtype,
    shape,
    byteLength: length,
    get bytes() {
      bytes ??= source.read(offset, length);
      return bytes;
    },
    ...(source.file && { file: { ...source.file, offset } }),
  };
}

type Part = { source: ByteSource; offset: number; length: number };

/** Elements stored in one of the typed fields instead of raw bytes. */
function typedField(proto: TensorProto, dtype: DType): TypedArray {
  switch (dtype) {
    case "float32":
      return Float32Array.from(proto.floatData);
    case "float64":
      return Float64Array.from(proto.doubleData);
    case "int64":
      return BigInt64Array.from(proto.int64Data);
    case "uint64":
      return BigUint64Array.from(proto.uint64Data);
    case "uint32":
      return Uint32Array.from(proto.uint64Data, Number);
    case "int32":
      return Int32Array.from(proto.int32Data);
    case "int16":
      return Int16Array.from(proto.int32Data);
    case "int8":
      return Int8Array.from(proto.int32Data);
    case "uint16":
    case "float16":
    case "bfloat16":
      return Uint16Array.from(proto.int32Data);
    default:
      return Uint8Array.from(proto.int32Data);
  }
}

/** Digits as a number; NaN for any other text. */
function wholeNumber(text: string): number {
  return /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
}

function externalPart(proto: TensorProto, reader: Reader): Part {
  const entries = new Map(proto.externalData.map((entry) => [entry.key, entry.value]));
  const location = entries.get("location");
  if (location === undefined) throw new NotOnnxError(reader.name, `external tensor "${proto.name}" names no location`);
  if (reader.externalData === undefined)
    throw new NotOnnxError(
      reader.name,
      `tensor "${proto.name}" lies in the external file "${location}", which was not given`,
      {
        hint: "Keep the external data file beside the model, under the name that the model uses.",
      },
    );
  const source = reader.externalData(location);
  const offset = wholeNumber(entries.get("offset") ?? "0");
  const length = wholeNumber(entries.get("length") ?? String(Math.max(0, source.size - offset)));
  if (Number.isNaN(offset) || Number.isNaN(length))
    throw new NotOnnxError(reader.name, `tensor "${proto.name}" has an unusable offset or length in "${location}"`);
  if (offset + length > source.size)
    throw new NotOnnxError(
      reader.name,
      `tensor "${proto.name}" needs bytes ${offset} to ${offset + length} of "${location}", which has ${source.size}`,
      { hint: "Check that the download or copy of the external data file is complete." },
    );
  return { source, offset, length };
}
