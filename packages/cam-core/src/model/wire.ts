import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { type Draft, type Message, type MessageName, type Scalars, schema } from "./proto.ts";

/** Messages of `proto.ts`'s table from and to protobuf's wire format. */

type Scalar = {
  readonly wire: WireType;
  /** What an absent one reads as. */
  readonly absent: unknown;
  readonly read: (reader: BinaryReader) => unknown;
  readonly write: (writer: BinaryWriter, value: never) => unknown;
};

const { Varint, Bit32, Bit64, LengthDelimited } = WireType;

const scalars: { readonly [Kind in keyof Scalars]: Scalar } = {
  int64: { wire: Varint, absent: 0n, read: (from) => from.int64(), write: (to, value) => to.int64(value) },
  uint64: { wire: Varint, absent: 0n, read: (from) => from.uint64(), write: (to, value) => to.uint64(value) },
  int32: { wire: Varint, absent: 0, read: (from) => from.int32(), write: (to, value) => to.int32(value) },
  float: { wire: Bit32, absent: 0, read: (from) => from.float(), write: (to, value) => to.float(value) },
  double: { wire: Bit64, absent: 0, read: (from) => from.double(), write: (to, value) => to.double(value) },
  string: { wire: LengthDelimited, absent: "", read: (from) => from.string(), write: (to, value) => to.string(value) },
  bytes: {
    wire: LengthDelimited,
    absent: new Uint8Array(0),
    read: (from) => from.bytes(),
    write: (to, value) => to.bytes(value),
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
  const isPacked = isList && wire === LengthDelimited && scalar !== undefined && scalar.wire !== wire;
  if (!isPacked && wire !== (scalar?.wire ?? LengthDelimited)) return false;
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
  writer.tag(number, scalar?.wire ?? LengthDelimited);
  if (scalar) {
    scalar.write(writer, value as never);
    return;
  }
  writer.fork();
  writeMessage(layouts[message!], value as object, writer);
  writer.join();
}
