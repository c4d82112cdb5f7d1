import { float32, int64, type Tensor } from "@camkit/cam-core";
import { expect, test } from "vitest";
import { binary } from "./binary.ts";
import { crossEntropy } from "./cross-entropy.ts";
import type { LossContext } from "./define-loss.ts";
import { buildLoss, type LossItem } from "./index.ts";
import { lossAt } from "./loss-at.ts";

/** Logits that a naive softmax overflows on, and a tie. */
const y = float32([4, 3], [2, -1, 0.5, 0.1, 0.2, -3, -40, 60, 5, 1.5, 1.5, 1]);
const t = int64([4], [0, 1, 2, 2]);
const soft = float32([4, 3], [0.7, 0.2, 0.1, 0, 1, 0, 0.25, 0.25, 0.5, 0, 0, 1]);
const classWeights = [0.5, 2, 1];

/** [2, 3, 2, 2], one label per position. */
const ySpace = float32(
  [2, 3, 2, 2],
  Array.from({ length: 24 }, (_, i) => 2 * Math.sin(i)),
);
const tSpace = int64([2, 2, 2], [0, 1, 2, 0, 1, 1, 0, 2]);

const yBinary = float32([4, 1], [2, -0.5, 90, -90]);
const many = float32([4, 3], [1, 0, 1, 0, 0, 1, 1, 1, 0, 0, 1, 0.5]);

type Case = [name: string, loss: LossItem, logits: Tensor, labels: Tensor, value: number, gradient: number[]];

// torch.nn.functional.{cross_entropy, binary_cross_entropy_with_logits} of PyTorch 2.13 in float64, the gradient by autograd.
const cases: Case[] = [
  [
    "class numbers",
    "crossEntropy",
    y,
    t,
    14.341225401,
    [
      -0.053600741, 0.009778143, 0.043822598, 0.116267166, -0.121504909, 0.005237743, 0, 0.25, -0.25, 0.095912933,
      0.095912933, -0.191825866,
    ],
  ],
  [
    "smoothed",
    { crossEntropy: { labelSmoothing: 0.1 } },
    y,
    t,
    14.314558734,
    [
      -0.036934075, 0.00144481, 0.035489265, 0.107933833, -0.104838243, -0.00309559, -0.008333333, 0.241666667,
      -0.233333333, 0.087579599, 0.087579599, -0.175159199,
    ],
  ],
  [
    "weighted",
    { crossEntropy: { classWeights } },
    y,
    t,
    12.868848039,
    [
      -0.023822552, 0.004345841, 0.01947671, 0.206697184, -0.216008728, 0.009311543, 0, 0.222222222, -0.222222222,
      0.08525594, 0.08525594, -0.170511881,
    ],
  ],
  [
    "smoothed and weighted",
    { crossEntropy: { classWeights, labelSmoothing: 0.1 } },
    y,
    t,
    12.491423647,
    [
      -0.00477667, -0.009889528, 0.014666198, 0.194381098, -0.195897253, 0.001516155, -0.003703704, 0.211111111,
      -0.207407407, 0.082973169, 0.071862058, -0.154835227,
    ],
  ],
  [
    "soft labels",
    { crossEntropy: { classWeights, labelSmoothing: 0.1 } },
    y,
    soft,
    11.000604867,
    [
      0.090242013, -0.098045604, 0.007803591, 0.218678735, -0.220384409, 0.001705674, -0.032291667, 0.153125,
      -0.120833333, 0.093344815, 0.080844815, -0.17418963,
    ],
  ],
  [
    "a label per position",
    { crossEntropy: { classWeights, labelSmoothing: 0.1 } },
    ySpace,
    tSpace,
    2.98388827,
    [
      -0.042066719, 0.137289473, 0.091511287, -0.0338594, -0.005464393, -0.192695034, 0.001636496, 0.035810429,
      0.047531111, 0.055405562, -0.093147784, -0.001951029, 0.007944887, 0.058233527, 0.002025858, 0.073731635,
      -0.180542324, -0.192706349, -0.005446803, 0.020729414, 0.172597437, 0.134472822, 0.003420946, -0.094461049,
    ],
  ],
  [
    "yes or no",
    "binary",
    yBinary,
    float32([4, 1], [1, 1, 0, 1]),
    45.275251249,
    [-0.029800731, -0.155614833, 0.25, -0.25],
  ],
  [
    "yes or no, as class numbers",
    "binary",
    yBinary,
    int64([4], [1, 1, 0, 1]),
    45.275251249,
    [-0.029800731, -0.155614833, 0.25, -0.25],
  ],
  [
    "several labels",
    { binary: { positiveWeight: [1, 3, 0.5] } },
    y,
    many,
    4.315947677,
    [
      -0.009933577, 0.022411785, -0.015730861, 0.043748266, 0.0458195, -0.039690589, -0.083333333, 0, 0.082775596,
      0.068131206, -0.045606381, 0.024857828,
    ],
  ],
];

test.each(cases)("%s: PyTorch's value and gradient", async (_, loss, logits, labels, value, gradient) => {
  const found = await lossAt((context) => buildLoss(context, loss).loss, logits, labels);
  expect(Math.abs(found.value - value)).toBeLessThan(1e-5 * value);
  const worst = Math.max(...found.gradient.map((slope, i) => Math.abs(slope - gradient[i]!)));
  expect(worst).toBeLessThan(1e-6);
});

test("losses add up, each times its weight", async () => {
  const one = await lossAt(crossEntropy, y, soft);
  const other = await lossAt(binary, y, soft);
  const both = await lossAt(
    (context) => buildLoss(context, ["crossEntropy", { binary: { weight: 0.25 } }]).loss,
    y,
    soft,
  );
  expect(both.value).toBeCloseTo(one.value + 0.25 * other.value, 5);
});

test.each<[string, LossItem, Tensor, Tensor, string]>([
  ["an unknown loss", "crossentropy", y, t, 'there is no loss "crossentropy"'],
  ["one logit for classes", "crossEntropy", yBinary, int64([4], [0, 1, 0, 1]), "crossEntropy: its output is [4, 1]"],
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
  ["a field that isn't there", { crossEntropy: { field: "label" } }, y, t, 'crossEntropy: there is no field "label"'],
])("%s is refused", async (_, loss, logits, labels, message) => {
  const built = (context: LossContext) => buildLoss(context, loss).loss;
  await expect(lossAt(built, logits, labels)).rejects.toThrow(message);
});
