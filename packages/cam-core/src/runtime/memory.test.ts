import { expect, test } from "vitest";
import { MemoryError } from "../errors.ts";
import { Builder } from "../graph/builder.ts";
import { zeros } from "../tensor.ts";
import { tinyModel } from "../testing/tiny-models.ts";
import { openSession, withSession } from "./session.ts";

function expanded(shape: readonly (number | string)[], rows: number) {
  const { graph } = tinyModel({ x: shape }, (op, { x }) => ({ y: op.exp(op.expand(x!, op.ints([rows, 1]))) }));
  graph.types = new Builder(graph).facts.types;
  return graph;
}

test("a graph that can't fit is refused before the runtime sees it", async () => {
  const caught = await openSession(expanded([1, 8], 2 ** 40)).catch((error) => error);
  expect(caught).toBeInstanceOf(MemoryError);
  expect(caught.message).toMatch(/at least 35184 GB at a time/);
  expect(caught.neededBytes).toBeGreaterThanOrEqual(2 ** 45);
  expect(caught.blame).toBe("environment");
});

test("sizes that only a run knows are looked at when it begins, and a limit may be stated", async () => {
  await withSession(expanded([1, "w"], 1000), { memory: 1e6 }, async (session) => {
    // 1000 rows of 100 float32 are 400 kB, of 300 1.2 MB.
    expect((await session.run({ x: zeros("float32", [1, 100]) })).y!.shape).toEqual([1000, 100]);
    await expect(session.run({ x: zeros("float32", [1, 300]) })).rejects.toThrow(/0\.00120 GB at a time; 0\.00100 GB/);
    expect((await session.run({ x: zeros("float32", [1, 100]) })).y!.shape).toEqual([1000, 100]);
  });
});
