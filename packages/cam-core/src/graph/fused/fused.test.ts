import { describe, expect, test } from "vitest";
import { gradient } from "../../autodiff/gradient.ts";
import type { Sample } from "../../autodiff/rule.ts";
import { withSession } from "../../runtime/session.ts";
import { type DType, float32, numbersIn, sizeOf, type Tensor } from "../../tensor.ts";
import { feed, oneNode } from "../../testing/one-node.ts";
import { type Rng, rng } from "../../testing/rng.ts";
import { Builder } from "../builder.ts";
import { copyGraph, type Graph } from "../graph.ts";
import { pruneUnused } from "../passes/prune-unused.ts";
import { expandFused, expansions, restoreFused } from "./index.ts";

/** Codes of a quantised tensor, over the type's whole range. */
function codes(random: Rng, dtype: "uint8" | "int8", shape: readonly number[]): Tensor {
  const low = dtype === "int8" ? -128 : 0;
  const data = Array.from({ length: sizeOf(shape) }, () => low + Math.floor(256 * random.next()));
  return { dtype, shape, data: dtype === "int8" ? Int8Array.from(data) : Uint8Array.from(data) };
}

const int32 = (shape: readonly number[], values: readonly number[]): Tensor => ({
  dtype: "int32",
  shape,
  data: Int32Array.from(values),
});
const scale = (value: number) => float32([], [value]);
const zero = (dtype: "uint8" | "int8", value: number): Tensor => ({
  dtype,
  shape: [],
  data: dtype === "int8" ? Int8Array.of(value) : Uint8Array.of(value),
});

/** Two of ONNX Runtime's quantised inputs, or an input and a result. */
const u8 = (random: Rng, shape: readonly number[], step: number, offset: number): [Tensor, Tensor, Tensor] => [
  codes(random, "uint8", shape),
  scale(step),
  zero("uint8", offset),
];
const result = (step: number, offset: number): [Tensor, Tensor] => [scale(step), zero("uint8", offset)];

