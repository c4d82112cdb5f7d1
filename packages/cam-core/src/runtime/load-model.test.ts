import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import {
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  TensorProto_DataLocation,
  TensorProto_DataType,
  TensorProtoSchema,
  TypeProtoSchema,
  ValueInfoProtoSchema,
} from "onnx-buf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Builder } from "../graph/builder.ts";
import { copyGraph } from "../graph/graph.ts";
import { writeModel } from "../model/write.ts";
import { bytesOf, float32, type Tensor } from "../tensor.ts";
import { rng } from "../testing/rng.ts";
import { tinyModel } from "../testing/tiny-models.ts";
import { sha256Hex } from "./files.ts";
import { loadModel } from "./load-model.ts";
import { openBytes, withSession } from "./session.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "camkit-load-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const random = rng(7);
const weights = { large: random.normal([20, 30]), small: random.normal([30]) }; // 2400 and 120 bytes
const x = random.normal([2, 20]);

/** y = x·large + small, element by element. */
const wanted = Array.from({ length: 60 }, (_, at) => {
  const [i, j] = [Math.floor(at / 30), at % 30];
  let sum = Number(weights.small.data[j]);
  for (let k = 0; k < 20; k++) sum += Number(x.data[i * 20 + k]) * Number(weights.large.data[k * 30 + j]);
  return sum;
});

function close(got: Tensor, expected: readonly number[] = wanted) {
  expect(got.data.length).toBe(expected.length);
  for (const [i, value] of expected.entries()) expect(Number(got.data[i])).toBeCloseTo(value, 4);
}

function inside(path: string): string {
  const { graph } = tinyModel({ x: ["n", 20] }, (op, inputs) => ({
    y: op.add(op.matMul(inputs.x!, op.constant(weights.large)), op.constant(weights.small)),
  }));
  writeFileSync(path, writeModel(graph).model);
  return path;
}

/** The same network with its weights in external files: location and offset of each. */
function outside(path: string, places: Readonly<Record<"large" | "small", { location: string; offset: number }>>) {
  const value = (name: string, shape: readonly number[]) =>
    create(ValueInfoProtoSchema, {
      name,
      type: create(TypeProtoSchema, {
        value: {
          case: "tensorType",
          value: {
            elemType: TensorProto_DataType.FLOAT,
            shape: { dim: shape.map((size) => ({ value: { case: "dimValue", value: BigInt(size) } })) },
          },
        },
      } as never),
    });
  const initializer = (["large", "small"] as const).map((name) =>
    create(TensorProtoSchema, {
      name,
      dataType: TensorProto_DataType.FLOAT,
      dims: weights[name].shape.map(BigInt),
      dataLocation: TensorProto_DataLocation.EXTERNAL,
      externalData: Object.entries({ ...places[name], length: weights[name].data.length * 4 }).map(([key, entry]) => ({
        $typeName: "onnx.StringStringEntryProto" as const,
        key,
        value: String(entry),
      })),
    }),
  );
  const node = (opType: string, input: string[], output: string) =>
    create(NodeProtoSchema, { opType, name: opType, input, output: [output] });
  const graph = create(GraphProtoSchema, {
    name: "outside",
    input: [value("x", [2, 20])],
    output: [value("y", [2, 30])],
    node: [node("MatMul", ["x", "large"], "xw"), node("Add", ["xw", "small"], "y")],
    initializer,
  });
  const model = create(ModelProtoSchema, { irVersion: 8n, opsetImport: [{ domain: "", version: 18n }], graph });
  writeFileSync(path, toBinary(ModelProtoSchema, model));
  return path;
}

const bytes = (name: "large" | "small") => bytesOf(weights[name].data as Float32Array);

async function run(path: string): Promise<Tensor> {
  const model = await loadModel(path);
  return (await withSession(model.graph, {}, (session) => session.run({ x }))).y!;
}

