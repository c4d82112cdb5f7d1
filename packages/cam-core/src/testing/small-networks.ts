import type { Builder, Value } from "../graph/builder.ts";
import type { Model } from "../model/model.ts";
import { float32 } from "../tensor.ts";
import { rng } from "./rng.ts";
import { named, tinyModel } from "./tiny-models.ts";

/** Small networks of the usual shapes, whole ones, with weights from a seed: what a runtime has to get right together. */

/** Draws weights one after the other, scaled to keep values about 1 for `fanIn` inputs each. */
function weights(op: Builder, seed: number) {
  const random = rng(seed);
  return (fanIn: number, ...shape: number[]): Value => {
    const drawn = random.normal(shape).data as Float32Array;
    return op.constant(
      float32(
        shape,
        drawn.map((value) => value / Math.sqrt(fanIn)),
      ),
    );
  };
}

/** Two convolutions with max pooling (overlapping, as ResNet's) between them, mean, dense. Layer "features": [n, 16, 5, 6]. */
export function smallCnn(): Model {
  return tinyModel({ x: ["n", 3, 20, 23] }, (op, { x }) => {
    const w = weights(op, 11);
    const same = { pads: [1, 1, 1, 1] };
    const first = op.relu(op.node("Conv", [x!, w(27, 8, 3, 3, 3), w(1, 8)], { ...same, strides: [2, 2] })[0]!);
    const pooled = op.node("MaxPool", [first], { kernel_shape: [3, 3], strides: [2, 2], ...same })[0]!;
    const second = op.relu(op.node("Conv", [pooled, w(72, 16, 8, 3, 3), w(1, 16)], same)[0]!);
    const mean = op.reduceMean(named(op, second, "features"), { axes: [2, 3], keepdims: false });
    return { logits: op.add(op.matMul(mean, w(16, 16, 5)), w(1, 5)) };
  });
}

/** A vision transformer: 16 patches of 6 × 6 pixels and a class token that the head reads, two blocks of two heads. */
export function smallVit(): Model {
  const [width, heads, grid] = [32, 2, 4];
  const tokens = grid * grid + 1;
  return tinyModel({ x: ["n", 3, 6 * grid, 6 * grid] }, (op, { x }) => {
    const w = weights(op, 12);
    const dense = (value: Value, from: number, to: number) => op.add(op.matMul(value, w(from, from, to)), w(1, to));
    const norm = (value: Value) =>
      op.node("LayerNormalization", [value, w(1, width), w(1, width)], { axis: -1, epsilon: 1e-6 })[0]!;
    const perHead = (value: Value) =>
      op.transpose(op.reshape(dense(value, width, width), [0, 0, heads, width / heads]), [0, 2, 1, 3]);
    const block = (tokensIn: Value): Value => {
      const normed = norm(tokensIn);
      const [q, k, v] = [perHead(normed), perHead(normed), perHead(normed)];
      const scores = op.softmax(op.div(op.matMul(q, op.transpose(k, [0, 1, 3, 2])), Math.sqrt(width / heads)), -1);
      const mixed = op.reshape(op.transpose(op.matMul(scores, v), [0, 2, 1, 3]), [0, 0, width]);
      const attended = op.add(tokensIn, dense(mixed, width, width));
      const inner = dense(norm(attended), width, 4 * width);
      const gelu = op.mul(op.mul(inner, op.add(op.erf(op.div(inner, Math.SQRT2)), 1)), 0.5);
      return op.add(attended, dense(gelu, 4 * width, width));
    };
    const patches = op.node("Conv", [x!, w(108, width, 3, 6, 6)], { strides: [6, 6] })[0]!;
    const flat = op.transpose(op.reshape(patches, [0, width, -1]), [0, 2, 1]);
    const n = op.node("Shape", [x!], { start: 0, end: 1 })[0]!;
    const token = op.node("Expand", [w(1, 1, 1, width), op.concat([n, op.ints([1, width])], 0)])[0]!;
    const embedded = op.add(op.concat([token, flat], 1), w(1, 1, tokens, width));
    const last = norm(block(named(op, block(embedded), "between")));
    return { logits: dense(op.gather(last, op.scalar(0, "int64"), 1), width, 5) };
  });
}

/**
 * A classifier of volumes: two 3-D convolutions, the second in groups, with max pooling between them, mean, dense. Layer
 * "features": [n, 8, 3, 4, 4].
 */
export function smallVolumeNet(): Model {
  return tinyModel({ x: ["n", 1, 6, 8, 8] }, (op, { x }) => {
    const w = weights(op, 13);
    const same = { pads: [1, 1, 1, 1, 1, 1] };
    const first = op.relu(op.node("Conv", [x!, w(27, 8, 1, 3, 3, 3), w(1, 8)], same)[0]!);
    const pooled = op.node("MaxPool", [first], { kernel_shape: [2, 2, 2], strides: [2, 2, 2] })[0]!;
    const second = op.relu(op.node("Conv", [pooled, w(108, 8, 4, 3, 3, 3), w(1, 8)], { ...same, group: 2 })[0]!);
    const mean = op.reduceMean(named(op, second, "features"), { axes: [2, 3, 4], keepdims: false });
    return { logits: op.add(op.matMul(mean, w(8, 8, 3)), w(1, 3)) };
  });
}
