import { describe, expect, test } from "vitest";
import { gradientPlan } from "../explain/plan.ts";
import type { Builder, Value } from "../graph/builder.ts";
import type { Model } from "../model/model.ts";
import { createExplainer } from "../runtime/explain.ts";
import { openSession } from "../runtime/session.ts";
import { float32, type Tensor } from "../tensor.ts";
import { rng } from "../testing/rng.ts";
import { tinyModel } from "../testing/tiny-models.ts";
import type { Target } from "./parse.ts";

/** y[c] = sum over i of W[i][c]·x[i] + b[c], x flattened from [N, 1, 2, 2]: the gradient of class c is column c of W. */
const W = [
  [1, 2, -3],
  [-1, 0.5, 4],
  [2, -2, 0.25],
  [0, 1, 8],
];
const b = [0.5, -1, 2];
const column = (c: number) => W.map((row) => row[c]!);
const logitsOf = (x: readonly number[]) => b.map((bias, c) => W.reduce((sum, row, i) => sum + row[c]! * x[i]!, bias));

function linear(end: (op: Builder, y: Value) => Value = (_, y) => y, batch: string | number = "n"): Model {
  return tinyModel({ x: [batch, 1, 2, 2] }, (op, { x }) => {
    const flat = op.node("Flatten", [x!], { axis: 1 })[0]!;
    return {
      y: end(op, op.node("Gemm", [flat, op.constant(float32([4, 3], W.flat())), op.constant(float32([3], b))])[0]!),
    };
  });
}

const rows = [
  [1, 2, 3, 4], // logits: 5.5, 0, 13.75 + … : the winners are worked out below
  [-1, 0.5, 0, -2],
  [0.1, -3, 2, 0],
];
const batch = float32([3, 1, 2, 2], rows.flat());
const winner = (x: readonly number[]) => logitsOf(x).indexOf(Math.max(...logitsOf(x)));

async function derivative(model: Model, target: Target, x: Tensor = batch) {
  const made = gradientPlan(model, { target });
  const session = await openSession(made.graph);
  const [planned] = made.targets;
  const out = await session.run({ x, ...planned!.feeds(target, x.shape[0]!) });
  await session.close();
  const list = (name: string | undefined) =>
    name === undefined ? undefined : Array.from(out[name]!.data as Float32Array, Number);
  return { dx: list(made.gradient)!, scores: list(planned!.scores)!, classes: list(planned!.winners) };
}

function close(got: readonly number[], wanted: readonly number[]) {
  expect(got.length).toBe(wanted.length);
  for (const [i, value] of wanted.entries()) expect(got[i], `element ${i}`).toBeCloseTo(value, 4);
}

