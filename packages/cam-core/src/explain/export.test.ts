import { describe, expect, test } from "vitest";
import type { Builder, Value } from "../graph/builder.ts";
import { methodNamed } from "../methods/index.ts";
import type { Manifest } from "../model/manifest.ts";
import type { Model } from "../model/model.ts";
import { openModel } from "../model/model.ts";
import { writeModel } from "../model/write.ts";
import { createExplainer } from "../runtime/explain.ts";
import { openSession } from "../runtime/session.ts";
import type { Target } from "../targets/parse.ts";
import { float32, int64, type Tensor } from "../tensor.ts";
import { rng } from "../testing/rng.ts";
import { formula, named, tinyModel } from "../testing/tiny-models.ts";
import { type ExportOptions, exportGraph } from "./export.ts";

type Head = (op: Builder, a: Value) => Value;
const classes = 4;
const weights = formula([5, classes], (n) => Math.sin(1.7 * n + 0.4) + 0.8);
const bias = float32([classes], [3, -20, 0.5, 7]);
const pooledTo: Head = (op, a) => op.node("Flatten", [op.node("GlobalAveragePool", [a])[0]!], { axis: 1 })[0]!;

/** Each written as some exporter writes pooling and a dense layer. A is [n, 5, h, w]. */
const heads: Readonly<Record<string, Head>> = {
  "pool, flatten, gemm": (op, a) => op.node("Gemm", [pooledTo(op, a), op.constant(weights), op.constant(bias)])[0]!,
  "mean, matmul, add, scale": (op, a) => {
    const mean = op.reduceMean(a, { axes: [2, 3], keepdims: false });
    const scale = op.constant(float32([classes], [2, 0.5, 3, 1]));
    return op.mul(op.add(op.matMul(mean, op.constant(weights)), op.constant(bias)), scale);
  },
  "channels last, sum over space": (op, a) => {
    const last = op.mul(op.transpose(a, [0, 2, 3, 1]), op.constant(float32([5], [1, 2, 0.5, -1, 3])));
    return op.matMul(op.reduceSum(last, { axes: [1, 2], keepdims: false }), op.constant(weights));
  },
  "pool, 1x1 convolution, squeeze, minus": (op, a) => {
    const kernel = op.constant(formula([classes, 5, 1, 1], (n) => Math.cos(1.1 * n) - 0.7));
    const y = op.conv(op.node("GlobalAveragePool", [a])[0]!, kernel);
    return op.sub(op.constant(bias), op.squeeze(y, [2, 3]));
  },
  "view by the batch's size": (op, a) => {
    const pooled = op.node("GlobalAveragePool", [a])[0]!;
    const flat = op.node("Reshape", [
      pooled,
      op.concat([op.node("Shape", [a], { start: 0, end: 1 })[0]!, op.ints([-1])], 0),
    ])[0]!;
    return op.matMul(flat, op.constant(weights));
  },
};

function network(head: Head = heads["pool, flatten, gemm"]!, batch: number | string = "n", manifest?: Manifest): Model {
  return tinyModel(
    { x: [batch, 2, 6, 7] },
    (op, { x }) => {
      const w = op.constant(formula([5, 2, 3, 3], (n) => Math.cos(2.1 * n)));
      const a = named(op, op.relu(op.node("Conv", [x!, w], { pads: [1, 1, 1, 1], strides: [2, 2] })[0]!), "A");
      const b = named(op, op.relu(op.conv(a, op.constant(formula([5, 5, 1, 1], (n) => Math.sin(n))))), "B");
      const logits = named(op, head(op, b), "scores");
      return { probabilities: op.softmax(logits, 1) };
    },
    manifest ? { manifest } : {},
  );
}

const x = rng(5).normal([3, 2, 6, 7]);
const options = (more: Partial<ExportOptions> = {}): ExportOptions => ({
  method: methodNamed("grad-cam"),
  layers: ["B"],
  ...more,
});

async function run(graph: ReturnType<typeof exportGraph>["graph"], feeds: Record<string, Tensor>) {
  const session = await openSession(graph);
  try {
    return await session.run(feeds);
  } finally {
    await session.close();
  }
}

async function explained(model: Model, given: ExportOptions, targets: readonly Target[], feed = x) {
  const { layers, method } = given;
  const explainer = await createExplainer(model, { layers, method: method.name });
  try {
    return (await explainer.run({ x: feed }, targets)).explanations;
  } finally {
    await explainer.close();
  }
}

