import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

/**
 * ONNX's messages, as far as a network that is run has them: onnx.proto's names, numbers and types. `[]` is repeated, `?` one of
 * which it matters whether it is there; a message is undefined where it is absent, a number 0, a text empty.
 *
 * A table instead of the schema that protobuf's compiler generates: that one brings descriptors of descriptors along, 16 kB
 * gzipped in a page. `proto.test.ts` compares them.
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
type Scalars = {
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

type Scalar = {
  readonly wire: WireType;
  readonly absent: unknown;
  readonly read: (reader: BinaryReader) => unknown;
  readonly write: (writer: BinaryWriter, value: never) => unknown;
};

const scalars: { readonly [Kind in keyof Scalars]: Scalar } = {
  int64: {
    wire: WireType.Varint,
    absent: 0n,
    read: (reader) => reader.int64(),
    write: (writer, value) => writer.int64(value),
  },
  uint64: {
    wire: WireType.Varint,
    absent: 0n,
    read: (reader) => reader.uint64(),
    write: (writer, value) => writer.uint64(value),
  },
  int32: {
    wire: WireType.Varint,
    absent: 0,
    read: (reader) => reader.int32(),
    write: (writer, value) => writer.int32(value),
  },
  float: {
    wire: WireType.Bit32,
    absent: 0,
    read: (reader) => reader.float(),
    write: (writer, value) => writer.float(value),
  },
  double: {
    wire: WireType.Bit64,
    absent: 0,
    read: (reader) => reader.double(),
    write: (writer, value) => writer.double(value),
  },
  string: {
    wire: WireType.LengthDelimited,
    absent: "",
    read: (reader) => reader.string(),
    write: (writer, value) => writer.string(value),
  },
  bytes: {
    wire: WireType.LengthDelimited,
    absent: new Uint8Array(0),
    read: (reader) => reader.bytes(),
    write: (writer, value) => writer.bytes(value),
  },
};

type Field = {
  readonly name: string;
  readonly number: number;
  readonly isList: boolean;
  /** Of a number, a text or bytes; else `message` is there. */
  readonly scalar: Scalar | undefined;
  readonly message: MessageName | undefined;
};
type Layout = { readonly fields: ReadonlyMap<number, Field>; readonly absent: object };

function layoutOf(message: Readonly<Record<string, readonly [number, string]>>): Layout {
  const absent: Record<string, unknown> = {};
  const fields = new Map<number, Field>();
  for (const [name, [number, kind]] of Object.entries(message)) {
    const each = kind.replace(/\W+$/, "");
    const scalar = scalars[each as keyof Scalars] as Scalar | undefined;
    const isList = kind.endsWith("[]");
    fields.set(number, { name, number, isList, scalar, message: scalar ? undefined : (each as MessageName) });
    absent[name] = isList ? Object.freeze([]) : kind.endsWith("?") ? undefined : scalar?.absent;
  }
  return { fields, absent };
}

const layouts = Object.fromEntries(
  Object.entries(schema).map(([name, message]) => [name, layoutOf(message)]),
) as unknown as Readonly<Record<MessageName, Layout>>;

/** Messages within messages, at most: protobuf's own limit. */
const deepest = 100;

/**
 * A message from its bytes; what it holds as bytes are views on these. As protobuf's own parsers do, fields that aren't known, or
 * come in another form, are passed over, and the last of several counts. Throws an Error where the bytes end too early.
 */
export function decode<Name extends MessageName>(name: Name, bytes: Uint8Array): Message<Name> {
  const reader = new BinaryReader(bytes);
  return readMessage(layouts[name], reader, reader.len, deepest) as Message<Name>;
}

function readMessage(layout: Layout, reader: BinaryReader, end: number, depth: number, into?: object): object {
  if (depth === 0) throw new RangeError(`more than ${deepest} messages within each other`);
  // What a file leaves out is read from the prototype.
  const message = (into ?? Object.create(layout.absent)) as Record<string, unknown>;
  while (reader.pos < end) {
    const [number, wire] = reader.tag();
    const field = layout.fields.get(number);
    if (field === undefined || !readField(field, wire, reader, message, depth)) reader.skip(wire, number, depth);
  }
  if (reader.pos > end) throw new RangeError("a message reaches beyond the one that it is in");
  return message;
}

/** Whether the field has the form that it should have, and was read. */
function readField(
  field: Field,
  wire: WireType,
  reader: BinaryReader,
  message: Record<string, unknown>,
  depth: number,
): boolean {
  const { name, scalar, isList } = field;
  const isPacked = isList && wire === WireType.LengthDelimited && scalar !== undefined && scalar.wire !== wire;
  if (!isPacked && wire !== (scalar?.wire ?? WireType.LengthDelimited)) return false;
  const list = isList ? listIn(message, name) : undefined;
  if (isPacked) {
    const end = endOf(reader);
    while (reader.pos < end) list!.push(scalar.read(reader));
    if (reader.pos > end) throw new RangeError("a number reaches beyond its list");
  } else if (scalar) {
    const value = scalar.read(reader);
    if (list) list.push(value);
    else message[name] = value;
  } else {
    const earlier = list ? undefined : (message[name] as object | undefined);
    const end = endOf(reader);
    const value = readMessage(layouts[field.message!], reader, end, depth - 1, earlier);
    if (list) list.push(value);
    else message[name] = value;
  }
  return true;
}

function listIn(message: Record<string, unknown>, name: string): unknown[] {
  if (!Object.hasOwn(message, name)) message[name] = [];
  return message[name] as unknown[];
}

/** Where what begins here with its length ends. */
function endOf(reader: BinaryReader): number {
  const length = reader.uint32();
  const end = reader.pos + length;
  if (end > reader.len) throw new RangeError("the bytes end within a field");
  return end;
}

/** A message as bytes, its fields in the order of their numbers. */
export function encode<Name extends MessageName>(name: Name, message: Draft<Name>): Uint8Array<ArrayBuffer> {
  const writer = new BinaryWriter();
  writeMessage(layouts[name], message, writer);
  return writer.finish();
}

function writeMessage(layout: Layout, message: object, writer: BinaryWriter): void {
  for (const field of layout.fields.values()) {
    if (!Object.hasOwn(message, field.name)) continue;
    const value = (message as Readonly<Record<string, unknown>>)[field.name];
    if (field.isList) for (const each of (value ?? []) as readonly unknown[]) writeField(field, each, writer);
    else if (value !== undefined) writeField(field, value, writer);
  }
}

function writeField({ number, scalar, message }: Field, value: unknown, writer: BinaryWriter): void {
  writer.tag(number, scalar?.wire ?? WireType.LengthDelimited);
  if (scalar) {
    scalar.write(writer, value as never);
    return;
  }
  writer.fork();
  writeMessage(layouts[message!], value as object, writer);
  writer.join();
}