describe("a linear net: the gradient is the weights", () => {
  test("class", async () => {
    const { dx, scores, classes } = await derivative(linear(), { kind: "class", index: 1 });
    close(
      dx,
      rows.flatMap(() => column(1)),
    );
    close(
      scores,
      rows.map((x) => logitsOf(x)[1]!),
    );
    expect(classes).toEqual([1, 1, 1]);
  });

  test("auto: each sample's own winner", async () => {
    const { dx, scores, classes } = await derivative(linear(), { kind: "auto" });
    expect(new Set(rows.map(winner)).size).toBeGreaterThan(1);
    expect(classes).toEqual(rows.map(winner));
    close(
      dx,
      rows.flatMap((x) => column(winner(x))),
    );
    close(
      scores,
      rows.map((x) => Math.max(...logitsOf(x))),
    );
  });

  test("contrast, and its opposite", async () => {
    const { dx, scores } = await derivative(linear(), { kind: "contrast", index: 2, against: 0 });
    const wanted = column(2).map((w, i) => w - column(0)[i]!);
    close(
      dx,
      rows.flatMap(() => wanted),
    );
    close(
      scores,
      rows.map((x) => logitsOf(x)[2]! - logitsOf(x)[0]!),
    );
    const back = await derivative(linear(), { kind: "contrast", index: 0, against: 2 });
    close(
      back.dx,
      dx.map((value) => -value),
    );
  });

  test("element: without the batch axis of every sample, with it of one; negative indices count from behind", async () => {
    const every = await derivative(linear(), { kind: "element", output: "y", indices: [2] });
    close(
      every.dx,
      rows.flatMap(() => column(2)),
    );
    close(
      every.scores,
      rows.map((x) => logitsOf(x)[2]!),
    );
    const behind = await derivative(linear(), { kind: "element", output: "out", indices: [-1] });
    close(behind.dx, every.dx);
    const one = await derivative(linear(), { kind: "element", output: "y", indices: [1, 0] });
    close(one.dx, [0, 0, 0, 0, ...column(0), 0, 0, 0, 0]);
    close(one.scores, [0, logitsOf(rows[1]!)[0]!, 0]);
    const last = await derivative(linear(), { kind: "element", output: "y", indices: [-1, -3] });
    close(last.dx, [0, 0, 0, 0, 0, 0, 0, 0, ...column(0)]);
  });

  test.each([
    [{ kind: "class", index: 3 }, /class 3 does not exist: the output has 3 classes/],
    [{ kind: "contrast", index: 0, against: 5 }, /class 5 does not exist/],
    [{ kind: "element", output: "y", indices: [3] }, /axis 1 has 3 entries/],
    [{ kind: "element", output: "y", indices: [0, 0, 0] }, /has 3 indices; the output has rank 2/],
    [{ kind: "element", output: "z", indices: [0] }, /no output "z"/],
    [
      { kind: "mask", mask: float32([2, 2, 2, 2], new Float32Array(16).fill(1)), name: "m.npy" },
      /m.npy has shape \[2, 2, 2, 2\]/,
    ],
  ] as const)("refused: %j", async (target, message) => {
    await expect(derivative(linear(), target as Target)).rejects.toThrow(message);
    await expect(derivative(linear(), target as Target)).rejects.toMatchObject({ code: "target" });
  });
});

describe("scores before the squashing", () => {
  const ends: Readonly<Record<string, (op: Builder, y: Value) => Value>> = {
    Softmax: (op, y) => op.softmax(y, -1),
    Sigmoid: (op, y) => op.sigmoid(y),
    LogSoftmax: (op, y) => op.node("LogSoftmax", [y], { axis: 1 })[0]!,
    "Softmax, Reshape, Identity": (op, y) => op.node("Identity", [op.reshape(op.softmax(y, 1), [-1, 3])])[0]!,
    "Softmax between Unsqueeze and Squeeze": (op, y) => op.squeeze(op.unsqueeze(op.softmax(y, 1), [2]), [2]),
  };
  test.each(Object.entries(ends))("%s: the gradient is the logit's, and it doesn't vanish", async (_, end) => {
    const { dx, scores } = await derivative(linear(end), { kind: "class", index: 2 });
    close(
      dx,
      rows.flatMap(() => column(2)),
    );
    close(
      scores,
      rows.map((x) => logitsOf(x)[2]!),
    );
  });

  test("a probability can be asked for by name: d softmax = p·(column − Σ p·column)", async () => {
    const x = rows[1]!;
    const exp = logitsOf(x).map(Math.exp);
    const p = exp.map((value) => value / exp.reduce((a, c) => a + c, 0));
    const { dx, scores } = await derivative(
      linear(ends.Softmax),
      { kind: "element", output: "y", indices: [1] },
      float32([1, 1, 2, 2], x),
    );
    close(scores, [p[1]!]);
    close(
      dx,
      W.map((row) => p[1]! * (row[1]! - row.reduce((sum, w, c) => sum + p[c]! * w, 0))),
    );
  });
});