const values = (tensor: Tensor | undefined) => Array.from(tensor!.data as Float32Array);

/** Largest difference as a share of the largest value. */
function close(got: Tensor | undefined, wanted: Tensor | undefined, tolerance = 1e-6) {
  expect(got!.shape).toEqual(wanted!.shape);
  const scale = Math.max(...values(wanted).map(Math.abs));
  expect(scale).toBeGreaterThan(0);
  const off = Math.max(...values(got).map((value, i) => Math.abs(value - values(wanted)[i]!)));
  expect(off / scale).toBeLessThanOrEqual(tolerance);
}

/** Sample i of a batch. */
function row(tensor: Tensor, i: number): Tensor {
  const [n, ...rest] = tensor.shape;
  const size = tensor.data.length / n!;
  return float32([1, ...rest], values(tensor).slice(i * size, (i + 1) * size));
}

describe("the class is chosen in the run", () => {
  const model = network();
  test("one number per sample, one for all, and −1 for the winner", async () => {
    const { graph } = exportGraph(model, options());
    expect(graph.inputs).toEqual([
      { name: "x", dtype: "float32", shape: ["n", 2, 6, 7] },
      { name: "cam_target", dtype: "int64", shape: ["cam_targets"], optional: true },
    ]);
    expect(graph.outputs).toEqual([
      { name: "probabilities", dtype: "float32", shape: ["n", 4] },
      { name: "cam", dtype: "float32", shape: ["n", 3, 4] },
      { name: "cam_map", dtype: "float32", shape: ["n", 6, 7] },
    ]);
    const [winner, ...each] = await explained(model, options(), [
      { kind: "auto" },
      ...[2, 0, 3].map((index) => ({ kind: "class", index }) as const),
    ]);
    const original = await run(model.graph, { x });
    const session = await openSession(graph);
    const ask = (...asked: number[]) => session.run({ x, cam_target: int64([asked.length], asked) });
    const auto = await ask(-1);
    close(auto.cam, winner!.raw[0]);
    close(auto.cam_map, winner!.map);
    expect(auto.probabilities).toEqual(original.probabilities);
    const mixed = await ask(2, 0, 3);
    for (const [i, one] of each.entries()) {
      close(row(mixed.cam!, i), row(one.raw[0]!, i));
      close(row(mixed.cam_map!, i), row(one.map!, i));
      close((await ask([2, 0, 3][i]!)).cam, one.raw[0]);
    }
    await expect(ask(1, 2)).rejects.toThrow(/expand/i);
    await session.close();
  });

  test("a number that is no class makes that sample's maps NaN, and no other's", async () => {
    const { graph } = exportGraph(model, options({ targetInput: "required" }));
    expect(graph.inputs[1]).toEqual({ name: "cam_target", dtype: "int64", shape: ["cam_targets"] });
    for (const wrong of [4, -2, 1_000_000]) {
      const { cam, cam_map } = await run(graph, { x, cam_target: int64([3], [2, wrong, 3]) });
      for (const map of [cam!, cam_map!]) {
        expect(values(row(map, 1)).every(Number.isNaN)).toBe(true);
        expect(values(row(map, 0)).some(Number.isNaN)).toBe(false);
        expect(values(row(map, 2)).some(Number.isNaN)).toBe(false);
      }
    }
  });
});

describe("the class is fixed", () => {
  const model = network();
  const targets: readonly Target[] = [
    { kind: "class", index: 2 },
    { kind: "contrast", index: 0, against: 3 },
    { kind: "element", output: "probabilities", indices: [1] },
    { kind: "mask", mask: float32([4], [1, 0, 0, 2]), name: "m.npy" },
  ];
  test.each(targets.map((target) => [target.kind, target] as const))("%s", async (_, target) => {
    const { graph, target: input } = exportGraph(model, options({ target }));
    expect(input).toBeUndefined();
    expect(graph.inputs.map((info) => info.name)).toEqual(["x"]);
    const [wanted] = await explained(model, options(), [target]);
    const { cam, cam_map } = await run(graph, { x });
    close(cam, wanted!.raw[0]);
    close(cam_map, wanted!.map);
  });
  test("a class that isn't there is refused", () => {
    expect(() => exportGraph(model, options({ target: { kind: "class", index: 4 } }))).toThrow(
      /class 4 does not exist/,
    );
  });
});

