import { readFileSync } from "node:fs";
import { create, toBinary } from "@bufbuild/protobuf";
import {
  AttributeProto_AttributeType as A,
  AttributeProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  TensorProto_DataType as T,
  type TensorProto,
  TensorProto_DataLocation,
  TensorProtoSchema,
  ValueInfoProtoSchema,
} from "onnx-buf";
import { describe, expect, test } from "vitest";
import { CamError, NotOnnxError } from "../errors.ts";
import { type Attribute, type Graph, type Initializer, initializerOf } from "../graph/graph.ts";
import { withSession } from "../runtime/session.ts";
import { bytesOf, type DType, float32, type TypedArray, viewBytes } from "../tensor.ts";
import { rng } from "../testing/rng.ts";
import { tinyModel } from "../testing/tiny-models.ts";
import { openModel } from "./model.ts";
import { readModel } from "./read.ts";
import { sourceOf } from "./source.ts";
import { writeModel } from "./write.ts";

type Parts = { tensors?: readonly Parameters<typeof tensorOf>[0][]; attributes?: Graph["nodes"][number]["attributes"] };

function tensorOf(init: Partial<Omit<TensorProto, "$typeName" | "$unknown">>): TensorProto {
  return create(TensorProtoSchema, init as never);
}

/** An ONNX file made with the protobuf library alone. */
function file({ tensors = [] }: Parts): Uint8Array {
  return toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion: 8n,
      opsetImport: [{ domain: "", version: 18n }],
      graph: create(GraphProtoSchema, { name: "g", initializer: tensors.map(tensorOf) }),
    }),
  );
}

function elements(tensor: Initializer): (number | bigint | string)[] {
  return tensor.strings ? [...tensor.strings] : [...(viewBytes(tensor.dtype as "float32", tensor.bytes) as never)];
}

function error(use: () => unknown): CamError {
  try {
    use();
  } catch (caught) {
    if (caught instanceof CamError) return caught;
    throw caught;
  }
  throw new Error("nothing was thrown");
}

/** Element type, the typed field that holds it, what is stored there, and the elements that it means. */
const dtypes: readonly (readonly [
  DType,
  T,
  Partial<TensorProto>,
  TypedArray | undefined,
  readonly (number | bigint | string)[],
])[] = [
  ["float32", T.FLOAT, { floatData: [1.5, -2] }, Float32Array.of(1.5, -2), [1.5, -2]],
  ["float64", T.DOUBLE, { doubleData: [0.1, -2] }, Float64Array.of(0.1, -2), [0.1, -2]],
  ["int64", T.INT64, { int64Data: [-(2n ** 60n), 7n] }, BigInt64Array.of(-(2n ** 60n), 7n), [-(2n ** 60n), 7n]],
  ["uint64", T.UINT64, { uint64Data: [2n ** 63n, 7n] }, BigUint64Array.of(2n ** 63n, 7n), [2n ** 63n, 7n]],
  ["int32", T.INT32, { int32Data: [-7, 2 ** 30] }, Int32Array.of(-7, 2 ** 30), [-7, 2 ** 30]],
  ["uint32", T.UINT32, { uint64Data: [2n ** 32n - 1n, 7n] }, Uint32Array.of(2 ** 32 - 1, 7), [2 ** 32 - 1, 7]],
  ["int16", T.INT16, { int32Data: [-300, 300] }, Int16Array.of(-300, 300), [-300, 300]],
  ["uint16", T.UINT16, { int32Data: [65535, 1] }, Uint16Array.of(65535, 1), [65535, 1]],
  ["int8", T.INT8, { int32Data: [-128, 127] }, Int8Array.of(-128, 127), [-128, 127]],
  ["uint8", T.UINT8, { int32Data: [255, 1] }, Uint8Array.of(255, 1), [255, 1]],
  ["bool", T.BOOL, { int32Data: [1, 0] }, Uint8Array.of(1, 0), [1, 0]],
  // 1.0 and −2.0 as half and as bfloat16 bit patterns.
  ["float16", T.FLOAT16, { int32Data: [0x3c00, 0xc000] }, Uint16Array.of(0x3c00, 0xc000), [0x3c00, 0xc000]],
  ["bfloat16", T.BFLOAT16, { int32Data: [0x3f80, 0xc000] }, Uint16Array.of(0x3f80, 0xc000), [0x3f80, 0xc000]],
  ["string", T.STRING, { stringData: ["ä", ""].map((s) => new TextEncoder().encode(s)) }, undefined, ["ä", ""]],
];

