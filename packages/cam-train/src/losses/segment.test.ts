import { float32, int64, type Tensor } from "@camkit/cam-core";
import { expect, test } from "vitest";
import { buildLoss } from "./index.ts";
import { lossAt } from "./loss-at.ts";

const numbers = [
  -1.82, 0.73, -0.73, 1.82, 0.36, -1.09, 1.45, 0, -1.45, 1.09, -0.36, -1.82, 0.73, -0.73, 1.82, 0.36, -1.09, 1.45, 0,
  -1.45, 1.09, -0.36, -1.82, 0.73,
];
const features = float32([2, 3, 2, 2], numbers);
const label = int64([2], [1, 0]);
const logits = float32([2, 2], [0, 0, 0, 0]);
/** Two boxes: rows 1 and 2 of the right half, the upper row's first three. */
const boxes = [...[0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0], ...[1, 1, 1, 0, ...Array(12).fill(0)]];
const mask = float32([2, 4, 4], boxes);

const lossOf = (options: Record<string, unknown>, inputs: Record<string, Tensor> = {}) =>
  lossAt(
    (op) =>
      buildLoss({ op, outputs: { logits: "logits" }, fields: { label: "label", mask: "mask" } }, { segment: options })
        .loss,
    { features, logits, label, mask, ...inputs } as Record<string, Tensor>,
    ["features"],
  );

// PyTorch 2.13, float64: binary_cross_entropy_with_logits(interpolate(A[:, :2], "bilinear"), one_hot(label) * mask, pos_weight).
// The third channel isn't asked: its slopes are 0.
const zeros = [0, 0, 0, 0];
test.each([
  {
    positiveWeight: 1,
    value: 0.8546672954523818,
    slopes: [
      ...[0.0162244, 0.0379018, 0.0245982, 0.0462756, 0.0317238, -0.0050855, 0.0409914, 0.0048765, ...zeros],
      ...[0.0095913, 0.0117902, 0.0489997, 0.0375459, 0.0231665, 0.0391772, 0.0261799, 0.0203532, ...zeros],
    ],
  },
  {
    positiveWeight: 5,
    value: 1.1940467614028423,
    slopes: [
      ...[0.0162244, 0.0379018, 0.0245982, 0.0462756, 0.0226886, -0.0735788, 0.0330055, -0.0565313, ...zeros],
      ...[-0.0391631, -0.0222801, 0.0489997, 0.0375459, 0.0231665, 0.0391772, 0.0261799, 0.0203532, ...zeros],
    ],
  },
])("positiveWeight $positiveWeight: PyTorch's value and gradient", async ({ positiveWeight, value, slopes }) => {
  const found = await lossOf({ layer: "features", positiveWeight });
  expect(found.value).toBeCloseTo(value, 6);
  const gradient = found.gradients.features!.data as Float32Array;
  for (const [i, slope] of slopes.entries()) expect(gradient[i]).toBeCloseTo(slope, 6);
});

test("volumes: trilinear, and the mask may have an axis of channels", async () => {
  const planes = (box: number[]) => [...box, ...box, ...Array(16).fill(0)];
  const deep = {
    features: float32([2, 3, 1, 2, 2], numbers),
    mask: float32([2, 1, 3, 4, 4], [...planes(boxes.slice(0, 16)), ...planes(boxes.slice(16))]),
  };
  const found = await lossOf({ layer: "features" }, deep);
  expect(found.value).toBeCloseTo(0.8508912537857151, 6);
  expect((found.gradients.features!.data as Float32Array)[5]).toBeCloseTo(0.0040291, 6);
});

test.each<[Record<string, unknown>, Record<string, Tensor>, string]>([
  [{ layer: "feature" }, {}, 'segment: there is no layer "feature"'],
  [{ layer: "features", mask: "masks" }, {}, 'segment: there is no field "masks"'],
  [
    { layer: "features" },
    { logits: float32([2, 4], Array(8).fill(0)) },
    'layer "features" is [2, 3, 2, 2], it wants a channel for each of 4 classes',
  ],
  [{ layer: "features" }, { mask: float32([2, 4], Array(8).fill(0)) }, "segment: its mask is [2, 4]"],
])("%o is refused", async (options, inputs, message) => {
  await expect(lossOf(options, inputs)).rejects.toThrow(message);
});