describe("maps of all classes at once", () => {
  const methods = ["grad-cam", "hires-cam", "cam"];
  const cases = Object.keys(heads).flatMap((head) =>
    methods.flatMap((method) => [3, "n"].map((n) => [head, method, n] as const)),
  );
  test.each(cases)("%s, %s, batch %s", async (head, method, batch) => {
    const model = network(heads[head], batch);
    const given = options({ method: methodNamed(method), allClasses: true });
    const { graph } = exportGraph(model, given);
    expect(graph.outputs.map(({ name, shape }) => [name, shape])).toEqual([
      ["probabilities", [batch, 4]],
      ["cam", [batch, 4, 3, 4]],
      ["cam_map", [batch, 6, 7]],
    ]);
    const wanted = await explained(
      model,
      given,
      Array.from({ length: classes }, (_, index) => ({ kind: "class", index })),
    );
    const out = await run(graph, { x, cam_target: int64([1], [1]) });
    close(out.cam_map, wanted[1]!.map, 2e-6);
    for (let sample = 0; sample < 3; sample++) {
      const maps = row(out.cam!, sample);
      wanted.forEach((one, index) => {
        const map = float32([3, 4], values(maps).slice(index * 12, (index + 1) * 12));
        const whole = Math.max(...values(one.raw[0]).map(Math.abs));
        expect(whole).toBeGreaterThan(0);
        const off = values(map).map((value, i) => Math.abs(value - values(row(one.raw[0]!, sample))[i]!));
        expect(Math.max(...off) / whole).toBeLessThanOrEqual(2e-6);
      });
    }
  });
  test("of tokens, whose first one isn't in the map", async () => {
    const manifest: Manifest = { formatVersion: 1, name: "t", tokens: { prefix: 1, grid: [3, 4] } };
    const model = tinyModel(
      { x: ["n", 2, 6, 8] },
      (op, { x }) => {
        const patches = op.conv(x!, op.constant(formula([5, 2, 2, 2], (n) => Math.cos(n))), { strides: [2, 2] });
        const rows = op.transpose(op.reshape(patches, [0, 0, -1]), [0, 2, 1]);
        const first = op.expand(
          op.constant(formula([1, 1, 5], (n) => n)),
          op.concat([op.dim(x!, 0), op.ints([1, 5])], 0),
        );
        const tokens = named(op, op.relu(op.concat([first, rows], 1)), "B");
        const mean = op.reduceMean(tokens, { axes: [1], keepdims: false });
        return { y: op.add(op.matMul(mean, op.constant(weights)), op.constant(bias)) };
      },
      { manifest },
    );
    const feed = rng(6).normal([2, 2, 6, 8]);
    const wanted = await explained(model, options(), [{ kind: "class", index: 1 }], feed);
    const { graph } = exportGraph(model, options({ allClasses: true }));
    const { cam, cam_map } = await run(graph, { x: feed, cam_target: int64([1], [1]) });
    close(cam_map, wanted[0]!.map, 2e-6);
    expect(cam!.shape).toEqual([2, 4, 3, 4]);
  });
  test("another head, another method, one score: refused by name", () => {
    const of = (head: Head, method = "grad-cam") =>
      exportGraph(network(head), options({ method: methodNamed(method), allClasses: true }));
    const dense = heads["pool, flatten, gemm"]!;
    expect(() => of(dense, "layer-cam")).toThrow(/made by grad-cam, hires-cam, cam, not layer-cam/);
    expect(() => of((op, a) => dense(op, op.tanh(a)))).toThrow(
      /a map of every class needs .*; Tanh ".*" lies between "B" and/,
    );
    const even = formula([1, 5, 3, 4], (n) => n);
    expect(() => of((op, a) => dense(op, op.mul(a, op.constant(even))))).toThrow(/Mul ".*" weighs positions/);
    const one = float32([5, 1], [1, 2, 3, 4, 5]);
    expect(() => of((op, a) => op.matMul(pooledTo(op, a), op.constant(one)))).toThrow(/the model has one score/);
    expect(() => of((op, a) => op.div(op.constant(bias), dense(op, a)))).toThrow(/Div ".*" lies between/);
    const inverse: Head = (op, a) => op.reduceMean(op.reduceMean(a, { axes: [1] }), { axes: [2, 3] });
    expect(() => of(inverse)).toThrow(/2 poolings and 0 linear layers/);
  });
});

