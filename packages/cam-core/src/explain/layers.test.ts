import { describe, expect, test } from "vitest";
import type { Builder, Value } from "../graph/builder.ts";
import type { Shape } from "../graph/graph.ts";
import type { Model } from "../model/model.ts";
import { createExplainer } from "../runtime/explain.ts";
import { withSession } from "../runtime/session.ts";
import { float32, int64, type Tensor } from "../tensor.ts";
import { rng } from "../testing/rng.ts";
import { formula, named, tinyModel } from "../testing/tiny-models.ts";
import { candidateLayers, defaultLayers, layerNamed } from "./layers.ts";
import { fromChannelsFirst, toChannelsFirst } from "./layout.ts";
import { groundwork } from "./plan.ts";

const random = rng(11);
const weight = (op: Builder, ...shape: number[]) => op.constant(random.normal(shape));

/** A convolution of stride 1 (or another one) that keeps sizes, and a ReLU under a name. */
function stage(op: Builder, x: Value, from: number, to: number, name: string, stride = 1, space = 2): Value {
  const all = (n: number) => Array.from({ length: space }, () => n);
  const conv = op.conv(x, weight(op, to, from, ...all(3)), { strides: all(stride), pads: [...all(1), ...all(1)] });
  return relu(op, conv, name);
}

function relu(op: Builder, x: Value, name: Value): Value {
  return op.append({ opType: "Relu", domain: "", name, inputs: [x], outputs: [name], attributes: {} })[0]!;
}

const pooled = (op: Builder, x: Value, space = [2, 3]) => op.reduceMean(x, { axes: space, keepdims: false });

/** Patches of 4×4 as tokens: [N, T, width]. */
function patches(op: Builder, x: Value, width: number): Value {
  const grid = op.conv(x, weight(op, width, 3, 4, 4), { strides: [4, 4] });
  return op.transpose(op.reshape(grid, [0, width, -1]), [0, 2, 1]);
}

/** A residual step that mixes channels at every token. */
const mlp = (op: Builder, x: Value, width: number) => op.add(x, op.relu(op.matMul(x, weight(op, width, width))));

/** A residual step that mixes tokens: single-head attention without projections. */
function attention(op: Builder, x: Value, width: number): Value {
  const scores = op.softmax(op.matMul(op.matMul(x, weight(op, width, width)), op.transpose(x, [0, 2, 1])), -1);
  return op.add(x, op.matMul(scores, x));
}

function tokensAround(op: Builder, x: Value, before: number, after: number, width: number): Value {
  const some = (n: number) =>
    op.expand(weight(op, 1, n, width), op.concat([op.shape(x, 0, 1), op.ints([n, width])], 0));
  return op.concat([...(before ? [some(before)] : []), x, ...(after ? [some(after)] : [])], 1);
}

type Net = {
  readonly input: Shape;
  readonly build: (op: Builder, x: Value) => Value;
  readonly layer: string;
  readonly channels: number;
  readonly space: readonly number[];
};

