import { expect, test } from "vitest";
import { RuntimeFailure } from "../errors.ts";
import { Builder } from "../graph/builder.ts";
import { emptyGraph } from "../graph/graph.ts";
import { float32 } from "../tensor.ts";
import type { Session } from "./runtime.ts";
import { openSession } from "./session.ts";

/** twice = 2x and sum = Σ x, for x of any length. */
async function opened(writesInto: boolean): Promise<Session> {
  const graph = emptyGraph("twice", new Map([["", 18]]));
  graph.inputs = [{ name: "x", dtype: "float32", shape: ["n"] }];
  const op = new Builder(graph);
  const values = [op.alias(op.mul("x", 2), "twice"), op.alias(op.reduceSum("x", { axes: "all" }), "sum")];
  graph.outputs = values.map((name) => ({ name, dtype: "float32" }));
  return openSession(graph, { writesInto });
}

const x = float32([3], [1, 2, 3]);

test.each([true, false])("outputs lie in the tensors that were given (writesInto: %s)", async (writesInto) => {
  const session = await opened(writesInto);
  const into = { twice: float32([3], [0, 0, 0]), sum: float32([1], [0]) };
  const found = await session.run({ x }, into);
  expect([...into.twice.data, ...into.sum.data]).toEqual([2, 4, 6, 6]);
  expect([...found.twice!.data, ...found.sum!.data]).toEqual([2, 4, 6, 6]);
  await session.close();
});

test("a session that writes into tensors also gives outputs memory of their own", async () => {
  const session = await opened(true);
  expect(session.outputs).toEqual(["twice", "sum"]);
  expect([...(await session.run({ x }, { twice: null })).twice!.data]).toEqual([2, 4, 6]);
  expect([...(await session.run({ x }, ["sum"])).sum!.data]).toEqual([6]);
  expect(Object.keys(await session.run({ x }))).toEqual(["twice", "sum"]);
  await session.close();
});

test("a session that writes into tensors still says what went wrong", async () => {
  const session = await opened(true);
  await expect(session.run({ x }, { twice: float32([2], [0, 0]) })).rejects.toThrow(RuntimeFailure);
  await expect(session.run({}, { twice: float32([3], [0, 0, 0]) })).rejects.toThrow(/x/);
  await session.close();
});

test("writing into tensors allocates nothing", async () => {
  const session = await opened(true);
  const size = 1 << 20;
  const feeds = { x: float32([size], new Float32Array(size)) };
  const into = { twice: float32([size], new Float32Array(size)) };
  await session.run(feeds, into);
  const before = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < 4; i++) await session.run(feeds, into);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(size);
  await session.close();
});

test.each([
  ["int4", "output", /output "y" holds int4, which onnxruntime-node has no tensor for/],
  ["uint4", "output", /output "y" holds uint4/],
  ["float8e5m2", "output", /holds FLOAT8E5M2, which/],
  ["float8e4m3fn", "input", /holds FLOAT8E4M3FN, which/],
] as const)("%s as an %s is refused by name", async (dtype, at, message) => {
  const graph = emptyGraph("cast", new Map([["", 21]]));
  graph.inputs = [{ name: "x", dtype: at === "input" ? dtype : "float32", shape: [3] }];
  const op = new Builder(graph);
  const y = op.alias(op.cast("x", at === "input" ? "float32" : dtype), "y");
  graph.outputs = [{ name: y, dtype: at === "input" ? "float32" : dtype }];
  const opening = openSession(graph);
  await expect(opening).rejects.toThrow(RuntimeFailure);
  await expect(opening).rejects.toThrow(message);
});
