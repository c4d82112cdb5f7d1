import { describe, expect, test } from "vitest";
import type { Sample } from "../../src/autodiff/rule.ts";
import { Builder } from "../../src/graph/builder.ts";
import { emptyGraph, type Graph } from "../../src/graph/graph.ts";
import { writeModel } from "../../src/model/write.ts";
import { pinFaults, providerFaults } from "../../src/runtime/provider-faults.ts";
import { using } from "../../src/runtime/runtime.ts";
import { openBytes, openSession } from "../../src/runtime/session.ts";
import { float32, int64, type Tensor } from "../../src/tensor.ts";
import { oneNode } from "../../src/testing/one-node.ts";
import { rng } from "../../src/testing/rng.ts";
import { device, gapBetween, holdDevice, tolerance, withoutGpu } from "./device.ts";

holdDevice();

const random = rng(3);
const normal = (...shape: number[]) => random.normal(shape);
const ones = (...values: number[]) => int64([values.length], values);

/** A node that each fault of the table meets, under its operator and its words; `near` is one beside it that is no fault. */
type Specimen = { readonly opType: string; readonly fault: Sample; readonly near: Sample };

const antialias = { mode: "linear", antialias: 1 };
const wrap = (...pads: number[]): Sample => ({
  opset: 19,
  attributes: { mode: "wrap" },
  inputs: [normal(2, 3, 4, 5), ones(...pads)],
});
const resized = (attributes: Sample["attributes"], ...scales: number[]): Sample => ({
  attributes: attributes!,
  inputs: [normal(1, 4, 6, 3), undefined, float32([4], scales)],
  constants: [2],
});
const sliced = (step: number): Sample => ({
  inputs: [normal(2, 5, 7), ones(step < 0 ? 3 : 0), ones(step < 0 ? 0 : 3), ones(1), ones(step)],
});
const pool = (attributes: Sample["attributes"], outputs: number): Sample => ({
  attributes: { kernel_shape: [2, 2], strides: [2, 2], ...attributes },
  outputs,
  inputs: [normal(1, 2, 6, 6)],
});
const conv = (group: number): Sample => ({
  attributes: { group },
  inputs: [normal(1, 4, 4, 4, 4), normal(4, 4 / group, 2, 2, 2)],
});
const batchNorm = (training: number): Sample => ({
  attributes: { training_mode: training },
  outputs: training ? 3 : 1,
  inputs: [normal(2, 3, 4, 4), normal(3), normal(3), normal(3), float32([3], [1, 2, 3])],
});
const layerNorm = (...scale: number[]): Sample => ({
  attributes: { axis: -2 },
  inputs: [normal(2, 3, 4), normal(...scale)],
});
const rmsNorm = (...scale: number[]): Sample => ({ ...layerNorm(...scale), opset: 23 });
const reduced = (...axes: number[]): Sample => ({
  attributes: { noop_with_empty_axes: 1 },
  inputs: [float32([2, 3], [-1, -2, -3, 4, 5, 6]), ones(...axes)],
});
const logged = (...axes: number[]): Sample => ({
  ...reduced(...axes),
  inputs: [float32([2, 3], [1, 2, 3, 4, 5, 6]), ones(...axes)],
});
const extremeOf = (rows: number): Sample => ({ inputs: [normal(2, rows, 4), ones(1)] });
const einsum = (equation: string, a: number[], b: number[]): Sample => ({
  attributes: { equation },
  inputs: [normal(...a), normal(...b)],
});

const specimens: readonly Specimen[] = [
  { opType: "MaxPool", fault: pool({}, 2), near: pool({}, 1) },
  { opType: "MaxPool", fault: pool({ storage_order: 1 }, 1), near: pool({ ceil_mode: 1 }, 1) },
  {
    opType: "ConvTranspose",
    fault: { inputs: [normal(1, 2, 3, 3, 3), normal(2, 2, 2, 2, 2)] },
    near: { inputs: [normal(1, 2, 3, 3), normal(2, 2, 2, 2)] },
  },
  { opType: "Conv", fault: conv(2), near: conv(1) },
  { opType: "Resize", fault: resized(antialias, 1, 1, 0.5, 0.5), near: resized({ mode: "linear" }, 1, 1, 0.5, 0.5) },
  { opType: "Resize", fault: resized({ mode: "linear" }, 1, 2, 2, 1), near: resized({ mode: "nearest" }, 1, 2, 2, 1) },
  { opType: "Resize", fault: resized({ mode: "cubic" }, 1, 2, 2, 1), near: resized({ mode: "cubic" }, 1, 1, 2, 2) },
  { opType: "BatchNormalization", fault: batchNorm(1), near: batchNorm(0) },
  { opType: "LayerNormalization", fault: layerNorm(4), near: layerNorm(3, 4) },
  { opType: "RMSNormalization", fault: rmsNorm(4), near: rmsNorm(3, 4) },
  { opType: "ReduceL1", fault: reduced(), near: reduced(1) },
  { opType: "ReduceL2", fault: reduced(), near: reduced(1) },
  { opType: "ReduceSumSquare", fault: reduced(), near: reduced(1) },
  { opType: "ReduceLogSum", fault: logged(), near: logged(1) },
  { opType: "ReduceMax", fault: extremeOf(0), near: extremeOf(3) },
  { opType: "ReduceMin", fault: extremeOf(0), near: extremeOf(3) },
  { opType: "Einsum", fault: einsum("ij,jk->ik", [3, 1], [4, 5]), near: einsum("ij,jk->ik", [3, 4], [4, 5]) },
  {
    opType: "Einsum",
    fault: einsum("...ij,...jk->...ik", [2, 2, 3, 4], [2, 1, 4, 5]),
    near: einsum("...ij,...ij->...i", [2, 2, 3, 4], [2, 2, 3, 4]),
  },
  { opType: "Pad", fault: wrap(0, 0, 2, -2, 0, 0, -1, 1), near: wrap(0, 0, 2, 2, 0, 0, 1, 1) },
  { opType: "Slice", fault: sliced(-1), near: sliced(2) },
];