const nets: Readonly<Record<string, Net>> = {
  "a CNN with global average pooling": {
    input: ["n", 3, 8, 12],
    build: (op, x) => op.matMul(pooled(op, stage(op, stage(op, x, 3, 4, "a"), 4, 5, "b", 2)), weight(op, 5, 3)),
    layer: "b",
    channels: 5,
    space: [4, 6],
  },
  "a CNN with global maximum": {
    input: ["n", 3, 8, 12],
    build: (op, x) =>
      op.matMul(op.reshape(op.node("GlobalMaxPool", [stage(op, x, 3, 4, "a")])[0]!, [0, 4]), weight(op, 4, 3)),
    layer: "a",
    channels: 4,
    space: [8, 12],
  },
  "a CNN with a flattened head": {
    input: ["n", 3, 8, 12],
    build: (op, x) => {
      const flat = op.node("Flatten", [stage(op, stage(op, x, 3, 4, "a"), 4, 2, "b", 2)], { axis: 1 })[0]!;
      return op.matMul(op.relu(op.matMul(flat, weight(op, 48, 6))), weight(op, 6, 3));
    },
    layer: "b",
    channels: 2,
    space: [4, 6],
  },
  "channels last, with a Transpose at the entry": {
    input: ["n", 8, 12, 3],
    build: (op, x) => op.matMul(pooled(op, stage(op, op.transpose(x, [0, 3, 1, 2]), 3, 4, "a", 2)), weight(op, 4, 3)),
    layer: "a",
    channels: 4,
    space: [4, 6],
  },
  "1x1 convolution to class scores, then pooling": {
    input: ["n", 3, 8, 12],
    build: (op, x) => {
      const scores = relu(op, op.conv(stage(op, x, 3, 4, "a"), weight(op, 3, 4, 1, 1)), "scores");
      return op.reshape(op.node("GlobalAveragePool", [scores])[0]!, [0, 3]);
    },
    layer: "a",
    channels: 4,
    space: [8, 12],
  },
  "a volume": {
    input: ["n", 1, 4, 6, 8],
    build: (op, x) => op.matMul(pooled(op, stage(op, x, 1, 4, "a", 2, 3), [2, 3, 4]), weight(op, 4, 3)),
    layer: "a",
    channels: 4,
    space: [2, 3, 4],
  },
  "a signal": {
    input: ["n", 2, 16],
    build: (op, x) => op.matMul(pooled(op, stage(op, x, 2, 4, "a", 2, 1), [2]), weight(op, 4, 3)),
    layer: "a",
    channels: 4,
    space: [8],
  },
  "tokens, pooled": {
    input: ["n", 3, 8, 12],
    build: (op, x) =>
      op.matMul(pooled(op, named(op, mlp(op, attention(op, patches(op, x, 6), 6), 6), "last"), [1]), weight(op, 6, 3)),
    layer: "last",
    channels: 6,
    space: [2, 3],
  },
  "a class token and four registers": {
    input: ["n", 3, 8, 12],
    build: (op, x) => {
      const first = named(op, mlp(op, tokensAround(op, patches(op, x, 6), 5, 0, 6), 6), "first");
      const read = op.gather(mlp(op, attention(op, first, 6), 6), op.scalar(0, "int64"), 1);
      return op.matMul(read, weight(op, 6, 3));
    },
    layer: "first",
    channels: 6,
    space: [2, 3],
  },
  "tokens with a suffix, cut off before pooling": {
    input: ["n", 3, 8, 12],
    build: (op, x) => {
      const all = mlp(op, attention(op, tokensAround(op, patches(op, x, 6), 1, 2, 6), 6), 6);
      const grid = named(op, op.tanh(op.slice(all, { axes: [1], starts: [1], ends: [-2] })), "grid");
      return op.matMul(pooled(op, grid, [1]), weight(op, 6, 3));
    },
    layer: "grid",
    channels: 6,
    space: [2, 3],
  },
  "a token mixer": {
    input: ["n", 3, 8, 12],
    build: (op, x) => {
      const t = patches(op, x, 5);
      const mixed = op.transpose(op.relu(op.matMul(op.transpose(t, [0, 2, 1]), weight(op, 6, 6))), [0, 2, 1]);
      return op.matMul(pooled(op, named(op, mlp(op, op.add(t, mixed), 5), "mixed"), [1]), weight(op, 5, 3));
    },
    layer: "mixed",
    channels: 5,
    space: [2, 3],
  },
  "windows and back": {
    input: ["n", 3, 16, 24],
    build: (op, x) => {
      const width = 5;
      const grid = op.transpose(op.conv(x, weight(op, width, 3, 4, 4), { strides: [4, 4] }), [0, 2, 3, 1]); // [N, 4, 6, C]
      // Partition into windows of 2×2, one step in each, reverse.
      const split = op.transpose(op.reshape(grid, [-1, 2, 2, 3, 2, width]), [0, 1, 3, 2, 4, 5]);
      const inside = mlp(op, op.reshape(split, [-1, 4, width]), width);
      const back = op.transpose(op.reshape(inside, [-1, 2, 3, 2, 2, width]), [0, 1, 3, 2, 4, 5]);
      const whole = named(op, op.add(grid, op.reshape(back, [-1, 4, 6, width])), "whole");
      return op.matMul(pooled(op, whole, [1, 2]), weight(op, width, 3));
    },
    layer: "whole",
    channels: 5,
    space: [4, 6],
  },
  "windows straight to tokens": {
    input: ["n", 3, 16, 24],
    build: (op, x) => {
      const grid = op.transpose(op.conv(x, weight(op, 5, 3, 4, 4), { strides: [4, 4] }), [0, 2, 3, 1]);
      const split = op.transpose(op.reshape(grid, [-1, 2, 2, 3, 2, 5]), [0, 1, 3, 2, 4, 5]);
      const inside = mlp(op, op.reshape(split, [-1, 4, 5]), 5);
      const back = op.transpose(op.reshape(inside, [-1, 2, 3, 2, 2, 5]), [0, 1, 3, 2, 4, 5]);
      return op.matMul(pooled(op, relu(op, op.reshape(back, [-1, 24, 5]), "tokens"), [1]), weight(op, 5, 3));
    },
    layer: "tokens",
    channels: 5,
    space: [4, 6],
  },
  "every second position": {
    input: ["n", 3, 8, 12],
    build: (op, x) => {
      const a = stage(op, x, 3, 4, "a");
      const half = op.slice(a, { axes: [2, 3], starts: [0, 1], ends: [100, 100], steps: [2, 2] });
      return op.matMul(pooled(op, stage(op, half, 4, 4, "b")), weight(op, 4, 3));
    },
    layer: "b",
    channels: 4,
    space: [4, 6],
  },
  "a small U-Net": {
    input: ["n", 3, 8, 12],
    build: (op, x) => {
      const high = stage(op, x, 3, 4, "high");
      const deep = stage(op, stage(op, high, 4, 6, "down", 2), 6, 6, "deep");
      const up = op.resize(deep, { scales: [1, 1, 2, 2] }, { mode: "nearest" });
      return op.conv(stage(op, op.concat([up, high], 1), 10, 4, "fused"), weight(op, 3, 4, 1, 1));
    },
    layer: "deep",
    channels: 6,
    space: [4, 6],
  },
  "an encoder and decoder, upsampled scores": {
    input: ["n", 3, 8, 12],
    build: (op, x) => {
      const deep = stage(op, stage(op, x, 3, 4, "down", 2), 4, 6, "deep", 2);
      const scores = op.conv(deep, weight(op, 3, 6, 1, 1));
      return op.resize(scores, { scales: [1, 1, 4, 4] }, { mode: "linear" });
    },
    layer: "deep",
    channels: 6,
    space: [2, 3],
  },
};