describe("elements", () => {
  test.each(dtypes)("%s: typed field and raw bytes mean the same", (dtype, dataType, field, raw, wanted) => {
    const tensors = [{ name: "typed", dataType, dims: [2n], ...field }];
    if (raw) tensors.push({ name: "raw", dataType, dims: [2n], rawData: bytesOf(raw) } as never);
    const { initializers } = readModel(sourceOf(file({ tensors })));
    for (const [name, tensor] of initializers) {
      expect(tensor, name).toMatchObject({ dtype, shape: [2] });
      expect(elements(tensor), name).toEqual(wanted);
    }
    expect(initializers.size).toBe(tensors.length);
  });

  test.each(dtypes)("%s: written and read again", (_, dataType, field, __, wanted) => {
    const graph = readModel(sourceOf(file({ tensors: [{ name: "w", dataType, dims: [2n, 1n], ...field }] })));
    const again = readModel(sourceOf(writeModel(graph).model));
    expect(again.initializers.get("w")!.shape).toEqual([2, 1]);
    expect(elements(again.initializers.get("w")!)).toEqual(wanted);
  });

  test("above 1 KiB a typed field is read as well, and raw bytes are a view on the file's", () => {
    const data = Float32Array.from({ length: 500 }, (_, i) => i);
    const bytes = file({
      tensors: [
        { name: "typed", dataType: T.FLOAT, dims: [500n], floatData: [...data] },
        { name: "raw", dataType: T.FLOAT, dims: [20n, 25n], rawData: bytesOf(data) as Uint8Array<ArrayBuffer> },
      ],
    });
    const { initializers } = readModel(sourceOf(bytes));
    expect(elements(initializers.get("typed")!)).toEqual([...data]);
    expect(elements(initializers.get("raw")!)).toEqual([...data]);
    expect(initializers.get("raw")!.bytes.buffer).toBe(bytes.buffer);
  });

  test("scalars and empty tensors", () => {
    const { initializers } = readModel(
      sourceOf(
        file({
          tensors: [
            { name: "scalar", dataType: T.FLOAT, dims: [], floatData: [3] },
            { name: "empty", dataType: T.INT64, dims: [0n] },
          ],
        }),
      ),
    );
    expect(elements(initializers.get("scalar")!)).toEqual([3]);
    expect(initializers.get("scalar")!.shape).toEqual([]);
    expect(elements(initializers.get("empty")!)).toEqual([]);
  });

  test("too few or too many elements are named, element types that aren't handled too", () => {
    const short = { name: "w", dataType: T.FLOAT, dims: [3n], floatData: [1, 2] };
    expect(error(() => readModel(sourceOf(file({ tensors: [short] })), { name: "net.onnx" })).message).toBe(
      'net.onnx is not a readable ONNX model: tensor "w" of shape [3] needs 12 bytes and has 8',
    );
    const negative = { name: "w", dataType: T.FLOAT, dims: [-1n, -2n], floatData: [1, 2] };
    expect(error(() => readModel(sourceOf(file({ tensors: [negative] })))).message).toContain("shape [-1, -2]");
    const complex = { name: "w", dataType: T.COMPLEX64, dims: [1n], floatData: [1, 2] };
    const refused = error(() => readModel(sourceOf(file({ tensors: [complex] })), { name: "net.onnx" }));
    expect(refused.code).toBe("unsupported-model");
    expect(refused.message).toContain("COMPLEX64");
  });
});