describe("one column", () => {
  /** The score of class 1 alone. */
  const one = (end: (op: Builder, y: Value) => Value) =>
    linear((op, y) => end(op, op.slice(y, { axes: [1], starts: [1], ends: [2] })));
  const signs = rows.map((x) => (logitsOf(x)[1]! >= 0 ? 1 : -1));
  test.each([
    ["bare", (_: Builder, y: Value) => y],
    ["behind Sigmoid", (op: Builder, y: Value) => op.sigmoid(y)],
    ["as a vector", (op: Builder, y: Value) => op.squeeze(y, [1])],
  ] as const)("%s: auto explains the side that the score speaks for, class 0 the score itself", async (_, end) => {
    expect(new Set(signs).size).toBe(2);
    const auto = await derivative(one(end), { kind: "auto" });
    close(
      auto.dx,
      signs.flatMap((sign) => column(1).map((w) => sign * w)),
    );
    close(
      auto.scores,
      rows.map((x) => Math.abs(logitsOf(x)[1]!)),
    );
    expect(auto.classes).toEqual(signs.map((sign) => (sign > 0 ? 1 : 0)));
    const itself = await derivative(one(end), { kind: "class", index: 0 });
    close(
      itself.dx,
      rows.flatMap(() => column(1)),
    );
    await expect(derivative(one(end), { kind: "class", index: 1 })).rejects.toThrow(/1 class/);
  });

  describe("between two classes that the manifest names", () => {
    const pair: Model = { ...one((_, y) => y), labels: ["fake", "real"] };
    const cases: [string, Target, (sign: number) => number, number[] | undefined][] = [
      ["class 1: y", { kind: "class", index: 1 }, () => 1, [1, 1, 1]],
      ["class 0: −y", { kind: "class", index: 0 }, () => -1, [0, 0, 0]],
      ["auto: the winner", { kind: "auto" }, (sign) => sign, signs.map((sign) => (sign > 0 ? 1 : 0))],
      ["0 − 1: −y − y", { kind: "contrast", index: 0, against: 1 }, () => -2, [0, 0, 0]],
    ];
    test.each(cases)("%s", async (_, target, factorOf, wanted) => {
      const { dx, scores, classes } = await derivative(pair, target);
      close(
        dx,
        signs.flatMap((sign) => column(1).map((w) => factorOf(sign) * w)),
      );
      close(
        scores,
        rows.map((x, i) => factorOf(signs[i]!) * logitsOf(x)[1]!),
      );
      expect(classes).toEqual(wanted);
    });

    test("there is no third", () =>
      expect(derivative(pair, { kind: "class", index: 2 })).rejects.toThrow(/class 2 does not exist.* 2 classes/));
  });
});

describe("masks over a dense output", () => {
  // Scores [N, 2, 2, 2]: class 0 is x, class 1 is −2x + 1.
  const dense = tinyModel({ x: ["n", 1, 2, 2] }, (op, { x }) => ({
    y: op.node("Conv", [x!, op.constant(float32([2, 1, 1, 1], [1, -2])), op.constant(float32([2], [0, 1]))])[0]!,
  }));
  const mask = (shape: readonly number[], values: readonly number[]): Target => ({
    kind: "mask",
    mask: float32(shape, values),
    name: "m",
  });

  test("classes and positions: the weights themselves", async () => {
    const { dx, scores } = await derivative(dense, mask([2, 2, 2], [1, 0, 0, 0.5, 0, 3, 0, 0]));
    // Position 0: 1·1; position 1: 3·(−2); position 3: 0.5·1.
    close(
      dx,
      rows.flatMap(() => [1, -6, 0, 0.5]),
    );
    close(
      scores,
      rows.map((x) => x[0]! + 3 * (1 - 2 * x[1]!) + 0.5 * x[3]!),
    );
  });

  test("positions only: the class that wins under them, per sample", async () => {
    const { dx, scores, classes } = await derivative(dense, mask([2, 2], [0, 1, 1, 0]));
    const totals = rows.map((x) => [x[1]! + x[2]!, 2 - 2 * (x[1]! + x[2]!)]);
    const won = totals.map(([a, c]) => (a! >= c! ? 0 : 1));
    expect(classes).toEqual(won);
    close(
      scores,
      totals.map((pair, i) => pair[won[i]!]!),
    );
    close(
      dx,
      won.flatMap((c) => [0, c === 0 ? 1 : -2, c === 0 ? 1 : -2, 0]),
    );
  });

  test("a mask of another size is brought to the output's by the nearest entry", async () => {
    const large = Array.from({ length: 16 }, (_, i) => (i % 4 >= 2 && i < 8 ? 1 : 0)); // the top right quarter of 4×4
    const [fitted, direct] = [
      await derivative(dense, mask([4, 4], large)),
      await derivative(dense, mask([2, 2], [0, 1, 0, 0])),
    ];
    expect(fitted).toEqual(direct);
  });

  test("an empty mask is refused", async () => {
    await expect(derivative(dense, mask([2, 2], [0, 0, 0, 0]))).rejects.toThrow(/the mask m is empty/);
  });

  test("a class of a dense output is its sum over all positions", async () => {
    const { dx, scores } = await derivative(dense, { kind: "class", index: 1 });
    close(
      dx,
      rows.flatMap(() => [-2, -2, -2, -2]),
    );
    close(
      scores,
      rows.map((x) => x.reduce((sum, value) => sum + 1 - 2 * value, 0)),
    );
  });
});

