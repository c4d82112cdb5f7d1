import { create, fromBinary, ScalarType, toBinary } from "@bufbuild/protobuf";
import * as official from "onnx-buf";
import { describe, expect, test } from "vitest";
import { bases } from "../testing/fuzz/bases.ts";
import { type MessageName, schema } from "./proto.ts";
import { decode, encode } from "./wire.ts";

/** The schema that protobuf's compiler makes of onnx.proto. */
const messages = [
  ...official.file_onnx.messages,
  ...official.file_onnx.messages.flatMap((message) => message.nestedMessages),
];

const kinds: Readonly<Partial<Record<ScalarType, string>>> = {
  [ScalarType.INT64]: "int64",
  [ScalarType.UINT64]: "uint64",
  [ScalarType.INT32]: "int32",
  [ScalarType.FLOAT]: "float",
  [ScalarType.DOUBLE]: "double",
  [ScalarType.STRING]: "string",
  [ScalarType.BYTES]: "bytes",
};

test.each(Object.entries(schema))("%s: names, numbers and types are onnx.proto's", (name, fields) => {
  const message = messages.find((each) => each.name === name)!;
  for (const [own, [number, kind]] of Object.entries(fields as Record<string, readonly [number, string]>)) {
    const field = message.fields.find((each) => each.number === number)!;
    expect(field.localName).toBe(own);
    expect(kind.endsWith("[]")).toBe(field.fieldKind === "list");
    const each = field.fieldKind === "list" ? { ...field, fieldKind: field.listKind } : field;
    const type = "scalar" in each && each.fieldKind === "scalar" ? kinds[each.scalar as ScalarType] : undefined;
    const inner = "message" in each && each.fieldKind === "message" ? each.message?.name : undefined;
    expect(kind.replace(/\W+$/, "")).toBe(type ?? inner ?? "int32"); // an enumeration is an int32 on the wire
  }
});

describe("models", () => {
  test.each(Object.entries(bases))("%s: read and written again, it is the same message", (_, base) => {
    const bytes = toBinary(official.ModelProtoSchema, base.model());
    const again = encode("ModelProto", decode("ModelProto", bytes));
    const read = (file: Uint8Array) => fromBinary(official.ModelProtoSchema, file);
    expect(read(again)).toEqual(read(bytes));
  });
});

describe("forms on the wire", () => {
  const tensor = create(official.TensorProtoSchema, {
    dims: [3n],
    dataType: 1,
    floatData: [1, -2.5, 3],
    int64Data: [-1n, 2n ** 62n],
    name: "ü",
  });
  const bytes = toBinary(official.TensorProtoSchema, tensor);
  const bytesOf = (...numbers: number[]) => Uint8Array.from(numbers);

  test("packed lists, and lists of one entry after the other", () => {
    expect(decode("TensorProto", bytes)).toMatchObject({
      dims: [3n],
      floatData: [1, -2.5, 3],
      int64Data: [-1n, 2n ** 62n],
      name: "ü",
    });
    // dims, field 1: 3, then 5 and 7 in one packed piece.
    expect(decode("TensorProto", bytesOf(8, 3, 10, 2, 5, 7)).dims).toEqual([3n, 5n, 7n]);
  });

  test("what is left out reads as protobuf has it", () => {
    const empty = decode("AttributeProto", new Uint8Array(0));
    expect([empty.name, empty.i, empty.f, empty.ints, empty.t, empty.s.byteLength]).toEqual([
      "",
      0n,
      0,
      [],
      undefined,
      0,
    ]);
    expect(decode("Dimension", new Uint8Array(0)).dimValue).toBeUndefined();
    expect(decode("Dimension", bytesOf(8, 0)).dimValue).toBe(0n);
  });

  test("unknown fields and fields of another form are passed over, the last of several counts, messages come together", () => {
    // name "a"; field 99 varint; name as a varint; name "b".
    expect(decode("NodeProto", bytesOf(26, 1, 97, 0x98, 6, 1, 24, 5, 26, 1, 98)).name).toBe("b");
    // ValueInfoProto.type in two pieces: an element type, then a shape of no axes.
    expect(decode("ValueInfoProto", bytesOf(18, 4, 10, 2, 8, 1, 18, 4, 10, 2, 18, 0)).type?.tensorType).toMatchObject({
      elemType: 1,
      shape: { dim: [] },
    });
  });

  test.each<[string, MessageName, Uint8Array]>([
    ["bytes that end within a text", "NodeProto", bytesOf(26, 9, 97)],
    ["a message longer than the one around it", "ValueInfoProto", bytesOf(18, 3, 10, 4, 8, 1, 18, 0)],
    ["a packed number that reaches beyond its list", "TensorProto", bytesOf(10, 1, 0x85, 1)],
    ["a list that reaches beyond the file", "TensorProto", bytesOf(10, 100, 1)],
    ["a tag that ends the file", "TensorProto", bytesOf(8)],
  ])("refused: %s", (_, name, damaged) => {
    expect(() => decode(name, damaged)).toThrow();
  });

  test("refused: messages a hundred deep", () => {
    let nested: Uint8Array = new Uint8Array(0);
    for (let i = 0; i < 60; i++) nested = encode("AttributeProto", { g: { node: [{}] }, s: nested });
    expect(() => decode("AttributeProto", nested)).not.toThrow(); // bytes are bytes
    let deep = new Uint8Array(0);
    const around = (tag: number, inside: Uint8Array) => {
      const length = inside.byteLength;
      return Uint8Array.from([tag, (length & 127) | 128, length >> 7, ...inside]);
    };
    // TypeProto.optional_type, its elem_type, and so on.
    for (let i = 0; i < 60; i++) deep = around(74, around(10, deep));
    expect(() => decode("TypeProto", deep)).toThrow(/within each other/);
  });
});