describe("round trip", () => {
  const body: Graph = {
    name: "body",
    opsets: new Map([["", 18]]),
    inputs: [],
    outputs: [{ name: "y", dtype: "float32" }],
    nodes: [{ opType: "Neg", domain: "", name: "n", inputs: ["x"], outputs: ["y"], attributes: {} }],
    initializers: new Map(),
    types: new Map(),
    metadata: new Map(),
  };

  const attributes: Readonly<Record<string, Attribute>> = {
    int: { type: "int", value: -3 },
    largest: { type: "int", value: Number.MAX_SAFE_INTEGER },
    float: { type: "float", value: 0.5 },
    string: { type: "string", value: "half_pixel, ä" },
    ints: { type: "ints", value: [0, -1, 7] },
    floats: { type: "floats", value: [0.25, -4] },
    strings: { type: "strings", value: ["a", "", "ü"] },
    empty: { type: "ints", value: [] },
    tensor: { type: "tensor", value: initializerOf(float32([2], [3, 4])) },
    graph: { type: "graph", value: body },
  };

  test.each(Object.entries(attributes))("attribute: %s", (name, attribute) => {
    const graph: Graph = {
      ...body,
      inputs: [{ name: "x", dtype: "float32", shape: ["n", null, 3] }],
      nodes: [{ ...body.nodes[0]!, attributes: { [name]: attribute } }],
      metadata: new Map([["author", "Ada"]]),
    };
    const again = readModel(sourceOf(writeModel(graph).model));
    const read = again.nodes[0]!.attributes[name]!;
    expect(read.type).toBe(attribute.type);
    if (read.type === "tensor") expect(elements(read.value)).toEqual([3, 4]);
    else if (read.type === "graph") {
      expect(read.value.nodes).toEqual(body.nodes);
      expect(read.value.outputs.map((output) => output.name)).toEqual(["y"]);
    } else expect(read.value).toEqual(attribute.value);
    expect(again.inputs).toEqual(graph.inputs);
    expect(again.metadata).toEqual(graph.metadata);
    expect(again.opsets).toEqual(graph.opsets);
  });

  test("an attribute of a type that isn't handled is refused by name", () => {
    const node = create(NodeProtoSchema, {
      opType: "Odd",
      output: ["y"],
      attribute: [create(AttributeProtoSchema, { name: "kind", type: A.TYPE_PROTO })],
    });
    const bytes = toBinary(
      ModelProtoSchema,
      create(ModelProtoSchema, {
        opsetImport: [{ domain: "", version: 18n }],
        graph: create(GraphProtoSchema, { node: [node] }),
      }),
    );
    const refused = error(() => readModel(sourceOf(bytes)));
    expect(refused.code).toBe("unsupported-model");
    expect(refused.message).toContain('"kind"');
  });

  test("a weight listed among the inputs, as before IR version 4, is no input", () => {
    const big = { name: "big", dataType: T.FLOAT, dims: [300n], rawData: new Uint8Array(1200) };
    const small = { name: "small", dataType: T.FLOAT, dims: [1n], floatData: [1] };
    const bytes = toBinary(
      ModelProtoSchema,
      create(ModelProtoSchema, {
        irVersion: 3n,
        opsetImport: [{ domain: "ai.onnx", version: 9n }],
        graph: create(GraphProtoSchema, {
          input: ["x", "big", "small"].map((name) => create(ValueInfoProtoSchema, { name })),
          initializer: [big, small].map((tensor) => tensorOf(tensor as never)),
        }),
      }),
    );
    const graph = readModel(sourceOf(bytes));
    expect(graph.inputs.map((input) => input.name)).toEqual(["x"]);
    expect([...graph.initializers.keys()].sort()).toEqual(["big", "small"]);
    expect(graph.opsets.get("")).toBe(9);
  });

  test("weights of a model in memory stay views through openModel and writeModel, and give the same numbers", async () => {
    const random = rng(1);
    const [w, b] = [random.normal([20, 30]), random.normal([30])]; // 2400 and 120 bytes
    const x = random.normal([2, 20]);
    const { graph } = tinyModel({ x: ["n", 20] }, (op, inputs) => ({
      y: op.add(op.matMul(inputs.x!, op.constant(w)), op.constant(b)),
    }));
    const bytes = writeModel(graph).model;
    const model = openModel(bytes);
    const large = [...model.graph.initializers.values()].find((tensor) => tensor.byteLength === 2400)!;
    expect(large.bytes.buffer).toBe(bytes.buffer);
    const written = writeModel(model.graph, { externalFrom: 1024 });
    expect(written.externalData.map(({ data }) => data.buffer)).toEqual([bytes.buffer]);
    expect(written.model.byteLength).toBeLessThan(1024);
    const y = (await withSession(model.graph, {}, (session) => session.run({ x }))).y!;
    const wanted = Array.from({ length: 60 }, (_, at) => {
      const [i, j] = [Math.floor(at / 30), at % 30];
      const row = Array.from({ length: 20 }, (_, k) => Number(x.data[i * 20 + k]) * Number(w.data[k * 30 + j]));
      return row.reduce((sum, term) => sum + term, Number(b.data[j]));
    });
    for (const [at, value] of wanted.entries()) expect(Number(y.data[at])).toBeCloseTo(value, 4);
  });
});