const table = providerFaults.filter((fault) => fault.device === "webgpu");

/** The specimen's graph: all outputs asked for, the node after a Relu and before one, which the optimiser may fuse with it. */
function specimenGraph(opType: string, sample: Sample): { graph: Graph; feeds: Record<string, Tensor> } {
  const graph = oneNode(opType, sample);
  const indices = (i: number) => i === 1 && opType === "MaxPool";
  graph.outputs = graph.nodes[0]!.outputs.map((name, i) => ({ name, dtype: indices(i) ? "int64" : "float32" }));
  const op = new Builder(graph, { prefix: "after" });
  op.alias(op.relu("y0"), "out");
  graph.outputs[0] = { name: "out", dtype: "float32" };
  const feeds = Object.fromEntries(graph.inputs.map(({ name }) => [name, sample.inputs[Number(name.slice(1))]!]));
  return { graph, feeds };
}

const cases = specimens.map(({ opType, fault, near }, at) => ({ name: `${opType} ${at}`, opType, fault, near }));

test("every fault has a specimen, and what lies beside it is none", () => {
  for (const { opType, fault, near } of specimens) {
    const [met] = pinFaults(specimenGraph(opType, fault).graph, "webgpu").pins.values();
    expect(met?.operators, opType).toContain(opType);
    expect([...pinFaults(specimenGraph(opType, near).graph, "webgpu").pins], opType).toEqual([]);
    expect(pinFaults(specimenGraph(opType, fault).graph, "cuda").pins.size).toBe(0);
  }
  const met = specimens.map(
    ({ opType, fault }) => [...pinFaults(specimenGraph(opType, fault).graph, "webgpu").pins.values()][0],
  );
  expect(new Set(met)).toEqual(new Set(table));
});

test("nodes without a name, or with another's, are given one of their own", () => {
  const graph = emptyGraph("twins", new Map([["", 18]]));
  graph.inputs = [{ name: "x", dtype: "float32", shape: [2, 3] }];
  const node = (name: string, output: string) => ({
    opType: "ReduceL1",
    domain: "",
    name,
    inputs: ["x"],
    outputs: [output],
    attributes: { noop_with_empty_axes: { type: "int" as const, value: 1 } },
  });
  graph.nodes = [node("twin", "a"), node("twin", "b"), node("", "c"), node("alone", "d")];
  const { graph: named, pins } = pinFaults(graph, "webgpu");
  expect(new Set(pins.keys()).size).toBe(4);
  expect(named.nodes.map(({ name }) => name)).toEqual([...pins.keys()]);
  expect(pins.has("alone") && !pins.has("twin")).toBe(true);
  expect(graph.nodes.map(({ name }) => name)).toEqual(["twin", "twin", "", "alone"]);
});

describe("on WebGPU", () => {
  if (withoutGpu() || device !== "webgpu") return test.skip("every specimen and what lies beside it");
  test.each(cases)("$name: the fault is still there, and its node runs on the CPU", async ({ opType, fault }) => {
    const { graph, feeds } = specimenGraph(opType, fault);
    const right = await using(openSession(graph), (session) => session.run(feeds));
    const bare = using(openBytes(writeModel(graph), { device }), (session) => session.run(feeds));
    const [met] = pinFaults(graph, device as "webgpu").pins.values();
    if (met!.happens === "throws") await expect(bare, "it doesn't throw any more").rejects.toThrow();
    else expect(gapBetween(right, await bare), "it is right now").toBeGreaterThan(tolerance);
    await using(openSession(graph, { device }), async (session) => {
      expect(gapBetween(right, await session.run(feeds))).toBeLessThan(tolerance);
      const { onCpu } = session.ranOn();
      expect(onCpu).toContainEqual(
        expect.objectContaining({ operator: opType, why: expect.stringMatching(/^webgpu /) }),
      );
    });
  });

  test.each(cases)("$name: what lies beside it is right", async ({ opType, near }) => {
    const { graph, feeds } = specimenGraph(opType, near);
    const right = await using(openSession(graph), (session) => session.run(feeds));
    await using(openSession(graph, { device }), async (session) => {
      expect(gapBetween(right, await session.run(feeds))).toBeLessThan(tolerance);
      expect(session.ranOn().nodes?.webgpu).toBeGreaterThan(0);
    });
  });
});