const samples: Readonly<Record<string, (random: Rng) => readonly Sample[]>> = {
  "com.microsoft:Gelu": (r) => [{ inputs: [r.normal([2, 5])] }],
  "com.microsoft:BiasGelu": (r) => [{ inputs: [r.normal([2, 3, 5]), r.normal([5])] }],
  "com.microsoft:FastGelu": (r) => [{ inputs: [r.normal([2, 5])] }, { inputs: [r.normal([2, 5]), r.normal([5])] }],
  "com.microsoft:QuickGelu": (r) => [{ inputs: [r.normal([2, 5])], attributes: { alpha: { float: 1.3 } } }],
  "com.microsoft:FusedConv": (r) => {
    const x = () => [r.normal([2, 3, 6, 5]), r.normal([4, 3, 3, 3]), r.normal([4])];
    return [
      ...["Relu", "Tanh", "Sigmoid"].map((activation) => ({
        inputs: x(),
        attributes: { activation, strides: [2, 1] },
      })),
      { inputs: x(), attributes: { activation: "LeakyRelu", activation_params: { floats: [0.2] } } },
      { inputs: x(), attributes: { activation: "Clip", activation_params: { floats: [-0.5, 1] } } },
      { inputs: x(), attributes: { activation: "HardSigmoid", activation_params: { floats: [0.3, 0.4] } } },
      { inputs: [...x(), r.normal([2, 4, 4, 3])], attributes: { activation: "Relu" } },
    ];
  },
  "com.microsoft:FusedGemm": (r) => [
    {
      inputs: [r.normal([3, 4]), r.normal([5, 4]), r.normal([5])],
      attributes: { transB: 1, activation: "LeakyRelu", activation_alpha: { float: 0.3 } },
    },
    { inputs: [r.normal([3, 4]), r.normal([4, 5]), r.normal([5])], attributes: { activation: "Relu" } },
  ],
  "com.microsoft:FusedMatMul": (r) => [
    {
      inputs: [r.normal([2, 4, 3]), r.normal([2, 5, 4])],
      attributes: { transA: 1, transB: 1, alpha: { float: 0.25 } },
    },
    { inputs: [r.normal([3, 2, 4]), r.normal([2, 4, 5])], attributes: { transBatchA: 1 } },
    {
      inputs: [r.normal([4, 2, 3]), r.normal([5, 2, 4])],
      attributes: { transBatchA: 1, transA: 1, transBatchB: 1, transB: 1 },
    },
  ],
  "com.microsoft:SkipLayerNormalization": (r) => {
    const x = () => [r.normal([2, 3, 8]), r.normal([2, 3, 8]), r.normal([8]), r.normal([8])];
    return [
      { inputs: x(), attributes: { epsilon: { float: 1e-5 } } },
      { inputs: [...x(), r.normal([8])], outputs: 4, output: 3, wrt: [0, 1, 4] },
      { inputs: [...x(), r.normal([8])], outputs: 4 },
    ];
  },
  "com.microsoft:SkipSimplifiedLayerNormalization": (r) => [
    { inputs: [r.normal([2, 3, 8]), r.normal([2, 3, 8]), r.normal([8])], attributes: { epsilon: { float: 1e-5 } } },
    {
      inputs: [r.normal([2, 3, 8]), r.normal([2, 3, 8]), r.normal([8]), r.normal([8])],
      outputs: 4,
      output: 3,
      wrt: [0, 1, 3],
    },
  ],
  SimplifiedLayerNormalization: (r) => [
    { inputs: [r.normal([2, 3, 8]), r.normal([8])], attributes: { epsilon: { float: 1e-3 } } },
  ],
  "com.microsoft:Attention": (r) => {
    const x = () => [r.normal([2, 5, 6]), r.normal([6, 24]), r.normal([24])];
    const heads = { num_heads: 2 };
    const raw: Tensor = int32([2, 5], [1, 1, 1, 0, 0, 1, 1, 1, 1, 0]);
    return [
      { inputs: x(), attributes: heads },
      { inputs: x(), attributes: { ...heads, scale: { float: 0.7 }, unidirectional: 1 } },
      { inputs: [...x(), int32([2], [3, 5])], attributes: heads },
      { inputs: [...x(), raw], attributes: heads },
      { inputs: [...x(), undefined, undefined, r.normal([2, 2, 5, 5])], attributes: heads },
      {
        inputs: [r.normal([2, 5, 6]), r.normal([6, 20]), r.normal([20])],
        attributes: { ...heads, qkv_hidden_sizes: [8, 8, 4] },
      },
    ];
  },
  "com.microsoft:MultiHeadAttention": (r) => {
    const x = (n = 5) => [r.normal([2, 4, 8]), r.normal([2, n, 8]), r.normal([2, n, 6])];
    const heads = { num_heads: 2 };
    return [
      { inputs: x(), attributes: heads },
      { inputs: [...x(), r.normal([22])], attributes: { ...heads, scale: { float: 0.3 } } },
      { inputs: [...x(), undefined, undefined, r.normal([2, 2, 4, 5])], attributes: heads },
      { inputs: [...x(), undefined, int32([2, 5], [1, 1, 1, 1, 0, 1, 1, 0, 0, 0])], attributes: heads },
      { inputs: x(4), attributes: { ...heads, unidirectional: 1 } },
      { inputs: [r.normal([2, 4, 8]), r.normal([2, 2, 5, 4]), r.normal([2, 2, 5, 4])], attributes: heads },
    ];
  },
  "com.microsoft:GroupQueryAttention": (r) => {
    const total: Tensor = int32([1], [5]);
    const lengths = int32([2], [4, 4]);
    const shared = { num_heads: 4, kv_num_heads: 2 };
    const x = () => [r.normal([2, 5, 64]), r.normal([2, 5, 32]), r.normal([2, 5, 32])];
    const angles = (f: (x: number) => number) =>
      float32(
        [8, 8],
        Array.from({ length: 64 }, (_, i) => f(0.1 * i)),
      );
    const tables = [angles(Math.cos), angles(Math.sin)];
    const past = () => [r.normal([2, 2, 3, 16]), r.normal([2, 2, 3, 16])];
    const one = () => [r.normal([2, 1, 64]), r.normal([2, 1, 32]), r.normal([2, 1, 32])];
    const later = [int32([2], [3, 3]), int32([1], [4])];
    return [
      { inputs: [...x(), undefined, undefined, lengths, total], attributes: shared, outputs: 3 },
      {
        inputs: [r.normal([2, 5, 128]), undefined, undefined, undefined, undefined, lengths, total],
        attributes: { ...shared, scale: { float: 0.2 } },
        outputs: 3,
      },
      {
        inputs: [...x(), undefined, undefined, lengths, total, ...tables],
        attributes: { ...shared, do_rotary: 1 },
        outputs: 3,
        constants: [7, 8],
      },
      {
        inputs: [...x(), undefined, undefined, lengths, total, ...tables],
        attributes: { ...shared, do_rotary: 1, rotary_interleaved: 1 },
        outputs: 3,
        constants: [7, 8],
      },
      {
        inputs: [...one(), ...past(), ...later, ...tables],
        attributes: { ...shared, do_rotary: 1 },
        outputs: 3,
        constants: [7, 8],
      },
    ];
  },
  "com.microsoft:MatMulNBits": (r) => {
    const bytes = (...shape: number[]) => codes(r, "uint8", shape);
    const at = (bits: number, K: number) => ({ K, N: 3, bits, block_size: 16 });
    return [
      { inputs: [r.normal([2, 48]), bytes(3, 3, 8), r.normal([3, 3])], attributes: at(4, 48), constants: [2] },
      {
        inputs: [r.normal([2, 48]), bytes(3, 3, 8), r.normal([3, 3]), bytes(3, 2)],
        attributes: at(4, 48),
        constants: [2],
      },
      { inputs: [r.normal([2, 40]), bytes(3, 3, 8), r.normal([3, 3])], attributes: at(4, 40), constants: [2] },
      { inputs: [r.normal([2, 32]), bytes(3, 2, 16), r.normal([3, 2])], attributes: at(8, 32), constants: [2] },
      {
        inputs: [r.normal([2, 32]), bytes(3, 2, 8), r.normal([3, 2]), undefined, undefined, r.normal([3])],
        attributes: at(4, 32),
        constants: [2],
      },
    ];
  },
  QLinearConv: (r) => {
    const x = () => u8(r, [2, 3, 6, 5], 0.02, 120);
    const w = (): [Tensor, Tensor, Tensor] => [codes(r, "int8", [4, 3, 3, 3]), scale(0.01), zero("int8", 0)];
    const perChannel = (): [Tensor, Tensor, Tensor] => [
      codes(r, "int8", [4, 3, 3, 3]),
      float32([4], [0.01, 0.02, 0.005, 0.03]),
      { dtype: "int8", shape: [4], data: new Int8Array(4) },
    ];
    const bias = int32([4], [500, -700, 20, 0]);
    return [
      { inputs: [...x(), ...w(), ...result(0.1, 128)], attributes: { pads: [1, 1, 1, 1] } },
      { inputs: [...x(), ...perChannel(), ...result(0.1, 128), bias], attributes: { strides: [2, 2] } },
      // Half of what comes out is below the zero point: saturated.
      { inputs: [...x(), ...w(), ...result(0.1, 0), bias] },
    ];
  },
  "com.microsoft:QLinearConv": (r) => [
    {
      inputs: [
        ...u8(r, [2, 6, 5, 3], 0.02, 120),
        codes(r, "int8", [4, 3, 3, 3]),
        scale(0.01),
        zero("int8", 0),
        ...result(0.1, 128),
        int32([4], [500, -700, 20, 0]),
      ],
      attributes: { channels_last: 1, strides: [2, 1] },
    },
  ],
  QLinearMatMul: (r) => [
    { inputs: [...u8(r, [2, 3, 4], 0.02, 120), ...u8(r, [4, 5], 0.03, 100), ...result(0.05, 130)] },
  ],
  "com.microsoft:QGemm": (r) => {
    const w = (): [Tensor, Tensor, Tensor] => [codes(r, "int8", [5, 4]), scale(0.01), zero("int8", 0)];
    const x = () => u8(r, [3, 4], 0.02, 120);
    return [
      { inputs: [...x(), ...w(), int32([5], [10, -2000, 300, 0, 5]), ...result(0.05, 130)], attributes: { transB: 1 } },
      { inputs: [...x(), ...w()], attributes: { transB: 1, alpha: { float: 0.5 } } },
    ];
  },
  "com.microsoft:MatMulIntegerToFloat": (r) => {
    const a = u8(r, [3, 4], 0.02, 120);
    const b = u8(r, [4, 5], 0.03, 100);
    return [{ inputs: [a[0], b[0], a[1], b[1], a[2], b[2], r.normal([5])] }];
  },
  "com.microsoft:DynamicQuantizeMatMul": (r) => {
    const b = u8(r, [4, 5], 0.03, 100);
    return [{ inputs: [r.normal([3, 4]), ...b, r.normal([5])], constants: [2, 4] }];
  },
  ...Object.fromEntries(
    ["QLinearAdd", "QLinearMul"].map((name) => [
      `com.microsoft:${name}`,
      (r: Rng) => [{ inputs: [...u8(r, [2, 3], 0.02, 120), ...u8(r, [2, 3], 0.03, 100), ...result(0.05, 130)] }],
    ]),
  ),
  "com.microsoft:QLinearSigmoid": (r) => [{ inputs: [...u8(r, [2, 3], 0.02, 120), ...result(1 / 256, 0)] }],
  "com.microsoft:QLinearLeakyRelu": (r) => [
    { inputs: [...u8(r, [2, 3], 0.02, 120), ...result(0.02, 100)], attributes: { alpha: { float: 0.2 } } },
  ],
  "com.microsoft:QLinearSoftmax": (r) => [
    { inputs: [...u8(r, [2, 7], 0.02, 120), ...result(1 / 256, 0)], attributes: { axis: -1, opset: 13 } },
  ],
  "com.microsoft:QLinearGlobalAveragePool": (r) => [
    { inputs: [...u8(r, [2, 3, 4, 5], 0.02, 120), ...result(0.01, 128)] },
  ],
  "com.microsoft:QLinearAveragePool": (r) => [
    {
      inputs: [...u8(r, [2, 3, 4, 6], 0.02, 120), ...result(0.01, 128)],
      attributes: { kernel_shape: [2, 2], strides: [2, 2] },
    },
  ],
  "com.microsoft:QLinearConcat": (r) => [
    {
      inputs: [...result(0.05, 128), ...u8(r, [2, 3], 0.02, 120), ...u8(r, [2, 4], 0.03, 100)],
      attributes: { axis: 1 },
    },
  ],
  "com.microsoft:QLinearWhere": (r) => [
    {
      inputs: [
        { dtype: "bool", shape: [2, 3], data: Uint8Array.of(1, 0, 1, 0, 0, 1) },
        ...u8(r, [2, 3], 0.02, 120),
        ...u8(r, [2, 3], 0.03, 100),
        ...result(0.05, 128),
      ],
    },
  ],
  "com.microsoft:QAttention": (r) => {
    const x = u8(r, [2, 5, 6], 0.02, 120);
    const w: [Tensor, Tensor, Tensor] = [codes(r, "int8", [6, 24]), scale(0.01), zero("int8", 0)];
    return [{ inputs: [x[0], w[0], r.normal([24]), x[1], w[1], undefined, x[2], w[2]], attributes: { num_heads: 2 } }];
  },
};