describe("external data", () => {
  const external = (entries: Readonly<Record<string, string>>) => ({
    name: "w",
    dataType: T.FLOAT,
    dims: [2n],
    dataLocation: TensorProto_DataLocation.EXTERNAL,
    externalData: Object.entries(entries).map(([key, value]) => ({
      $typeName: "onnx.StringStringEntryProto" as const,
      key,
      value,
    })),
  });
  const data = bytesOf(Float32Array.of(9, 9, 5, 6));

  test("lies at its offset, to the end where no length is given", () => {
    for (const entries of [{ offset: "8" }, { offset: "8", length: "8" }]) {
      const bytes = file({ tensors: [external({ location: "w.bin", ...entries })] });
      const graph = readModel(sourceOf(bytes), { externalData: () => sourceOf(data) });
      expect(elements(graph.initializers.get("w")!)).toEqual([5, 6]);
    }
  });

  test.each([
    ["was not given", { location: "w.bin" }, undefined],
    ["names no location", { offset: "0" }, data],
    ["has 16", { location: "w.bin", offset: "12", length: "8" }, data],
    ["needs 8 bytes and has 16", { location: "w.bin" }, data],
    ["offset", { location: "w.bin", offset: "-8", length: "8" }, data],
    ["offset", { location: "w.bin", offset: "x" }, data],
  ])("%s %j: an error that names the tensor", (says, entries, given) => {
    const bytes = file({ tensors: [external(entries as never)] });
    const caught = error(() =>
      readModel(sourceOf(bytes), given ? { externalData: () => sourceOf(given) } : { name: "net.onnx" }),
    );
    expect(caught).toBeInstanceOf(NotOnnxError);
    expect(caught.message).toContain('"w"');
    expect(caught.message).toContain(says);
  });
});

const ascii = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));

