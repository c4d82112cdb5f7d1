import { expect, test } from "vitest";
import { withSession } from "../../runtime/session.ts";
import { float32 } from "../../tensor.ts";
import { tinyModel } from "../../testing/tiny-models.ts";
import { emptyGraph } from "../graph.ts";
import { inDouble } from "./in-double.ts";

test("a branch takes from around it what it took before: float32, under its own name", async () => {
  const branch = (opType: string) => ({
    ...emptyGraph(opType, new Map()),
    outputs: [{ name: opType, dtype: "float32" as const }],
    nodes: [{ opType, domain: "", name: opType, inputs: ["twice"], outputs: [opType], attributes: {} }],
  });
  const { graph } = tinyModel({ x: [2] }, (op, { x }) => {
    op.alias(op.mul(x!, 2), "twice");
    const positive = op.greater(op.reduceSum(x!, { axes: [0], keepdims: false }), 0);
    const [chosen] = op.append({
      opType: "If",
      domain: "",
      name: "if",
      inputs: [positive],
      outputs: ["chosen"],
      attributes: {
        then_branch: { type: "graph", value: branch("Neg") },
        else_branch: { type: "graph", value: branch("Abs") },
      },
    });
    return { y: op.add(chosen!, 1) };
  });
  await withSession(inDouble(graph), {}, async (session) => {
    expect(Array.from((await session.run({ x: float32([2], [1, 2]) })).y!.data as Float32Array)).toEqual([-1, -3]);
    expect(Array.from((await session.run({ x: float32([2], [1, -2]) })).y!.data as Float32Array)).toEqual([3, 5]);
  });
});

test("an input that is absent by being empty stays so", async () => {
  const { graph } = tinyModel({ x: [1, 1, 2, 2] }, (op, { x }) => {
    const nothing = op.constant(float32([0], []));
    return { y: op.node("Resize", [x, nothing, op.constant(float32([4], [1, 1, 2, 2]))], { mode: "nearest" })[0]! };
  });
  await withSession(inDouble(graph), {}, async (session) => {
    const { y } = await session.run({ x: float32([1, 1, 2, 2], [1, 2, 3, 4]) });
    expect(Array.from(y!.data as Float32Array)).toEqual([1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4]);
  });
});