/** What ONNX Runtime has on no CPU; their expansion differs from FusedConv's by two transpositions. */
const elsewhere = ["NhwcFusedConv", "NhwcConv", "FusedMatMulActivation", "TransposeMatMul"].map(
  (name) => `com.microsoft:${name}`,
);

async function outputOf(graph: Graph, sample: Sample): Promise<number[]> {
  const feeds = Object.fromEntries(graph.inputs.map(({ name }) => [name, sample.inputs[Number(name.slice(1))]!]));
  const results = await withSession(graph, { optimize: "disabled", threads: 1 }, (session) => session.run(feeds));
  return numbersIn(results[`y${sample.output ?? 0}`]!);
}

function typed(opType: string, sample: Sample): { graph: Graph; dtype: DType } {
  const graph = oneNode(opType, sample);
  const name = `y${sample.output ?? 0}`;
  const [, toZero] = [...graph.initializers.values()].filter((tensor) => tensor.dtype.endsWith("int8"));
  const isReal =
    !/^(com.microsoft:)?Q/.test(opType) ||
    /QuickGelu|QAttention/.test(opType) ||
    (opType.endsWith("QGemm") && sample.inputs.length < 8);
  const dtype: DType = isReal ? "float32" : (toZero?.dtype ?? "uint8");
  graph.outputs = [{ name, dtype: isReal ? "float32" : "uint8" }];
  return { graph, dtype };
}