const modelOf = (net: Net) => tinyModel({ x: net.input }, (op, { x }) => ({ out: net.build(op, x!) }));
const sizesOf = (net: Net) => net.input.map((dim) => (typeof dim === "number" ? dim : 2));

describe("the default layer", () => {
  test.each(Object.entries(nets))("%s", async (_, net) => {
    const base = groundwork(modelOf(net));
    const layer = defaultLayers(base)[0]!;
    expect({ layer: layer.value, channels: layer.channels, space: layer.space }).toEqual({
      layer: net.layer,
      channels: net.channels,
      space: net.space,
    });
    const explainer = await createExplainer(modelOf(net), { method: "hires-cam" });
    const { explanations } = await explainer.run({ x: random.normal(sizesOf(net)) }, [{ kind: "class", index: 1 }]);
    await explainer.close();
    const [{ raw, map }] = explanations as [(typeof explanations)[0]];
    expect(raw[0]!.shape).toEqual([2, ...net.space]);
    const input = net.input.filter((_, i) => i > 0 && (net.input.at(-1) === 3 ? i < 3 : i > 1));
    expect(map!.shape).toEqual([2, ...input]);
  });

  const placesOf = (model: Model) => defaultLayers(groundwork(model)).map(({ value, space }) => [value, space]);

  test("neighbouring positions that a weight mixes into channels halve the resolution (Swin V2's merging)", () => {
    const model = tinyModel({ x: [1, 3, 16, 16] }, (op, { x }) => {
      const grid = op.transpose(op.conv(x!, weight(op, 4, 3, 4, 4), { strides: [4, 4] }), [0, 2, 3, 1]); // [1, 4, 4, 4]
      const blocks = op.transpose(op.reshape(grid, [1, 2, 2, 2, 2, 4]), [0, 1, 3, 2, 4, 5]);
      const merged = op.matMul(op.reshape(blocks, [1, 2, 2, 16]), weight(op, 16, 6));
      return { out: op.matMul(pooled(op, relu(op, merged, "merged"), [1, 2]), weight(op, 6, 3)) };
    });
    expect(placesOf(model)).toEqual([["merged", [2, 2]]]);
  });

  test("the inner part of each window reduced by a maximum, tokens in the order of windows (Hiera)", async () => {
    const model = tinyModel({ x: [1, 3, 16, 16] }, (op, { x }) => {
      const grid = op.transpose(op.conv(x!, weight(op, 5, 3, 4, 4), { strides: [4, 4] }), [0, 2, 3, 1]); // [1, 4, 4, 5]
      const blocks = op.transpose(op.reshape(grid, [1, 2, 2, 2, 2, 5]), [0, 2, 4, 1, 3, 5]);
      const tokens = mlp(op, op.reshape(blocks, [1, 16, 5]), 5);
      const largest = op.reduceMax(op.reshape(tokens, [1, 4, 4, 5]), { axes: [1], keepdims: false });
      const mixed = relu(op, mlp(op, largest, 5), "mixed");
      return { out: op.matMul(pooled(op, mixed, [1]), weight(op, 5, 3)) };
    });
    expect(placesOf(model)).toEqual([["mixed", [2, 2]]]);
  });

  test("queries that look at tokens have no place: the tokens are the layer (DETR)", () => {
    const model = tinyModel({ x: [1, 3, 16, 16] }, (op, { x }) => {
      const tokens = relu(op, mlp(op, patches(op, x!, 6), 6), "tokens");
      const placed = op.add(tokens, weight(op, 1, 16, 6));
      const scores = op.softmax(op.matMul(weight(op, 1, 2, 6), op.transpose(placed, [0, 2, 1])), -1);
      return { out: op.matMul(pooled(op, op.relu(op.matMul(scores, tokens)), [1]), weight(op, 6, 3)) };
    });
    expect(placesOf(model)).toEqual([["tokens", [4, 4]]]);
  });

  test("a class token beside the mean of the patches: the layer before the attention that both pass (DINOv2)", () => {
    const model = tinyModel({ x: [1, 3, 16, 16] }, (op, { x }) => {
      const before = relu(op, mlp(op, tokensAround(op, patches(op, x!, 6), 1, 0, 6), 6), "before");
      const behind = mlp(op, attention(op, before, 6), 6);
      const cls = op.squeeze(op.slice(behind, { axes: [1], starts: [0], ends: [1] }), [1]);
      const rest = relu(op, op.slice(behind, { axes: [1], starts: [1], ends: [2 ** 31 - 1] }), "rest");
      return { out: op.matMul(op.concat([cls, pooled(op, rest, [1])], 1), weight(op, 12, 3)) };
    });
    expect(placesOf(model)).toEqual([["before", [4, 4]]]);
  });

  test("a detector: the last features of each resolution, finest first", () => {
    const model = tinyModel({ x: [1, 3, 16, 16] }, (op, { x }) => {
      const fine = stage(op, x!, 3, 4, "fine", 2);
      const coarse = stage(op, fine, 4, 4, "coarse", 2);
      const head = (value: Value, positions: number) =>
        op.reshape(op.conv(value, weight(op, 5, 4, 1, 1)), [1, 5, positions]);
      return { out: op.concat([head(fine, 64), head(coarse, 16)], 2) };
    });
    expect(placesOf(model)).toEqual([
      ["fine", [8, 8]],
      ["coarse", [4, 4]],
    ]);
  });

  test("where the regions lie is no path: of a detector in two stages, what is cut out counts, not what proposes", async () => {
    const model = tinyModel({ x: [1, 3, 16, 16] }, (op, { x }) => {
      const features = stage(op, x!, 3, 4, "features", 2);
      const proposed = op.conv(stage(op, features, 4, 4, "proposals"), weight(op, 4, 4, 8, 8)); // one region: [1, 4, 1, 1]
      const where = op.reshape(op.abs(proposed), [1, 4]);
      const images = op.constant(int64([1], [0]));
      const cut = op.node("RoiAlign", [features, where, images], {
        output_height: 2,
        output_width: 2,
        sampling_ratio: 2,
      })[0]!;
      return { out: op.matMul(op.reshape(op.relu(cut), [1, 16]), weight(op, 16, 3)) };
    });
    expect(placesOf(model)).toEqual([["features", [8, 8]]]);
    await expect(createExplainer(model, { layers: ["proposals"] })).rejects.toMatchObject({ code: "not-on-path" });
  });

  test("a detector in two stages that cuts its regions out of several levels: each of them", () => {
    const model = tinyModel({ x: [1, 3, 16, 16], where: ["regions", 4] }, (op, { x, where }) => {
      const fine = stage(op, x!, 3, 4, "fine", 2);
      const coarse = stage(op, fine, 4, 4, "coarse", 2);
      const levels = [coarse, fine].map((value, i) => named(op, op.conv(value, weight(op, 6, 4, 1, 1)), `level${i}`));
      const images = op.constant(int64([1], [0]));
      const cut = levels.map(
        (level) => op.node("RoiAlign", [level, where!, images], { output_height: 2, output_width: 2 })[0]!,
      );
      return { out: op.matMul(op.reshape(op.relu(op.concat(cut, 0)), [-1, 24]), weight(op, 24, 3)) };
    });
    expect(placesOf(model)).toEqual([
      ["level1", [8, 8]],
      ["level0", [4, 4]],
    ]);
  });

  test("frames come before channels in a clip, and may take the place of a batch of one", async () => {
    const model = tinyModel({ x: [1, 4, 3, 16, 16] }, (op, { x }) => {
      const frames = stage(op, op.reshape(x!, [4, 3, 16, 16]), 3, 5, "frames", 2);
      return { out: op.matMul(pooled(op, op.reshape(frames, [1, 4, 5, 8, 8]), [1, 3, 4]), weight(op, 5, 3)) };
    });
    expect(placesOf(model).map(([, space]) => space)).toEqual([[4, 8, 8]]);
    const explainer = await createExplainer(model);
    const { explanations } = await explainer.run({ x: random.normal([1, 4, 3, 16, 16]) });
    await explainer.close();
    expect(explanations[0]!.raw[0]!.shape).toEqual([1, 4, 8, 8]);
    expect(explanations[0]!.map!.shape).toEqual([1, 4, 16, 16]);
  });

  test("what lies behind the last attention isn't seen, though quantisation keeps the class token from moving ahead", () => {
    const model = tinyModel({ x: [1, 3, 16, 16] }, (op, { x }) => {
      const before = relu(op, mlp(op, tokensAround(op, patches(op, x!, 6), 1, 0, 6), 6), "before");
      const behind = relu(op, op.relu(attention(op, before, 6)), "behind");
      const [q, scale, zero] = op.node("DynamicQuantizeLinear", [behind], {}, { outputs: 3 });
      const codes = op.constant({
        dtype: "int8",
        shape: [6, 6],
        data: Int8Array.from({ length: 36 }, (_, i) => i - 18),
      });
      const product = op.mul(op.cast(op.node("MatMulInteger", [q, codes, zero])[0]!, "float32"), scale!);
      const cls = op.squeeze(op.slice(op.relu(product), { axes: [1], starts: [0], ends: [1] }), [1]);
      return { out: op.matMul(cls, weight(op, 6, 3)) };
    });
    expect(placesOf(model)).toEqual([["before", [4, 4]]]);
  });

  test("a model without space says so", () => {
    const flat = tinyModel({ x: ["n", 8] }, (op, { x }) => ({ out: op.matMul(op.relu(x!), weight(op, 8, 3)) }));
    expect(() => defaultLayers(groundwork(flat))).toThrow(/no tensor .* laid out in space/);
  });
});

