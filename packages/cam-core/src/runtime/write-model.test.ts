import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { type Graph, initializerOf } from "../graph/graph.ts";
import { modelPieces, sizeOf } from "../model/pieces.ts";
import { writeModel } from "../model/write.ts";
import { float32, type Tensor } from "../tensor.ts";
import { formula, tinyModel } from "../testing/tiny-models.ts";
import { sha256Hex } from "./files.ts";
import { loadModel } from "./load-model.ts";
import { openBytes } from "./session.ts";
import { writeModelFile } from "./write-model.ts";

const folder = mkdtempSync(join(tmpdir(), "camkit-write-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string) => join(folder, name);

/** Two products with weights of 16 kB, and offsets too small to be pieces of their own. */
const graph: Graph = tinyModel({ x: ["n", 64] }, (op, { x }) => {
  const first = op.matMul(x!, op.constant(formula([64, 64], (n) => Math.sin(n))));
  const second = op.matMul(op.relu(first), op.constant(formula([64, 63], (n) => Math.cos(n))));
  return { y: op.add(second, op.constant(formula([63], (n) => n))) };
}).graph;
const x = formula([2, 64], (n) => Math.cos(3 * n));

async function run(path: string): Promise<Tensor> {
  const session = await openBytes(path);
  try {
    return (await session.run({ x })).y!;
  } finally {
    await session.close();
  }
}

describe("a model is written in pieces", () => {
  test("that are the file that is written at once, but for the order of its fields", async () => {
    const written = await writeModelFile(at("whole.onnx"), graph);
    expect(written).toEqual({
      files: [at("whole.onnx")],
      bytes: statSync(at("whole.onnx")).size,
      sha256: sha256Hex(readFileSync(at("whole.onnx"))),
    });
    writeFileSync(at("once.onnx"), writeModel(graph).model);
    expect(await run(at("whole.onnx"))).toEqual(await run(at("once.onnx")));
    expect(written.bytes).toBeGreaterThan(2 * 64 * 63 * 4);
  });

  test("copied from the file they lie in, with or without a second file, and moved as a folder", async () => {
    await writeModelFile(at("a.onnx"), graph);
    const { graph: read } = await loadModel(at("a.onnx"));
    const { files } = await writeModelFile(at("sub/b.onnx"), read, { externalData: true });
    expect(files).toEqual([at("sub/b.onnx"), at("sub/b.onnx.data")]);
    expect(statSync(files[0]!).size).toBeLessThan(3000);
    const again = await loadModel(at("sub/b.onnx"));
    await writeModelFile(at("c.onnx"), again.graph);
    expect(readFileSync(at("c.onnx"))).toEqual(readFileSync(at("a.onnx")));
    expect(await run(at("sub/b.onnx"))).toEqual(await run(at("a.onnx")));
    expect(readdirSync(at("sub")).sort()).toEqual(["b.onnx", "b.onnx.data"]);
  });

  test("states the format's version that its opset came with, or the model's own where that is later", () => {
    const version = (opset: number, irVersion?: number) => {
      const producer = irVersion === undefined ? {} : { producer: { name: "", version: "", irVersion } };
      const [around] = modelPieces({ ...graph, opsets: new Map([["", opset]]), ...producer }).model;
      return (around as Uint8Array)[1]; // field 1, a varint below 128
    };
    expect([18, 19, 20, 21, 22, 23, 24, 25, 26].map((opset) => version(opset))).toEqual([
      8, 9, 9, 10, 10, 11, 12, 13, 13,
    ]);
    expect([version(18, 4), version(18, 10)]).toEqual([8, 10]);
  });

  test("lengths beyond 2 GiB are counted, and go to a second file", () => {
    const byteLength = 3 * 2 ** 30;
    const huge = {
      dtype: "float32" as const,
      shape: [byteLength / 4],
      byteLength,
      file: { folder, name: "w", offset: 7 },
    };
    const initializers = new Map([
      ["w", { ...huge, bytes: new Uint8Array(0) }],
      ["v", { ...initializerOf(float32([512], new Float32Array(512))) }],
    ]);
    const { model, data } = modelPieces({ ...graph, nodes: [], initializers }, { externalAs: "m.data" });
    expect(sizeOf(model)).toBeLessThan(1000);
    expect(sizeOf(data)).toBe(byteLength + 2048);
    expect(data[0]).toMatchObject({ file: huge.file, byteLength });
    expect(Buffer.concat(model as Uint8Array[]).includes(String(byteLength))).toBe(true); // v's offset
  });
});

describe("a model that can't be written, or isn't right,", () => {
  test("leaves what was there, and nothing else", async () => {
    await writeModelFile(at("d/d.onnx"), graph);
    const before = readFileSync(at("d/d.onnx"));
    const seen: string[] = [];
    const check = async (path: string) => {
      seen.push(path);
      expect(await run(path)).toEqual(await run(at("d/d.onnx")));
      throw new RangeError("not good enough");
    };
    await expect(writeModelFile(at("d/d.onnx"), graph, { check, externalData: true })).rejects.toThrow(
      "not good enough",
    );
    expect(seen).toHaveLength(1);
    expect(existsSync(seen[0]!)).toBe(false);
    expect(readdirSync(at("d"))).toEqual(["d.onnx"]);
    expect(readFileSync(at("d/d.onnx"))).toEqual(before);
  });
  test("over the file that its weights lie in is refused", async () => {
    await writeModelFile(at("e.onnx"), graph, { externalData: true });
    const { graph: read } = await loadModel(at("e.onnx"));
    await expect(writeModelFile(at("e.onnx"), read, { externalData: true })).rejects.toThrow(
      /e\.onnx\.data: holds the weights of the model/,
    );
    expect(await run(at("e.onnx"))).toBeDefined();
  });
  test("says what the system said", async () => {
    writeFileSync(at("file"), "");
    await expect(writeModelFile(at("file/f.onnx"), graph)).rejects.toThrow(
      expect.objectContaining({ code: "file", message: expect.stringMatching(/expected a directory/) }),
    );
    const lost = new Map(
      [...graph.initializers].map(([name, tensor]) => [name, { ...tensor, file: { folder, name: "gone", offset: 0 } }]),
    );
    await expect(writeModelFile(at("g.onnx"), { ...graph, initializers: lost })).rejects.toThrow(/no such file/);
    writeFileSync(at("short"), "abc");
    const short = new Map(
      [...lost].map(([name, tensor]) => [name, { ...tensor, file: { folder, name: "short", offset: 0 } }]),
    );
    await expect(writeModelFile(at("g.onnx"), { ...graph, initializers: short })).rejects.toThrow(/become shorter/);
    expect(existsSync(at("g.onnx"))).toBe(false);
  });
});
