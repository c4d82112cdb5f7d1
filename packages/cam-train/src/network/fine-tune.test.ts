import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { float32, type Graph, loadModel, openSession, type Tensor, viewBytes } from "@camkit/cam-core";
import { formula, rng, tinyModel } from "@camkit/cam-core/testing";
import { describe, expect, test } from "vitest";
import { createNetwork } from "../networks/create.ts";
import { chooseTrainable } from "./choose-trainable.ts";
import { parametersOf } from "./parameters.ts";
import { replaceHead } from "./replace-head.ts";
import { withBatch } from "./with-batch.ts";

async function run(graph: Graph, feeds: Record<string, Tensor>): Promise<Record<string, Tensor>> {
  const session = await openSession(graph, { threads: 1 });
  try {
    return await session.run(feeds);
  } finally {
    await session.close();
  }
}

const numbers = (tensor: Tensor | undefined) => [...(tensor!.data as Float32Array)];

/** A small convolutional network with everything that mustn't train beside what may. */
const small = () =>
  createNetwork({
    name: "small",
    input: { name: "x", shape: ["n", 3, 8, 8] },
    seed: 1,
    layers: [
      { block: { name: "features", layers: [{ conv: { filters: 4, bias: false } }, "batchNorm", "relu6"] } },
      { groupNorm: { name: "norm", groups: 2 } },
      "gelu",
      { dropout: 0.5 },
      "globalAveragePool",
      { dense: { name: "fc", units: 10 } },
    ],
  });

/** As exporters write a small vision transformer for one picture: batch 1 in the input, in sizes and in the class token. */
const exported = () => {
  const weight = (shape: number[], phase: number) => formula(shape, (n) => Math.sin(1.7 * n + phase));
  const { graph } = tinyModel({ x: [1, 3, 4, 4] }, (op, { x }) => {
    const patches = op.node("Conv", [x, op.constant(weight([6, 3, 2, 2], 1))], {
      strides: [2, 2],
      kernel_shape: [2, 2],
    })[0]!;
    const tokens = op.transpose(op.reshape(patches, [1, 6, 4]), [0, 2, 1]);
    const token = op.expand(op.constant(weight([1, 1, 6], 2)), [1, 1, 6]);
    const all = op.add(op.concat([token, tokens], 1), op.constant(weight([1, 5, 6], 3), "positions"));
    const qkv = op.matMul(all, op.constant(weight([6, 18], 4), "onnx::MatMul_7"));
    const parts = op.transpose(op.reshape(qkv, [1, 5, 3, 2, 3]), [2, 0, 3, 1, 4]); // [3, N, heads, T, D]
    const one = (at: number) => op.squeeze(op.slice(parts, { axes: [0], starts: [at], ends: [at + 1] }), [0]);
    const mask = op.constant(
      formula([1, 1, 5, 5], (n) => (n === 9 ? -100 : 0)),
      "mask",
    );
    const scores = op.softmax(op.add(op.matMul(op.mul(one(0), 0.5), op.transpose(one(1), [0, 1, 3, 2])), mask), -1);
    const mixed = op.reshape(op.transpose(op.matMul(scores, one(2)), [0, 2, 1, 3]), [5, 6]); // the batch is gone
    const rows = op.reshape(mixed, [1, 5, 6]);
    const first = op.reshape(op.slice(rows, { axes: [1], starts: [0], ends: [1] }), [1, 6]);
    const head = op.add(
      op.matMul(first, op.constant(weight([6, 4], 5), "head")),
      op.constant(weight([4], 6), "head.b"),
    );
    return { probabilities: op.softmax(head, -1) };
  });
  return graph;
};

