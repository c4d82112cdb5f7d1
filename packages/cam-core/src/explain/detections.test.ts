import { describe, expect, test } from "vitest";
import type { Builder, Value } from "../graph/builder.ts";
import { computeGradient } from "../runtime/explain.ts";
import { float32, int64, type Tensor } from "../tensor.ts";
import { tinyModel } from "../testing/tiny-models.ts";

const values = (tensor: Tensor) => Array.from(tensor.data as Float32Array);
const float = (shape: number[], data: number[]) => float32(shape, data);

/** Two classes at four anchors of a 2×2 picture: class 0 is x, class 1 is 3 − 2x. [1, 2, 4] */
function head(op: Builder, x: Value): Value {
  const weight = op.constant(float([2, 1, 1, 1], [1, -2]));
  return op.reshape(op.node("Conv", [x, weight, op.constant(float([2], [0, 3]))])[0]!, [1, 2, 4]);
}

/** Boxes whose decoding holds a softmax of its own: [1, 4, 4] */
function boxes(op: Builder, x: Value): Value {
  const wide = op.expand(op.reshape(x, [1, 1, 4]), op.ints([1, 4, 4]));
  return op.mul(op.sub(7, op.softmax(wide, 1)), 8);
}

const x = float([1, 1, 2, 2], [0.5, 4, -1, 2]);
const scores = [4, 5]; // of the best anchors: the second, and the third

const detectors: Record<string, (op: Builder, x: Value) => Value> = {
  "boxes beside probabilities": (op, x) => op.concat([boxes(op, x), op.sigmoid(head(op, x))], 1),
  "what non-maximum suppression left": (op, x) => {
    const all = op.sigmoid(head(op, x));
    const corners = op.transpose(boxes(op, x), [0, 2, 1]);
    const most = op.constant(int64([], [2]));
    const kept = op.node("NonMaxSuppression", [corners, all, most])[0]!;
    const best = op.node("GatherND", [all, kept])[0]!;
    return op.unsqueeze(best, [1]);
  },
  "the best of a list, chosen by TopK": (op, x) => {
    const list = op.transpose(op.sigmoid(head(op, x)), [0, 2, 1]);
    const best = op.node(
      "TopK",
      [op.reduceMax(list, { axes: [2], keepdims: false }), op.ints([2])],
      {},
      { outputs: 2 },
    );
    return op.concat([op.unsqueeze(best[0]!, [2]), op.unsqueeze(op.cast(best[1]!, "float32"), [2])], 2);
  },
  "class times objectness": (op, x) => {
    const objectness = op.sigmoid(op.reshape(x, [1, 1, 4]));
    return op.concat([boxes(op, x), op.mul(op.sigmoid(head(op, x)), objectness)], 1);
  },
};

describe("a detector's score for a class is its best anchor's, before the sigmoid", () => {
  test.each(Object.keys(detectors))("%s", async (name) => {
    const model = tinyModel({ x: [1, 1, 2, 2] }, (op, { x }) => ({ found: detectors[name]!(op, x!) }));
    const second = await computeGradient(model, { x }, { target: { kind: "class", index: 1 } });
    expect(values(second.logits)).toEqual(scores);
    expect(second.squashedBy).toBe("Sigmoid");
    // d (3 − 2x) / dx, at the anchor where x is least
    expect(values(second.gradient)).toEqual([0, 0, -2, 0]);
    const winner = await computeGradient(model, { x }, { target: { kind: "auto" } });
    expect(winner.classes).toEqual([1]);
  });
});

describe("what isn't a list of boxes keeps its output", () => {
  const others: Record<string, { build: (op: Builder, x: Value) => Value; logits: number }> = {
    "one column of a softmax": {
      build: (op, x) => op.slice(op.softmax(op.reshape(x, [1, 4]), -1), { axes: [1], starts: [0], ends: [1] }),
      logits: 1,
    },
    "boxes alone": { build: (op, x) => op.reduceMean(boxes(op, x), { axes: [2], keepdims: false }), logits: 4 },
  };
  test.each(Object.keys(others))("%s", async (name) => {
    const model = tinyModel({ x: [1, 1, 2, 2] }, (op, { x }) => ({ y: others[name]!.build(op, x!) }));
    const { logits, squashedBy } = await computeGradient(model, { x }, { target: { kind: "class", index: 0 } });
    expect([logits.data.length, squashedBy]).toEqual([others[name]!.logits, undefined]);
  });
});