test("one score between two classes: class 0's map is what speaks against class 1", async () => {
  const manifest: Manifest = { formatVersion: 1, name: "pair", classes: ["no", "yes"] };
  const one: Head = (op, a) => op.matMul(pooledTo(op, a), op.constant(float32([5, 1], [1, -2, 0.3, -4, 5])));
  const model = network(one, "n", manifest);
  const wanted = await explained(
    model,
    options(),
    [0, 1].map((index) => ({ kind: "class", index })),
  );
  const all = await run(exportGraph(model, options({ allClasses: true })).graph, { x, cam_target: int64([1], [0]) });
  expect(all.cam!.shape).toEqual([3, 2, 3, 4]);
  close(all.cam_map, wanted[0]!.map, 2e-6);
  const chosen = await run(exportGraph(model, options()).graph, { x, cam_target: int64([3], [1, 1, 2]) });
  close(row(chosen.cam!, 0), row(wanted[1]!.raw[0]!, 0));
  expect(values(row(chosen.cam!, 2)).every(Number.isNaN)).toBe(true);
});

test("several layers have a map each, and one that is shown", async () => {
  const given = options({ layers: ["A", "B"] });
  const model = network();
  const made = exportGraph(model, given);
  expect(made.raw).toEqual(["cam_0", "cam_1"]);
  const [wanted] = await explained(model, given, [{ kind: "auto" }]);
  const out = await run(made.graph, { x, cam_target: int64([1], [-1]) });
  close(out.cam_0, wanted!.raw[0]);
  close(out.cam_1, wanted!.raw[1]);
  close(out.cam_map, wanted!.map);
});

test.each(["grad-cam++", "layer-cam", "xgrad-cam", "cam", "input-gradient", "input-x-gradient"])("%s", async (name) => {
  const given = options({ method: methodNamed(name) });
  const [wanted] = await explained(network(), given, [{ kind: "class", index: 3 }]);
  const out = await run(exportGraph(network(), given).graph, { x, cam_target: int64([1], [3]) });
  close(out.cam, wanted!.raw[0]);
  close(out.cam_map, wanted!.map);
});

test("an exported model is explained like the one it came from, and can be exported again", async () => {
  const model = network();
  const metadata = new Map([["camkit.method", "grad-cam"]]);
  const { graph } = exportGraph(
    { ...model, graph: { ...model.graph, metadata: new Map([["author", "me"]]) } },
    options({ metadata }),
  );
  const read = openModel(writeModel(graph).model);
  expect(Object.fromEntries(read.graph.metadata)).toEqual({
    author: "me",
    "camkit.method": "grad-cam",
    "camkit.layers": '["B"]',
    "camkit.outputs": '["cam","cam_map"]',
    "camkit.target_input": "cam_target",
  });
  expect(read.graph.inputs).toEqual(graph.inputs);
  const [wanted] = await explained(model, options(), [{ kind: "class", index: 2 }]);
  const [again] = await explained(read, options(), [{ kind: "class", index: 2 }]);
  expect(again).toEqual(wanted);
  const twice = exportGraph(read, options({ method: methodNamed("hires-cam") }));
  expect(twice.graph.outputs.map(({ name }) => name)).toEqual(["probabilities", "cam", "cam_map"]);
  expect(twice.graph.nodes.length).toBeLessThan(graph.nodes.length + 10);
});

test("names that the model uses are refused; others can be chosen", async () => {
  const model = tinyModel({ x: ["n", 2, 6, 7] }, (op, { x }) => {
    const cam = named(op, op.relu(x!), "cam");
    return { y: op.reduceMean(cam, { axes: [2, 3], keepdims: false }) };
  });
  expect(() => exportGraph(model, { method: methodNamed("grad-cam"), layers: ["cam"] })).toThrow(
    expect.objectContaining({ code: "name-taken", message: 'the model has a value named "cam" already' }),
  );
  const made = exportGraph(model, { method: methodNamed("grad-cam"), layers: ["cam"], prefix: "why" });
  expect([...made.raw, made.map, made.target]).toEqual(["why", "why_map", "why_target"]);
  expect(made.graph.nodes.some((node) => /^(camkit|cam)\//.test(node.name))).toBe(false);
});
