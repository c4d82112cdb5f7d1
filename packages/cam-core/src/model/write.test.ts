import { expect, test } from "vitest";
import { type Graph, initializerOf, type Node } from "../graph/graph.ts";
import { withSession } from "../runtime/session.ts";
import { bool, float32 } from "../tensor.ts";
import { formula } from "../testing/tiny-models.ts";
import { writeModel } from "./write.ts";

const node = (opType: string, inputs: string[], outputs: string[], attributes: Node["attributes"] = {}): Node => ({
  opType,
  domain: "",
  name: `${opType} ${outputs[0]}`,
  inputs,
  outputs,
  attributes,
});

const empty: Graph = {
  name: "g",
  opsets: new Map([["", 18]]),
  inputs: [],
  outputs: [{ name: "y", dtype: "float32" }],
  nodes: [],
  initializers: new Map(),
  types: new Map(),
  metadata: new Map(),
};

// 400 floats are 1600 bytes: more than stays inside a model by default.
const ramp = initializerOf(formula([400], (n) => n));

/** if c then x + ramp (a Constant node) else x · ramp (an initializer of the branch). */
const branches: Graph = {
  ...empty,
  inputs: [
    { name: "c", dtype: "bool", shape: [] },
    { name: "x", dtype: "float32", shape: [400] },
  ],
  nodes: [
    node("If", ["c"], ["y"], {
      then_branch: {
        type: "graph",
        value: {
          ...empty,
          outputs: [{ name: "t", dtype: "float32" }],
          nodes: [
            node("Constant", [], ["k"], { value: { type: "tensor", value: ramp } }),
            node("Add", ["x", "k"], ["t"]),
          ],
        },
      },
      else_branch: {
        type: "graph",
        value: {
          ...empty,
          outputs: [{ name: "e", dtype: "float32" }],
          nodes: [node("Mul", ["x", "w"], ["e"])],
          initializers: new Map([["w", ramp]]),
        },
      },
    }),
  ],
};

test("large constants of a sub-graph run, as Constant nodes and as initializers", async () => {
  const x = formula([400], (n) => 2 + n);
  await withSession(branches, {}, async (session) => {
    const sum = (await session.run({ c: bool([], [true]), x })).y!;
    expect(sum.data).toEqual(Float32Array.from({ length: 400 }, (_, n) => 2 + 2 * n));
    const product = (await session.run({ c: bool([], [false]), x })).y!;
    expect(product.data).toEqual(Float32Array.from({ length: 400 }, (_, n) => (2 + n) * n));
  });
});

test("weights in several buffers each keep their own, those of one buffer share it", () => {
  const one = new ArrayBuffer(8192);
  const shared = (offset: number) => ({
    dtype: "float32" as const,
    shape: [512],
    byteLength: 2048,
    bytes: new Uint8Array(one, offset, 2048),
  });
  const initializers = new Map([
    ["a", shared(0)],
    ["b", shared(4096)],
    ["c", ramp],
    ["small", initializerOf(float32([1], [1]))],
  ]);
  const { externalData, folder } = writeModel({ ...empty, initializers }, { externalFrom: 1024 });
  expect(externalData.map(({ data }) => data.buffer)).toEqual([one, ramp.bytes.buffer]);
  expect(folder).toBeUndefined();
});

test("beside weights of a file, those in memory or in another folder go inside: the runtime knows one of the two", () => {
  const placed = (folder: string) => ({ ...ramp, file: { folder, name: "w.bin", offset: 0 } });
  const initializers = new Map([
    ["memory", ramp],
    ["here", placed("/here")],
    ["elsewhere", placed("/elsewhere")],
  ]);
  const written = writeModel({ ...empty, initializers }, { externalFrom: 1024 });
  expect(written.folder).toBe("/here");
  expect(written.externalData).toEqual([]);
  expect(written.model.byteLength).toBeGreaterThan(3200);
  expect(written.model.byteLength).toBeLessThan(4000);
});