describe("what is no ONNX model", () => {
  test.each([
    ["a zip", ascii(`PK\x03\x04${"\0".repeat(60)}`), /zip archive/],
    ["a pickle", ascii("\x80\x02}q\x00(X\x05\x00\x00\x00state"), /pickle/],
    ["an HDF5 file", ascii("\x89HDF\r\n\x1a\n\0\0\0\0"), /HDF5/],
    ["a web page", ascii("<!DOCTYPE html><html><body>404</body></html>"), /web page/],
    ["another web page", ascii("<html><head></head></html>"), /web page/],
    ["an LFS pointer", ascii("version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 12\n"), /git lfs pull/],
    ["a TFLite model", ascii("\x1c\0\0\0TFL3\x14\0\x20\0"), /TensorFlow Lite/],
    ["text", ascii("this is a text file about networks"), /copy is complete/],
    ["zeros", new Uint8Array(64), /copy is complete/],
  ])("%s", (_, bytes, hint) => {
    const caught = error(() => openModel(bytes, { name: "net.onnx" }));
    expect(caught).toBeInstanceOf(NotOnnxError);
    expect(caught.message).toContain("net.onnx");
    expect(caught.hint).toMatch(hint);
  });

  test("nothing at all", () => {
    expect(error(() => openModel(new Uint8Array(0))).message).toMatch(/empty/);
  });

  test("random bytes, of any length", () => {
    const random = rng(2);
    for (let i = 0; i < 300; i++) {
      const bytes = Uint8Array.from({ length: 1 + random.int(200) }, () => random.int(256));
      expect(error(() => openModel(bytes))).toBeInstanceOf(NotOnnxError);
    }
  });

  const real = new Uint8Array(readFileSync(new URL("../../../../models/scenes/model.onnx", import.meta.url)));

  test("a model cut off at every 97th byte", () => {
    for (let length = 0; length < real.byteLength; length += 97) {
      const caught = error(() => openModel(real.subarray(0, length)));
      if (!(caught instanceof NotOnnxError)) throw new Error(`cut at ${length}: ${caught.code}: ${caught.message}`);
    }
    expect(openModel(real).graph.nodes.length).toBeGreaterThan(10);
  });

  test("a byte flipped gives a model or an error of ours, never another one", () => {
    // The structure lies between the weights, which take most of the file: small tensors are hit more often that way.
    const { graph } = openModel(real);
    const few = new Map([...graph.initializers].filter(([, tensor]) => tensor.byteLength <= 64));
    const small = writeModel({ ...graph, initializers: few }).model;
    const old = writeModel({ ...graph, opsets: new Map([["", 9]]), initializers: few }).model;
    const random = rng(3);
    for (const [bytes, count] of [[small, 2000] as const, [old, 2000] as const, [real, 200] as const])
      for (let i = 0; i < count; i++) {
        const damaged = bytes.slice();
        const at = random.int(bytes.byteLength);
        damaged[at] = damaged[at]! ^ (1 << random.int(8));
        try {
          openModel(damaged);
        } catch (caught) {
          if (!(caught instanceof CamError)) throw new Error(`byte ${at}, now ${damaged[at]}`, { cause: caught });
        }
      }
  });
});

test("an absent input at the end is left out, whose empty name ONNX Runtime's fusions read beyond their arrays for", async () => {
  const { graph } = tinyModel({ x: [1, 5, 8] }, (op, { x }) => {
    const sum = op.add(x!, op.constant(rng(1).normal([1, 5, 8])));
    const scale = op.constant(float32([8], [1, 2, 3, 4, 5, 6, 7, 8]));
    return { y: op.node("LayerNormalization", [sum, scale])[0]! };
  });
  graph.nodes = graph.nodes.map((node) =>
    node.opType === "LayerNormalization" ? { ...node, inputs: [...node.inputs, ""] } : node,
  );
  const read = readModel(sourceOf(writeModel(graph).model));
  const norm = read.nodes.find((node) => node.opType === "LayerNormalization")!;
  expect(norm.inputs).toHaveLength(2);
  // With the empty name, opening it with every optimisation ends the process (1.30).
  const { y } = await withSession(read, {}, (session) => session.run({ x: rng(2).normal([1, 5, 8]) }));
  const row = Array.from((y!.data as Float32Array).subarray(0, 8), (value, i) => value / (i + 1));
  expect(row.reduce((a, b) => a + b, 0)).toBeCloseTo(0, 4); // normalised: a mean of 0
  expect(row.reduce((a, b) => a + b * b, 0)).toBeCloseTo(8, 2); // and a variance of 1
});
