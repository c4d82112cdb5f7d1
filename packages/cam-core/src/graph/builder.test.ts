import { expect, test } from "vitest";
import { float32, int64 } from "../tensor.ts";
import { tinyModel } from "../testing/tiny-models.ts";
import { Builder, type Value } from "./builder.ts";

test("the builder leaves out what does nothing, and refuses what makes no sense", () => {
  const { graph } = tinyModel({ x: [2, 3] }, (op, { x: input }) => ({ y: op.relu(input!) }));
  const op = new Builder(graph);
  const before = graph.nodes.length;
  const unchanged: Value[] = [
    op.add("x", 0),
    op.add(0, "x"),
    op.sub("x", 0),
    op.mul("x", 1),
    op.mul(1, "x"),
    op.div("x", 1),
    op.squeeze("x", []),
  ];
  expect(unchanged).toEqual(unchanged.map(() => "x"));
  expect(graph.nodes.length).toBe(before);
  expect(() => op.add(1, 2)).toThrow(/two plain numbers/);
  expect(() => op.scalar(0.5, "int64")).toThrow(/0.5 is no int64/);
  expect(() => op.ints([1, Number.NaN])).toThrow(/sizes that don't fit together: \[1, NaN\]/);
  expect(() => op.node("Conv", ["x", "x"], { pads: [0.5] })).toThrow(/Conv would get pads = \[0.5\]/);
  expect(() => op.node("Flatten", ["x"], { axis: Number.NaN })).toThrow(/Flatten would get axis = \[NaN\]/);
  expect(op.dims(op.tile("x", op.constant(int64([2], [2, 2]))))).toEqual([4, 6]);
  expect(op.dims(op.tile("x", [2, 1]))).toEqual([4, 3]);
  expect(op.dims(op.expand("x", op.constant(int64([3], [4, 1, 1]))))).toEqual([4, 2, 3]);
  expect(op.integers(op.count("x", []))).toEqual([1]);
  expect(op.integers(op.count("x", [0, 1]))).toEqual([6]);
  expect(op.dtype(op.scalar(1, "float16"))).toBe("float16");
  expect(op.constant(float32([1], [3]))).toBe(op.constant(float32([1], [3])));
});
