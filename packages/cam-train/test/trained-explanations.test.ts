import {
  createExplainer,
  float32,
  type Graph,
  int64,
  openModel,
  sourceOf,
  type Tensor,
  writeModel,
} from "@camkit/cam-core";
import { expect, test } from "vitest";
import { buildLoss, type LossItem } from "../src/losses/index.ts";
import { chooseTrainable } from "../src/network/choose-trainable.ts";
import { inferenceForm } from "../src/network/inference-form.ts";
import { createNetwork } from "../src/networks/create.ts";
import { adamW } from "../src/optimisers/adam.ts";
import { keyed } from "../src/random.ts";
import { type Aim, aimOf, enlarge } from "../src/scenes/pointing.ts";
import { layOut } from "../src/step/layout.ts";
import { planStep } from "../src/step/plan.ts";
import { openStepper } from "../src/step/stepper.ts";

/*
 * Explanations can be trained: the same small network, the same seed, the same pictures in the same order, with and without a
 * loss term on its Grad-CAM maps. (The shipped scene model, with numbers: docs/trained-explanations.md.)
 */
const size = 24;
const batch = 16;

const network = () =>
  createNetwork({
    name: "small",
    input: { name: "image", shape: ["n", 3, size, size] },
    seed: 5,
    layers: [
      { conv: { filters: 8, kernel: 4, stride: 2, padding: 1 } },
      "relu",
      { conv: { filters: 12, kernel: 3, padding: 1 } },
      "relu",
      { conv: { filters: 12, kernel: 3, padding: 1 } },
      { relu: { name: "features" } },
      "globalAveragePool",
      { dense: { name: "head", units: 3 } },
    ],
  });

/** Noise, and a square of 8 × 8 somewhere that is brighter in one channel: its class. */
function pictures(step: number): Record<string, Tensor> {
  const draw = keyed(9, "pictures", step);
  const input = new Float32Array(batch * 3 * size * size).map(() => draw.uniform(-1, 1));
  const mask = new Uint8Array(batch * size * size);
  const labels = Array.from({ length: batch }, (_, n) => {
    const [left, top, label] = [draw.integer(0, size - 8), draw.integer(0, size - 8), draw.integer(0, 2)];
    for (let y = top; y < top + 8; y++)
      for (let x = left; x < left + 8; x++) {
        mask[(n * size + y) * size + x] = 1;
        input[((n * 3 + label) * size + y) * size + x]! += 0.7;
      }
    return label;
  });
  return {
    input: float32([batch, 3, size, size], input),
    label: int64([batch], labels),
    mask: { dtype: "uint8", shape: [batch, size, size], data: mask },
  };
}

async function trained(loss: LossItem[], steps: number): Promise<Graph> {
  const graph = network();
  const names = chooseTrainable(graph);
  const fields = {
    input: { dtype: "float32", shape: [3, size, size] },
    label: { dtype: "int64", shape: [] },
    mask: { dtype: "uint8", shape: [size, size] },
  } as const;
  const plan = planStep({ graph, batch, fields, trained: names, loss: (context) => buildLoss(context, loss) });
  const layout = layOut(graph, names);
  const stepper = await openStepper({ plan, layout, optimiser: adamW(), threads: 1 }, graph);
  for (let step = 1; step <= steps; step++) {
    await stepper.accumulate({ fields: pictures(step) }, step);
    await stepper.update(step, 0.005);
  }
  const { weights } = stepper.state;
  await stepper.close();
  return inferenceForm(
    graph,
    Object.fromEntries(layout.slots.map(({ name, offset, length }) => [name, weights.slice(offset, offset + length)])),
  );
}

/** Accuracy, and how the maps of the true classes lie on their squares, over pictures that training didn't see. */
async function measured(graph: Graph) {
  const model = openModel(sourceOf(writeModel(graph).model), { name: "small.onnx" });
  const explainer = await createExplainer(model, { layers: ["features"], finish: false, threads: 1 });
  const classes = [0, 1, 2].map((index) => ({ kind: "class", index }) as const);
  let right = 0;
  const aims: Aim[] = [];
  for (let step = 0; step < 16; step++) {
    const { input, label, mask } = pictures(-1 - step);
    const { logits, explanations } = await explainer.run({ image: input! }, classes);
    for (let n = 0; n < batch; n++) {
      const of = <T extends Float32Array | Uint8Array>({ data }: Tensor): T =>
        (data as T).subarray((n * data.length) / batch, ((n + 1) * data.length) / batch) as T;
      const is = Number(label!.data[n]);
      const scores = [...of<Float32Array>(logits)];
      if (scores.indexOf(Math.max(...scores)) === is) right++;
      const map = of<Float32Array>(explanations[is]!.raw[0]!);
      aims.push(aimOf(enlarge(map, size / 2, size / 2, size, size), of<Uint8Array>(mask!)));
    }
  }
  await explainer.close();
  const mean = (value: (aim: Aim) => number) => aims.reduce((sum, aim) => sum + value(aim), 0) / aims.length;
  return {
    accuracy: right / aims.length,
    pointing: mean(({ hit }) => Number(hit)),
    energy: mean(({ energy }) => energy),
  };
}

test("a loss term on the map moves its energy into the object, and the accuracy stays", async () => {
  const plain = await measured(await trained(["crossEntropy"], 200));
  const guided = await measured(await trained(["crossEntropy", { map: { layer: "features", weight: 3 } }], 200));
  expect(plain.accuracy).toBeGreaterThan(0.95);
  expect(guided.accuracy).toBeGreaterThan(plain.accuracy - 0.01);
  expect(guided.energy).toBeGreaterThan(plain.energy + 0.2); // 0.53 and 0.83
  expect(guided.pointing).toBeGreaterThanOrEqual(plain.pointing - 0.01);
});