describe("layers by name", () => {
  const cnn = nets["a CNN with global average pooling"]!;

  test("a slip of the pen gets a suggestion", () => {
    const caught = (name: string) => {
      try {
        layerNamed(
          groundwork(
            modelOf({
              ...cnn,
              build: (op, x) => op.matMul(pooled(op, stage(op, x, 3, 4, "backbone")), weight(op, 4, 3)),
            }),
          ),
          name,
        );
      } catch (error) {
        return error as Error & { hint?: string; code?: string };
      }
      return undefined;
    };
    expect(caught("backbon")).toMatchObject({
      code: "unknown-name",
      hint: expect.stringMatching(/Did you mean "backbone"/),
    });
    expect(caught("backbone")).toBeUndefined();
  });

  test("a tensor behind the pooling, or of rank 2, has no place in space", () => {
    const model = modelOf({
      ...cnn,
      build: (op, x) => op.matMul(named(op, pooled(op, stage(op, x, 3, 4, "a")), "vector"), weight(op, 4, 3)),
    });
    expect(() => layerNamed(groundwork(model, { keep: ["vector"] }), "vector")).toThrow(/can't be laid out in space/);
  });

  test("a layer off the path to the target is refused", async () => {
    const model = tinyModel({ x: ["n", 3, 8, 8] }, (op, { x }) => {
      const aside = stage(op, x!, 3, 4, "aside");
      return { out: op.matMul(pooled(op, stage(op, x!, 3, 4, "a")), weight(op, 4, 3)), other: pooled(op, aside) };
    });
    await expect(createExplainer(model, { layers: ["aside"] })).rejects.toMatchObject({ code: "not-on-path" });
  });

  test("windows, heads and attention matrices are no layers, whatever their rank", () => {
    const model = tinyModel({ x: ["n", 3, 16, 16] }, (op, { x }) => {
      const grid = op.transpose(op.conv(x!, weight(op, 4, 3, 4, 4), { strides: [4, 4] }), [0, 2, 3, 1]);
      const split = op.transpose(op.reshape(grid, [-1, 2, 2, 2, 2, 4]), [0, 1, 3, 2, 4, 5]);
      const windows = named(op, op.relu(op.reshape(split, [-1, 4, 4])), "windows");
      const back = op.transpose(op.reshape(windows, [-1, 2, 2, 2, 2, 4]), [0, 1, 3, 2, 4, 5]);
      const heads = named(op, op.transpose(op.reshape(back, [-1, 16, 2, 2]), [0, 2, 1, 3]), "heads");
      const matrix = named(op, op.softmax(op.matMul(heads, op.transpose(heads, [0, 1, 3, 2])), -1), "matrix");
      const mixed = op.reshape(op.transpose(op.matMul(matrix, heads), [0, 2, 1, 3]), [0, 16, 4]);
      return { y: op.matMul(pooled(op, named(op, mixed, "mixed"), [1]), weight(op, 4, 3)) };
    });
    const base = groundwork(model);
    for (const name of ["windows", "heads", "matrix"])
      expect(() => layerNamed(base, name)).toThrow(`"${name}" is cut into windows or heads`);
    expect(layerNamed(base, "mixed")).toMatchObject({ channels: 4, space: [4, 4] });
  });

  test("behind PyTorch's packed attention, whose heads are merged with a batch of any size, tokens are followed", () => {
    const width = 8;
    const packed = (op: Builder, x: Value): Value => {
      const rows = op.transpose(x, [1, 0, 2]);
      const three = op.reshape(op.matMul(rows, weight(op, width, 3 * width)), [16, -1, 3, width]);
      const apart = op.transpose(three, [2, 0, 1, 3]);
      // [16, N, 8] to [2·N, 16, 4]: a batch and its heads on one axis.
      const heads = [0, 1, 2].map((i) => {
        const one = op.node("Gather", [apart, op.constant(int64([], [i]))], { axis: 0 })[0]!;
        return op.transpose(op.reshape(one, [16, -1, 4]), [1, 0, 2]);
      });
      const [q, k, v] = heads.map((head) => op.reshape(head, [-1, 2, 16, 4])) as [Value, Value, Value];
      const mixed = op.matMul(op.softmax(op.matMul(q, op.transpose(k, [0, 1, 3, 2])), -1), v);
      const flat = op.reshape(op.transpose(mixed, [2, 0, 1, 3]), [-1, width]);
      const out = op.reshape(op.matMul(flat, weight(op, width, width)), [16, -1, width]);
      return op.add(op.transpose(out, [1, 0, 2]), x);
    };
    const model = tinyModel({ x: ["n", 3, 16, 16] }, (op, { x }) => {
      const first = named(op, op.relu(packed(op, patches(op, x!, width))), "first");
      return { y: op.matMul(pooled(op, named(op, op.relu(packed(op, first)), "second"), [1]), weight(op, width, 3)) };
    });
    const base = groundwork(model);
    expect(defaultLayers(base)).toMatchObject([{ value: "second", channels: width, space: [4, 4] }]);
    expect(base.axes.get("second")!.map((axis) => axis.kind)).toEqual(["batch", "space", "channel"]);
  });

  /** Tokens that the axes can't be followed to: made by an operator that nothing is known of. */
  const strange = (count: number) =>
    tinyModel({ x: ["n", 3, 8, 8] }, (op, { x }) => {
      const flat = op.matMul(op.node("Flatten", [x!], { axis: 1 })[0]!, weight(op, 192, count * 4));
      const tokens = named(op, op.tanh(op.reshape(flat, [0, count, 4])), "tokens");
      return { out: op.matMul(pooled(op, tokens, [1]), weight(op, 4, 3)) };
    });

  test("rank 3 of unknown grid: a square, up to five tokens in front", () => {
    const layer = (count: number) => layerNamed(groundwork(strange(count)), "tokens");
    expect(layer(16)).toMatchObject({ space: [4, 4], channels: 4 });
    expect(layer(16).axes[1]).toMatchObject({ prefix: 0 });
    expect(layer(17).axes[1]).toMatchObject({ prefix: 1, extents: [4, 4] });
    expect(layer(14).axes[1]).toMatchObject({ prefix: 5, extents: [3, 3] });
    expect(() => layer(32)).toThrow(/the 32 tokens of "tokens" form no square grid/);
  });

  test("several layers: their maps are averaged", async () => {
    const explainer = await createExplainer(modelOf(cnn), { layers: ["a", "b"] });
    const { explanations } = await explainer.run({ x: random.normal([1, 3, 8, 12]) });
    await explainer.close();
    expect(explanations[0]!.raw.map((map) => map.shape)).toEqual([
      [1, 8, 12],
      [1, 4, 6],
    ]);
  });

  test("candidates come in graph order and hold the default", () => {
    const base = groundwork(modelOf(nets["a small U-Net"]!));
    const list = candidateLayers(base).map((layer) => layer.value);
    const names = list.filter((name) => ["high", "down", "deep", "fused"].includes(name));
    expect(names).toEqual(["high", "down", "deep", "fused"]);
  });
});

/** An input of zeros but for one position (row, column of an 8×12 grid), where all channels are 1. */
function lit(shape: readonly number[], at: (index: readonly number[]) => boolean): Tensor {
  return formula(shape, (n) => {
    const index: number[] = [];
    for (let i = shape.length - 1, rest = n; i >= 0; i--) {
      index.unshift(rest % shape[i]!);
      rest = Math.floor(rest / shape[i]!);
    }
    return at(index) ? 1 : 0;
  });
}

describe("orientation: a light at row 5, column 9 of 8×12 is found there", () => {
  /** Positive weights: the map is the picture, seen through a 1×1 convolution. */
  const eye = (op: Builder) => op.constant(float32([2, 1, 1, 1], [1, 0.5]));
  const head = (op: Builder) => op.constant(float32([2, 2], [1, 0.5, 0.25, 1]));
  const laidOut: Readonly<
    Record<string, { input: Shape; build: (op: Builder, x: Value) => Value; grid: readonly number[] }>
  > = {
    "[N, C, H, W]": {
      input: ["n", 1, 8, 12],
      build: (op, x) => named(op, op.relu(op.conv(x, eye(op))), "layer"),
      grid: [8, 12],
    },
    "[N, C, W, H]": {
      input: ["n", 1, 8, 12],
      build: (op, x) => named(op, op.relu(op.conv(op.transpose(x, [0, 1, 3, 2]), eye(op))), "layer"),
      grid: [8, 12],
    },
    "[N, H, W, C]": {
      input: ["n", 8, 12, 1],
      build: (op, x) => named(op, op.relu(op.matMul(x, op.constant(float32([1, 2], [1, 0.5])))), "layer"),
      grid: [8, 12],
    },
    "[N, W, H, C]": {
      input: ["n", 8, 12, 1],
      build: (op, x) =>
        named(op, op.relu(op.matMul(op.transpose(x, [0, 2, 1, 3]), op.constant(float32([1, 2], [1, 0.5])))), "layer"),
      grid: [8, 12],
    },
    "[N, T, C], rows first": {
      input: ["n", 1, 8, 12],
      build: (op, x) =>
        named(op, op.transpose(op.reshape(op.relu(op.conv(x, eye(op))), [0, 2, -1]), [0, 2, 1]), "layer"),
      grid: [8, 12],
    },
    "[N, T, C], columns first": {
      input: ["n", 1, 8, 12],
      build: (op, x) =>
        named(
          op,
          op.transpose(op.reshape(op.transpose(op.relu(op.conv(x, eye(op))), [0, 1, 3, 2]), [0, 2, -1]), [0, 2, 1]),
          "layer",
        ),
      grid: [8, 12],
    },
    "[N, C, T]": {
      input: ["n", 1, 8, 12],
      build: (op, x) => named(op, op.reshape(op.relu(op.conv(x, eye(op))), [0, 2, -1]), "layer"),
      grid: [8, 12],
    },
    "[1, T, C], of one sample": {
      input: [1, 1, 8, 12],
      build: (op, x) => {
        const tokens = op.transpose(op.reshape(op.relu(op.conv(x, eye(op))), [0, 2, -1]), [0, 2, 1]);
        return named(op, op.tanh(tokens), "layer");
      },
      grid: [8, 12],
    },
  };

  test.each(Object.entries(laidOut))("%s", async (_, { input, build, grid }) => {
    const model = tinyModel({ x: input }, (op, { x }) => {
      const layer = build(op, x!);
      const dims = op.dims(layer)!;
      const channel = dims.lastIndexOf(2);
      const positions = dims.map((_, i) => i).filter((i) => i > 0 && i !== channel);
      return { out: op.matMul(op.reduceMean(layer, { axes: positions, keepdims: false }), head(op)) };
    });
    const explainer = await createExplainer(model, { layers: ["layer"] });
    const shape = input.map((dim) => (typeof dim === "number" ? dim : 1));
    const rows = shape.indexOf(8);
    const x = lit(shape, (index) => index[rows] === 5 && index[rows + 1] === 9);
    const { explanations } = await explainer.run({ x });
    await explainer.close();
    expect(explanations[0]!.raw[0]!.shape).toEqual([1, ...grid]);
    for (const map of [explanations[0]!.raw[0]!, explanations[0]!.map!]) {
      const values = Array.from(map.data as Float32Array);
      expect(values.indexOf(Math.max(...values))).toBe(5 * 12 + 9);
      expect(values.filter((value) => value > 0).length).toBe(1);
    }
  });
});

describe("layout, there and back", () => {
  const space = (axes: readonly number[], extents: readonly number[], prefix = 0, suffix = 0) =>
    ({ kind: "space", axes, extents, prefix, suffix }) as const;
  const [batch, channel] = [{ kind: "batch" } as const, { kind: "channel" } as const];
  test.each([
    ["[N, C, H, W]", [1, 4, 2, 3], [batch, channel, space([0], [2]), space([1], [3])]],
    ["[N, H, W, C]", [1, 2, 3, 4], [batch, space([0], [2]), space([1], [3]), channel]],
    ["[N, W, C, H]", [1, 3, 4, 2], [batch, space([1], [3]), channel, space([0], [2])]],
    ["[N, 1 + T + 2, C]", [1, 9, 4], [batch, space([0, 1], [2, 3], 1, 2), channel]],
    ["[N, 1 + T, C], columns first", [1, 7, 4], [batch, space([1, 0], [3, 2], 1, 0), channel]],
    ["[N, C, T + 1]", [1, 4, 7], [batch, channel, space([0, 1], [2, 3], 0, 1)]],
  ] as const)("%s", async (_, shape, axes) => {
    const model = tinyModel({ x: shape }, (op, { x }) => {
      const laid = toChannelsFirst(op, x!, axes);
      return { laid, back: fromChannelsFirst(op, laid, x!, axes) };
    });
    const x = random.normal(shape);
    const out = await withSession(model.graph, {}, (session) => session.run({ x }));
    expect(out.laid!.shape).toEqual([1, 4, 2, 3]);
    expect(out.back!.shape).toEqual(shape);
    expect(out.back!.data).toEqual(x.data);
    // Element (k, h, w), picked by hand.
    const strides = shape.map((_, i) => shape.slice(i + 1).reduce<number>((a, b) => a * b, 1));
    for (let at = 0; at < 24; at++) {
      const [k, h, w] = [Math.floor(at / 6), Math.floor(at / 3) % 2, at % 3];
      const offset = axes.reduce((sum, axis, i) => {
        if (axis.kind === "batch") return sum;
        if (axis.kind === "channel") return sum + k * strides[i]!;
        const position = { h, w, "h,w": h * 3 + w, "w,h": w * 2 + h }[axis.axes.map((a) => "hw"[a]).join() as "h"]!;
        const place = position + axis.prefix;
        return sum + place * strides[i]!;
      }, 0);
      expect(out.laid!.data[at]).toBe(x.data[offset]);
    }
  });

  test("a grid of which nothing is known is refused by name", () => {
    const axes = [batch, { kind: "space", axes: [0, 1], extents: ["h", "w"], prefix: 0, suffix: 0 } as const, channel];
    expect(() => tinyModel({ x: ["n", "t", 4] }, (op, { x }) => ({ y: toChannelsFirst(op, x!, axes) }))).toThrow(
      /the token grid of "x" is not known: \[h, w\]/,
    );
  });
});
