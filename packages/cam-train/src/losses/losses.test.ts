import { readFileSync } from "node:fs";
import { float32, int64, type Tensor } from "@camkit/cam-core";
import { expect, test } from "vitest";
import { buildLoss, type LossItem, losses } from "./index.ts";
import { lossAt } from "./loss-at.ts";

/** Values and gradients of PyTorch, float64: scripts/golden/losses.py. */
type Numbers = { shape: number[]; data: number[] };
type Case = {
  name: string;
  loss: Record<string, Record<string, unknown>>;
  inputs: Record<string, Numbers>;
  value: number;
  gradients: Record<string, Numbers>;
};

const file = new URL("../../test/golden/losses.json", import.meta.url);
const { cases } = JSON.parse(readFileSync(file, "utf8")) as { cases: Case[] };

/** The script's words, where they aren't ours. */
const written: Readonly<Record<string, (options: Record<string, unknown>) => LossItem>> = {
  mse: () => "meanSquared",
  kl: ({ logits, ...rest }) => ({ kl: { from: logits ? "logits" : "logProbabilities", ...rest } }),
  cosineEmbedding: ({ margin }) => ({ cosine: { same: "t", margin } }),
  infoNCE: (options) => ({ infoNce: options }),
};

const ours = ({ loss }: Case): { kind: string; options: object } => {
  const [[word, given]] = Object.entries(loss) as [[string, Record<string, unknown>]];
  const item = written[word]?.(given) ?? { [word]: given };
  const [[kind, options]] = Object.entries(typeof item === "string" ? { [item]: {} } : item) as [[string, object]];
  return { kind, options };
};

/** Class numbers where a loss takes them: labels with one axis less than the logits. */
function tensorOf(name: string, { inputs }: Case): Tensor {
  const { shape, data } = inputs[name]!;
  const classes = name === "t" && inputs.y !== undefined && shape.length < inputs.y.shape.length;
  return classes ? int64(shape, data) : float32(shape, data);
}

test.each(cases)("$name: PyTorch's value and gradient", async (golden) => {
  const { kind, options } = ours(golden);
  const names = Object.keys(golden.inputs);
  const inputs = Object.fromEntries(names.map((name) => [name, tensorOf(name, golden)]));
  const [output, field] = names as [string, string];
  const wrt = Object.keys(golden.gradients);
  const values = Object.fromEntries(names.map((name) => [name, name]));
  const { value, gradients } = await lossAt(
    (op) => buildLoss({ op, outputs: values, fields: values }, { [kind]: { output, field, ...options } }).loss,
    inputs,
    wrt,
  );
  expect(Math.abs(value - golden.value)).toBeLessThan(1e-5 * Math.abs(golden.value));
  for (const name of wrt) {
    const expected = golden.gradients[name]!.data;
    const scale = Math.max(...expected.map(Math.abs));
    const worst = Math.max(
      ...[...(gradients[name]!.data as Float32Array)].map((slope, i) => Math.abs(slope - expected[i]!)),
    );
    expect(worst / scale, name).toBeLessThan(1e-5);
  }
});

test("every loss is compared", () => {
  const compared = new Set(cases.map((golden) => ours(golden).kind));
  expect([...losses.keys()].filter((kind) => !compared.has(kind))).toEqual(["cells", "map", "segment"]); // in tests of their own
});

const y = float32([4, 3], [2, -1, 0.5, 0.1, 0.2, -3, -40, 60, 5, 1.5, 1.5, 1]);
const t = int64([4], [0, 1, 2, 2]);
const soft = float32([4, 3], [0.7, 0.2, 0.1, 0, 1, 0, 0.25, 0.25, 0.5, 0, 0, 1]);
const one = float32([4, 1], [2, -0.5, 90, -90]);

const valueAt = async (loss: LossItem | LossItem[], logits: Tensor, labels: Tensor) =>
  (
    await lossAt(
      (op) => buildLoss({ op, outputs: { logits: "logits" }, fields: { label: "labels" } }, loss).loss,
      { logits, labels },
      ["logits"],
    )
  ).value;

test("one logit takes class numbers 0 and 1", async () => {
  // log(1 + e⁻²) + log(1 + e⁰·⁵) + 90 + 90 = 0.126928 + 0.974077 + 180, of four: 45.275251
  expect(await valueAt("binary", one, int64([4], [1, 1, 0, 1]))).toBeCloseTo(45.275251, 5);
  expect(await valueAt("binary", one, float32([4, 1], [1, 1, 0, 1]))).toBeCloseTo(45.275251, 5);
});

test("losses add up, each times its weight", async () => {
  const sum = (await valueAt("crossEntropy", y, soft)) + 0.25 * (await valueAt("binary", y, soft));
  expect(await valueAt(["crossEntropy", { binary: { weight: 0.25 } }], y, soft)).toBeCloseTo(sum, 5);
});

test.each<[string, LossItem, Tensor, Tensor, string]>([
  ["an unknown loss", "crossentropy", y, t, 'there is no loss "crossentropy"'],
  ["one logit for classes", "crossEntropy", one, int64([4], [0, 1, 0, 1]), "crossEntropy: its output is [4, 1]"],
  [
    "labels of another shape",
    "crossEntropy",
    y,
    float32([4, 2], Array(8).fill(0)),
    "crossEntropy: its labels are float32 [4, 2]",
  ],
  [
    "class weights of another length",
    { crossEntropy: { classWeights: [1, 2] } },
    y,
    t,
    "crossEntropy: classWeights: 2 weights for 3 classes",
  ],
  ["class numbers for several outputs", "binary", y, t, "binary: its labels are [4], its output is [4, 3]"],
  ["an option out of range", { crossEntropy: { labelSmoothing: 2 } }, y, t, "crossEntropy.labelSmoothing: "],
  ["a field that isn't there", { crossEntropy: { field: "labels" } }, y, t, 'crossEntropy: there is no field "labels"'],
  ["vectors of other lengths", "cosine", y, one, "cosine: it compares [4, 3] with [4, 1]"],
])("%s is refused", async (_, loss, logits, labels, message) => {
  await expect(valueAt(loss, logits, labels)).rejects.toThrow(message);
});