describe("what may train", () => {
  test("weights, biases, scales; no statistics, bounds, constants of formulas", () => {
    expect(parametersOf(small()).map(({ name, role }) => `${name} ${role}`)).toEqual([
      "features.conv.weight weight",
      "features.batchNorm.weight scale",
      "features.batchNorm.bias bias",
      "norm.weight scale",
      "norm.bias bias",
      "fc.weight weight",
      "fc.bias bias",
    ]);
  });

  test("patterns choose by the initializer's name or the node's; freezing counts more", () => {
    const graph = small();
    expect(chooseTrainable(graph, { train: ["fc.*", "norm"] })).toEqual(["norm.bias", "fc.weight", "fc.bias"]);
    expect(chooseTrainable(graph, { freeze: ["features.*", "*.bias"] })).toEqual(["norm.weight", "fc.weight"]);
    expect(chooseTrainable(graph)).toHaveLength(7);
    // "norm" is also the name of the last node of the group norm, which adds norm.bias.
    const anonymous = parametersOf(exported()).find(({ name }) => name.includes("onnx::MatMul_7"))!;
    expect(chooseTrainable(exported(), { train: [anonymous.names[1]!] })).toEqual([anonymous.name]);
  });

  test("PyTorch's names are read from the paths of its exporter", () => {
    const graph = exported();
    const path = "/layer4/layer4.0/conv/conv.1/Conv";
    graph.nodes = graph.nodes.map((node) => (node.opType === "Conv" ? { ...node, name: path } : node));
    expect(parametersOf(graph)[0]!.names).toContain("layer4.0.conv.1.weight");
    expect(chooseTrainable(graph, { train: ["layer4.*"] })).toHaveLength(1);
  });

  test("tokens, positions and what lies behind a Transpose or Expand are found, an attention mask is none", () => {
    const roles = parametersOf(exported()).map(({ role, shape }) => `${role} [${shape}]`);
    expect(roles).toEqual([
      "weight [6,3,2,2]",
      "embedding [1,1,6]",
      "bias [1,5,6]",
      "weight [6,18]",
      "weight [6,4]",
      "bias [4]",
    ]);
  });

  test("quantised and half-precision weights are refused by name", () => {
    const whole = { dtype: "int8", shape: [2, 4], data: new Int8Array(8) } as const;
    const { graph } = tinyModel({ x: [1, 4] }, (op, { x }) => {
      const scale = op.constant(float32([], [0.1]));
      return {
        y: op.node("Gemm", [x!, op.node("DequantizeLinear", [op.constant(whole, "w"), scale])[0]!], { transB: 1 })[0]!,
      };
    });
    expect(() => chooseTrainable(graph)).toThrow(/"tiny\/w_\d+" is a quantised weight \(int8\)/);
    const half = { dtype: "float16", shape: [2, 4], data: new Uint16Array(8) } as const;
    const { graph: small } = tinyModel({ x: [1, 4] }, (op, { x }) => ({
      y: op.node("Gemm", [op.cast(x!, "float16"), op.constant(half, "w")], { transB: 1 })[0]!,
    }));
    expect(() => chooseTrainable(small)).toThrow(/"tiny\/w_\d+" is float16; training wants float32/);
  });

  test("a pattern that fits nothing is refused with what there is", () => {
    const choose = () => chooseTrainable(small(), { train: ["layer4.*"] });
    expect(choose).toThrow('train: nothing is called "layer4.*"');
    try {
      choose();
    } catch (error) {
      expect((error as { hint: string }).hint).toContain("fc.weight of logits [10, 4]");
    }
    expect(() => chooseTrainable(small(), { freeze: ["*"] })).toThrow("nothing is left to train");
  });
});

