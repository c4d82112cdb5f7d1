import { expect, test } from "vitest";
import { Builder, type Value } from "../graph/builder.ts";
import { withSession } from "../runtime/session.ts";
import { float32, int64, sizeOf } from "../tensor.ts";
import { feed, oneNode } from "../testing/one-node.ts";
import { gradient } from "./gradient.ts";
import type { Sample } from "./rule.ts";

const infinity = Number.POSITIVE_INFINITY;
const row = (...values: number[]) => float32([1, values.length], values);
const plane = (...values: number[]) => float32([1, 1, 2, values.length / 2], values);
const axis = int64([1], [1]);
const window = { kernel_shape: [2, 2] };

/**
 * H · 1 for Σ v (y + ½ y²) at v = 1, H being the Hessian in all inputs; and whether that and the derivative in v, which the
 * layers above get, are finite.
 */
async function secondAt(opType: string, sample: Sample): Promise<{ product: number[]; finite: boolean }> {
  const op = new Builder(oneNode(opType, sample));
  const { graph } = op;
  const inputs = graph.inputs.map(({ name }) => name);
  const wrt = sample.wrt?.map((i) => `x${i}`) ?? inputs;
  const v = feed(op, "v", { dtype: "float32", shape: op.dims("y0") });
  const gradients = gradient(op, new Map([["y0", op.mul(v, op.add("y0", 1))]]), wrt);
  const ones = gradients.map((dx): [Value, Value] => [dx, op.fillLike(dx, 1)]);
  const products = gradient(op, new Map(ones), [...wrt, v]);
  graph.outputs = products.map((name) => ({ name, dtype: "float32" }));
  const fed = Object.fromEntries(inputs.map((name) => [name, sample.inputs[Number(name.slice(1))]!]));
  const size = op.dims("y0") as number[];
  const results = await withSession(graph, {}, (run) =>
    run.run({ ...fed, v: float32(size, Array(sizeOf(size)).fill(1)) }),
  );
  const values = products.map((name) => Array.from(results[name]!.data as Float32Array));
  return { product: values.slice(0, -1).flat(), finite: values.flat().every(Number.isFinite) };
}

test.each<[string, Sample, number[]]>([
  ["ReduceL2", { inputs: [row(0, 0), axis] }, [0, 0]],
  ["LpNormalization", { inputs: [row(0, 0)] }, [0, 0]],
  ["LpNormalization", { inputs: [row(0, 0)], attributes: { p: 1 } }, [0, 0]],
  ["GlobalLpPool", { inputs: [plane(0, 0, 0, 0)] }, [0, 0, 0, 0]],
  ["GlobalLpPool", { inputs: [plane(0, 0, 0, 0)], attributes: { p: 3 } }, [0, 0, 0, 0]],
  ["LpPool", { inputs: [plane(0, 0, 0, 0)], attributes: window }, [0, 0, 0, 0]],
  // y = x^p at 0: with p = 3 all of it is 0.
  ["Pow", { inputs: [row(0), row(3)] }, [0, 0]],
  ["Pow", { inputs: [row(0), row(0)] }, [0, 0]],
  // Equal values share: H = ¼ for each pair, whose rows sum to ½; the pool's first one has it all.
  ["Max", { inputs: [row(2), row(2)] }, [0.5, 0.5]],
  ["ReduceMax", { inputs: [row(2, 2, 1), axis] }, [0.5, 0.5, 0]],
  ["MaxPool", { inputs: [plane(3, 3, 3, 3)], attributes: window }, [1, 0, 0, 0]],
  ["Relu", { inputs: [row(0, 1)] }, [0, 1]],
  ["Clip", { inputs: [row(-1, 0, 1), float32([], [-1]), float32([], [1])], constants: [1, 2] }, [1, 1, 1]],
  // What is masked is left out: as the softmax of the others, which is symmetric in two equal ones.
  ["Softmax", { inputs: [row(-infinity, 1, 1)] }, [0, 0, 0]],
  ["ReduceLogSumExp", { inputs: [row(-infinity, 0, 0), axis] }, [0, 0.5, 0.5]],
  // Two zeros: each is the other's factor. y = 0, so H of y alone: 3 in their places.
  ["ReduceProd", { inputs: [row(0, 0, 3), axis] }, [3, 3, 0]],
])("%s, case %#: the second derivative at a kink or a mask", async (opType, sample, expected) => {
  const { product, finite } = await secondAt(opType, sample);
  expect(product.map((value) => Number(value.toFixed(5)) + 0)).toEqual(expected);
  expect(finite).toBe(true);
});