describe("what a fused operator is spelled out as computes what ONNX Runtime's kernel computes", () => {
  test.each(Object.keys(samples))("%s", async (opType) => {
    for (const sample of samples[opType]!(rng(3))) {
      const { graph } = typed(opType, sample);
      const spelled = copyGraph(graph);
      expandFused(spelled);
      expect(spelled.expanded).toHaveLength(1);
      expect(spelled.nodes.map((node) => node.opType)).not.toContain(opType.replace("com.microsoft:", ""));
      pruneUnused(spelled);
      const [fused, own] = [await outputOf(graph, sample), await outputOf(spelled, sample)];
      const largest = Math.max(...fused.map(Math.abs));
      // Codes may differ by the rounding of one step; real numbers by float32's.
      const allowed = graph.outputs[0]!.dtype === "uint8" ? 1 : /DynamicQuantize/.test(opType) ? 1e-4 : 1e-5 * largest;
      fused.forEach((value, i) => {
        expect(Math.abs(value - own[i]!)).toBeLessThanOrEqual(allowed);
      });
    }
  });

  test("each has a sample", () => {
    expect([...Object.keys(samples), ...elsewhere].sort()).toEqual(Object.keys(expansions).sort());
  });
});

describe("the gradient through a fused operator is its kernel's", () => {
  const real = Object.keys(samples).filter((name) => !/Q(Linear|Gemm|Attention)|Quantize|Integer/.test(name));
  test.each(real)("%s", async (opType) => {
    const random = rng(5);
    // At these sizes a step of the difference crosses some kink; the pieces have rules that are checked on their own.
    const isSmooth = ({ attributes }: Sample) => !/Relu|Clip|HardSigmoid/.test(String(attributes?.activation));
    for (const sample of samples[opType]!(random).filter(isSmooth)) {
      const { graph } = typed(opType, sample);
      const y = graph.outputs[0]!.name;
      const copy = copyGraph(graph);
      expandFused(copy);
      const op = new Builder(copy);
      const cotangent = feed(op, "cotangent", { dtype: "float32", shape: op.dims(y) });
      const wrt = sample.wrt?.map((i) => `x${i}`) ?? graph.inputs.map(({ name }) => name);
      const found = gradient(op, new Map([[y, cotangent]]), wrt);
      copy.outputs = found.map((name) => ({ name, dtype: "float32" }));
      const fed = Object.fromEntries(graph.inputs.map(({ name }) => [name, sample.inputs[Number(name.slice(1))]!]));
      const forward = await outputOf(graph, sample);
      const dims = op.dims(y) as readonly number[];
      const v = random.normal(dims);
      const exact = await withSession(copy, { optimize: "disabled", threads: 1 }, (run) =>
        run.run({ ...fed, cotangent: v }),
      );
      expect(forward.length).toBe(sizeOf(dims));
      for (const [i, name] of wrt.entries()) {
        const at = Number(name.slice(1));
        const u = random.normal(fed[name]!.shape);
        const moved = async (h: number) => {
          const x = float32(
            u.shape,
            numbersIn(fed[name]!).map((value, k) => value + h * numbersIn(u)[k]!),
          );
          const inputs = sample.inputs.map((tensor, k) => (k === at ? x : tensor));
          const out = await outputOf(graph, { ...sample, inputs });
          return out.reduce((sum, value, k) => sum + value * numbersIn(v)[k]!, 0);
        };
        const numeric = ((await moved(1e-2)) - (await moved(-1e-2))) / 2e-2;
        const dx = numbersIn(exact[found[i]!]!);
        const byRule = dx.reduce((sum, value, k) => sum + value * numbersIn(u)[k]!, 0);
        const size = dx.reduce((sum, value, k) => sum + Math.abs(value * numbersIn(u)[k]!), 0);
        expect(Math.abs(numeric - byRule) / Math.max(size, 1e-3)).toBeLessThan(5e-3);
      }
    }
  });
});