describe("another head", () => {
  test("a dense one gets fresh weights and the output's name", async () => {
    const graph = replaceHead(small(), 3, 7);
    expect(graph.outputs).toEqual([{ name: "logits", dtype: "float32", shape: ["n", 3] }]);
    expect(graph.initializers.get("head.weight")!.shape).toEqual([3, 4]);
    expect([...graph.initializers.keys()]).not.toContain("fc.weight");
    const found = await run(graph, { x: rng(1).normal([2, 3, 8, 8]) });
    expect(found.logits!.shape).toEqual([2, 3]);
  });

  test("a softmax behind it is cut off, an Add of its own is its bias", async () => {
    const graph = replaceHead(exported(), 2, 7);
    expect(graph.nodes.map(({ opType }) => opType).slice(-2)).toEqual(["MatMul", "Add"]);
    expect(graph.initializers.get("head.weight")!.shape).toEqual([6, 2]);
    expect((await run(graph, { x: rng(1).normal([1, 3, 4, 4]) })).logits!.shape).toEqual([1, 2]);
    // PyTorch's bounds: ±1 / √6.
    const values = viewBytes("float32", graph.initializers.get("head.weight")!.bytes) as Float32Array;
    expect(Math.max(...values.map(Math.abs))).toBeLessThan(1 / Math.sqrt(6));
  });

  test("a convolution before the pooling, and sizes that spell the classes out", async () => {
    const { graph } = tinyModel({ x: [1, 3, 4, 4] }, (op, { x }) => {
      const maps = op.node("Conv", [x!, op.constant(formula([5, 3, 1, 1], Math.sin))], { kernel_shape: [1, 1] })[0]!;
      return { y: op.reshape(op.node("GlobalAveragePool", [maps])[0]!, [1, 5]) };
    });
    const replaced = replaceHead(graph, 2, 1);
    expect((await run(replaced, { x: rng(1).normal([1, 3, 4, 4]) })).logits!.shape).toEqual([1, 2]);
  });

  test("what isn't a classifier's head is refused by name", () => {
    const { graph } = tinyModel({ x: [1, 4] }, (op, { x }) => ({ y: op.div(x!, 2) }));
    expect(() => replaceHead(graph, 2, 1)).toThrow(/the head wasn't found: .* makes the output "y"/);
  });
});

describe("another batch", () => {
  test.each([3, "n"])(
    "%s: sizes, class tokens, a batch that was dropped on the way: each sample as by itself",
    async (batch) => {
      const x = rng(3).normal([3, 3, 4, 4]);
      const graph = withBatch(exported(), batch);
      expect(graph.outputs[0]!.shape).toEqual([batch, 4]);
      const together = numbers((await run(graph, { x })).probabilities);
      for (const i of [0, 1, 2]) {
        const one = float32([1, 3, 4, 4], (x.data as Float32Array).slice(48 * i, 48 * (i + 1)));
        const alone = numbers((await run(exported(), { x: one })).probabilities);
        alone.forEach((value, at) => {
          expect(together[4 * i + at]).toBeCloseTo(value, 6);
        });
      }
    },
  );

  test("an open batch becomes a number, and a number open", () => {
    expect(withBatch(small(), 4).outputs[0]!.shape).toEqual([4, 10]);
    expect(withBatch(withBatch(small(), 1), "n").outputs[0]!.shape).toEqual(["n", 10]);
  });

  test("a file that mixes samples is refused, naming the node", () => {
    const { graph } = tinyModel({ x: [1, 4] }, (op, { x }) => ({
      y: op.squeeze(op.slice(x!, { axes: [0], starts: [0], ends: [1] }), [0]),
    }));
    for (const batch of [2, "n"])
      expect(() => withBatch(graph, batch)).toThrow(
        /Slice ".*" makes \[1, 4\] of one batch and \[1, 4\] of 2: it mixes samples/,
      );
  });
});

const folder = new URL("../../../../../shared/models/", import.meta.url);
describe.skipIf(!existsSync(folder))("files of the zoo (needs ../shared)", () => {
  const open = async (file: string) => (await loadModel(fileURLToPath(new URL(file, folder)))).graph;

  // Parameters as the original frameworks count them, without the statistics of batch norms.
  test.each([
    ["resnet8_cifar10.onnx", 34, 78_186],
    ["vww_96.onnx", 110, 216_322],
    ["mobilenet_v1_0.25_224.onnx", 83, 470_072],
    ["mobilenet_v2_1.0_224.onnx", 106, 3_489_097],
    ["fer_mini_xception.onnx", 52, 56_951],
  ])("%s: parameters, head, batch", async (file, count, size) => {
    const graph = await open(file);
    const parameters = parametersOf(graph);
    expect(parameters).toHaveLength(count);
    expect(parameters.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0)).toBe(size);
    const replaced = withBatch(replaceHead(graph, 3, 1), 2);
    expect(replaced.outputs).toEqual([{ name: "logits", dtype: "float32", shape: [2, 3] }]);
    expect(chooseTrainable(replaced, { train: ["head.*"] })).toEqual(["head.weight", "head.bias"]);
    const input = replaced.inputs[0]!;
    const found = await run(replaced, { [input.name]: rng(1).normal(input.shape as number[]) });
    expect(found.logits!.shape).toEqual([2, 3]);
  });
});