describe("weights of a file", () => {
  test("stay in it and give the numbers that the untouched file gives", async () => {
    const path = inside(join(folder, "inside.onnx"));
    const session = await openBytes(path);
    const untouched = (await session.run({ x })).y!;
    await session.close();
    close(untouched);
    const got = await run(path);
    expect(got.data).toEqual(untouched.data);
    const model = await loadModel(path);
    expect([...model.graph.initializers.values()].map((tensor) => tensor.file?.name)).toContain("inside.onnx");
    const written = writeModel(model.graph, { externalFrom: 1024 });
    expect(written.externalData).toEqual([]);
    expect(written.folder).toBe(folder);
    expect(written.model.byteLength).toBeLessThan(1024);
  });

  test("mix with large constants that a rewrite adds, which lie in memory", async () => {
    const model = await loadModel(inside(join(folder, "mixed.onnx")));
    const graph = copyGraph(model.graph);
    const op = new Builder(graph);
    const [first, second] = [random.normal([30, 40]), random.normal([2, 40])]; // 4800 and 320 bytes
    const third = random.normal([20, 16, 2]); // 2560 bytes
    const moved = op.add(op.matMul("y", op.constant(first)), op.constant(second));
    const last = op.matMul(op.reshape("x", [2, 20]), op.reshape(op.constant(third), [20, 32]));
    for (const [name, value] of [["moved", moved] as const, ["last", last] as const]) {
      op.append({ opType: "Identity", domain: "", name, inputs: [value], outputs: [name], attributes: {} });
      graph.outputs.push({ name, dtype: "float32" });
    }
    const written = writeModel(graph, { externalFrom: 1024 });
    expect(written.externalData).toEqual([]);
    const out = await withSession(graph, {}, (session) => session.run({ x }));
    close(out.y!);
    close(
      out.moved!,
      Array.from({ length: 80 }, (_, at) => {
        const [i, j] = [Math.floor(at / 40), at % 40];
        let sum = Number(second.data[at]);
        for (let k = 0; k < 30; k++) sum += wanted[i * 30 + k]! * Number(first.data[k * 40 + j]);
        return sum;
      }),
    );
    close(
      out.last!,
      Array.from({ length: 64 }, (_, at) => {
        const [i, j] = [Math.floor(at / 32), at % 32];
        let sum = 0;
        for (let k = 0; k < 20; k++) sum += Number(x.data[i * 20 + k]) * Number(third.data[k * 32 + j]);
        return sum;
      }),
    );
  });

  test("the hash is that of the file", async () => {
    const path = inside(join(folder, "hashed.onnx"));
    const { readFileSync } = await import("node:fs");
    expect((await loadModel(path)).sha256()).toBe(sha256Hex(readFileSync(path)));
  });
});