test("a fused node that nothing reads from within comes back, one whose inside is read stays spelled out", () => {
  const build = (reads: (op: Builder) => string) => {
    const { graph } = typed(
      "com.microsoft:MultiHeadAttention",
      samples["com.microsoft:MultiHeadAttention"]!(rng(1))[0]!,
    );
    expandFused(graph);
    const op = new Builder(graph);
    graph.outputs = ["y0", reads(op)].map((name) => ({ name, dtype: "float32" }));
    pruneUnused(graph);
    restoreFused(op);
    return graph.nodes.map((node) => node.opType);
  };
  expect(build((op) => op.mul("y0", 2))).toEqual(["MultiHeadAttention", "Mul"]);
  const inside = build((op) => op.graph.nodes.find((node) => node.opType === "Softmax")!.outputs[0]!);
  expect(inside).toContain("Softmax");
  expect(inside).not.toContain("MultiHeadAttention");
});

test("an expansion that can't be made says why when a gradient must pass it", () => {
  const sample: Sample = {
    inputs: [
      rng(1).normal([1, 4, 8]),
      rng(2).normal([1, 4, 8]),
      rng(3).normal([1, 4, 8]),
      undefined,
      undefined,
      undefined,
      rng(4).normal([1, 2, 3, 4]),
      rng(5).normal([1, 2, 3, 4]),
    ],
    attributes: { num_heads: 2 },
    outputs: 3,
  };
  const { graph } = typed("com.microsoft:MultiHeadAttention", sample);
  expandFused(graph);
  const op = new Builder(graph);
  op.facts.types.set("y0", { dtype: "float32", shape: [1, 4, 8] });
  expect(() => gradient(op, new Map([["y0", op.filled(1, [1, 4, 8], "float32")]]), ["x0"])).toThrow(
    /past keys and values/,
  );
});