describe("one compiled explainer", () => {
  const network = () =>
    tinyModel({ x: ["n", 2, 6, 6] }, (op, { x }) => {
      const random = rng(21);
      const a = op.relu(op.conv(x!, op.constant(random.normal([5, 2, 3, 3])), { pads: [1, 1, 1, 1] }));
      return { y: op.matMul(op.reduceMean(a, { axes: [2, 3], keepdims: false }), op.constant(random.normal([5, 4]))) };
    });
  const pictures = rng(22).normal([3, 2, 6, 6]);
  const single = (i: number) => float32([1, 2, 6, 6], (pictures.data as Float32Array).slice(i * 72, (i + 1) * 72));
  const values = (tensor: Tensor | undefined) => Array.from(tensor!.data as Float32Array);

  test("serves every class, in any order, and several targets from one run", async () => {
    const explainer = await createExplainer(network());
    const fresh = async (target: Target) => {
      const own = await createExplainer(network(), {}, [target]);
      const result = (await own.run({ x: pictures })).explanations[0]!;
      await own.close();
      return result;
    };
    for (const index of [2, 0, 3]) {
      const target: Target = { kind: "class", index };
      const { explanations } = await explainer.run({ x: pictures }, [target]);
      expect(values(explanations[0]!.map)).toEqual(values((await fresh(target)).map));
      expect(explanations[0]!.classes).toEqual([index, index, index]);
    }
    const several: Target[] = [
      { kind: "auto" },
      { kind: "class", index: 1 },
      { kind: "contrast", index: 1, against: 2 },
    ];
    const { explanations } = await explainer.run({ x: pictures }, several);
    for (const [i, target] of several.entries()) {
      const alone = await fresh(target);
      close(values(explanations[i]!.raw[0]), values(alone.raw[0]));
      close(explanations[i]!.scores, alone.scores);
    }
    await explainer.close();
  });

  test("a batch of three is three singles, winners included", async () => {
    const explainer = await createExplainer(network());
    const together = await explainer.run({ x: pictures });
    for (let i = 0; i < 3; i++) {
      const alone = (await explainer.run({ x: single(i) })).explanations[0]!;
      const all = together.explanations[0]!;
      expect(all.classes![i]).toBe(alone.classes![0]);
      expect(all.scores[i]).toBeCloseTo(alone.scores[0]!, 5);
      close(values(all.map).slice(i * 36, (i + 1) * 36), values(alone.map));
    }
    await explainer.close();
  });

  test("the same input gives the same bits", async () => {
    const explainer = await createExplainer(network(), { threads: 2 });
    const [first, second] = [await explainer.run({ x: pictures }), await explainer.run({ x: pictures })];
    await explainer.close();
    expect(second.logits.data).toEqual(first.logits.data);
    expect(second.explanations[0]!.map!.data).toEqual(first.explanations[0]!.map!.data);
    expect(second.explanations[0]!.raw[0]!.data).toEqual(first.explanations[0]!.raw[0]!.data);
  });
});