describe("external data", () => {
  test("one file beside the model, weights above and below 1 KiB at their offsets", async () => {
    writeFileSync(join(folder, "one.bin"), Buffer.concat([new Uint8Array(64), bytes("small"), bytes("large")]));
    const path = outside(join(folder, "one.onnx"), {
      small: { location: "one.bin", offset: 64 },
      large: { location: "one.bin", offset: 184 },
    });
    close(await run(path));
  });

  test("a file per weight, in a folder below", async () => {
    mkdirSync(join(folder, "below"));
    writeFileSync(join(folder, "below/large.bin"), bytes("large"));
    writeFileSync(join(folder, "small.bin"), bytes("small"));
    const path = outside(join(folder, "two.onnx"), {
      small: { location: "small.bin", offset: 0 },
      large: { location: "below/large.bin", offset: 0 },
    });
    close(await run(path));
    const model = await loadModel(path);
    const { statSync } = await import("node:fs");
    expect(model.bytes).toBe(statSync(path).size + 2400 + 120);
  });

  const places = (location: string) => ({ small: { location, offset: 0 }, large: { location, offset: 120 } });

  test("missing: the file's path, and what to do", async () => {
    const path = outside(join(folder, "missing.onnx"), places("missing.bin"));
    await expect(loadModel(path)).rejects.toMatchObject({
      code: "file",
      path: join(folder, "missing.bin"),
      hint: expect.stringMatching(/beside the model/),
    });
  });

  test("truncated: the weight and the bytes it needs", async () => {
    writeFileSync(join(folder, "short.bin"), Buffer.concat([bytes("small"), bytes("large")]));
    truncateSync(join(folder, "short.bin"), 2000);
    const path = outside(join(folder, "short.onnx"), places("short.bin"));
    await expect(loadModel(path)).rejects.toMatchObject({
      code: "not-onnx",
      message: expect.stringMatching(/"large" needs bytes 120 to 2520 of "short.bin", which has 2000/),
    });
  });

  test("a link may lead to the model's own folder, or to where the model's own link leads, and nowhere else", async () => {
    // As Hugging Face keeps them: names that are links to contents in another folder.
    const [blobs, snapshot] = [join(folder, "blobs"), join(folder, "snapshot")];
    for (const made of [blobs, snapshot]) mkdirSync(made);
    const data = Uint8Array.from([
      ...bytesOf(weights.large.data as Float32Array),
      ...bytesOf(weights.small.data as Float32Array),
    ]);
    writeFileSync(join(blobs, "1"), data);
    outside(join(blobs, "2"), { large: { location: "w.bin", offset: 0 }, small: { location: "w.bin", offset: 2400 } });
    symlinkSync(join(blobs, "1"), join(snapshot, "w.bin"));
    symlinkSync(join(blobs, "2"), join(snapshot, "model.onnx"));
    expect((await loadModel(join(snapshot, "model.onnx"))).graph.initializers.size).toBe(2);

    rmSync(join(snapshot, "model.onnx"));
    copyFileSync(join(blobs, "2"), join(snapshot, "model.onnx"));
    await expect(loadModel(join(snapshot, "model.onnx"))).rejects.toThrow(
      /"w.bin" is a link out of the model's folder/,
    );
  });

  test.each(["../outside.bin", "/etc/passwd", "below/../../outside.bin", ".."])(
    "%s lies outside the model's folder and is refused",
    async (location) => {
      writeFileSync(join(folder, "outside.onnx"), "");
      const path = outside(join(folder, "outside.onnx"), places(location));
      await expect(loadModel(path)).rejects.toMatchObject({
        code: "not-onnx",
        message: expect.stringMatching(/outside the model's folder/),
      });
    },
  );
});

describe("files that aren't models", () => {
  test("none there, a directory, an empty one, text", async () => {
    await expect(loadModel(join(folder, "nosuch.onnx"))).rejects.toMatchObject({ code: "file" });
    await expect(loadModel(folder)).rejects.toMatchObject({
      code: "file",
      message: expect.stringMatching(/directory/),
    });
    writeFileSync(join(folder, "empty.onnx"), "");
    await expect(loadModel(join(folder, "empty.onnx"))).rejects.toMatchObject({ code: "not-onnx" });
    writeFileSync(join(folder, "text.onnx"), "<html>404</html>");
    await expect(loadModel(join(folder, "text.onnx"))).rejects.toMatchObject({
      code: "not-onnx",
      hint: expect.stringMatching(/web page/),
    });
  });

  test("a manifest that isn't JSON, or one that was asked for and isn't there", async () => {
    const path = inside(join(folder, "carded.onnx"));
    await expect(loadModel(path, { manifest: join(folder, "nosuch.json") })).rejects.toMatchObject({ code: "file" });
    writeFileSync(join(folder, "carded.camkit.json"), "{");
    await expect(loadModel(path)).rejects.toMatchObject({ code: "manifest" });
  });
});

test("one value is fed, float32 as declared", async () => {
  const path = inside(join(folder, "fed.onnx"));
  const { graph } = await loadModel(path);
  await expect(
    withSession(graph, {}, (session) => session.run({ x: float32([2, 19], new Float32Array(38)) })),
  ).rejects.toMatchObject({ code: "runtime" });
});
