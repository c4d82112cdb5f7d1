import { expect, test } from "vitest";
import { runStaged } from "../runtime/explain.ts";
import { referenceInput, referenceNetwork } from "../testing/tiny-models.ts";
import { defineStagedMethod } from "./method.ts";

/**
 * The contract's stages carry a method that isn't one graph: Score-CAM (arXiv:1910.01279, eq. 5-6), each channel weighing
 * what the model says of the input masked by it. It is written here as a method file would be, and isn't offered yet.
 */
const scoreCam = defineStagedMethod({
  name: "score-cam",
  summary: "channels weighted by the score of the input masked by them; no gradients",
  source: "arXiv:1910.01279, eq. 5-6",
  needs: ["activations", "input"],
  stages: [
    {
      kind: "nodes",
      // [N, K, ...S]: each channel at the input's size, min-max scaled.
      build: ({ op, activations, input }) => {
        const size = op.concat([op.shape(activations, 0, 2), op.shape(input, 2)], 0);
        const large = op.node("Resize", [activations, undefined, undefined, size], {
          mode: "linear",
          coordinate_transformation_mode: "half_pixel",
        })[0]!;
        const axes = Array.from({ length: op.rank(input) - 2 }, (_, i) => i + 2);
        const shifted = op.sub(large, op.reduceMin(large, { axes }));
        return { masks: op.div(shifted, op.add(op.reduceMax(shifted, { axes }), 1e-8)) };
      },
    },
    {
      kind: "batched",
      over: "masks",
      from: "input",
      makes: "scores",
      variants: ({ op, input }, slice) => op.mul(input, op.unsqueeze(slice, [1])),
    },
    {
      kind: "nodes",
      build: ({ op, activations, made, space }) => {
        const w = op.unsqueeze(op.softmax(made.scores!, 1), space);
        return { map: op.relu(op.reduceSum(op.mul(w, activations), { axes: [1], keepdims: false })) };
      },
    },
  ],
});

test("Score-CAM fits the contract and gives the reference values", async () => {
  const progress: number[] = [];
  const result = await runStaged(
    referenceNetwork(),
    scoreCam,
    { x: referenceInput },
    { kind: "auto" },
    { layers: ["A"], onProgress: (done) => progress.push(done) },
  );
  // pytorch-grad-cam's Score-CAM with half-pixel resizing, float64.
  const wanted = [0.1320669, 1.7285009, 0.1312985, 4.6525067];
  for (const [i, value] of (result.raw.data as Float32Array).entries())
    expect(Math.abs(value - wanted[i]!)).toBeLessThan(1e-5);
  expect(result.classes).toEqual([1]);
  expect(result.map.shape).toEqual([1, 4, 4]);
  expect(progress.at(-1)).toBe(3);
});

/** Ablation-CAM's runs: the part behind the layer, with one channel at zero. */
const ablation = defineStagedMethod({
  name: "ablation",
  summary: "channels weighted by how much the score falls without them",
  source: "Desai & Ramaswamy 2020, eq. 3",
  needs: ["activations"],
  stages: [
    {
      kind: "nodes",
      // [N, K, K]: row k keeps every channel but k.
      build: ({ op, activations }) => {
        const k = op.dim(activations, 1);
        const eye = op.oneHot(
          op.range(op.scalar(0, "int64"), op.squeeze(k, [0]), op.scalar(1, "int64")),
          op.squeeze(k, [0]),
          "float32",
        );
        return { keep: op.expand(op.sub(1, eye), op.concat([op.dim(activations, 0), k, k], 0)) };
      },
    },
    {
      kind: "batched",
      over: "keep",
      from: "layer",
      makes: "scores",
      variants: ({ op, activations, space }, slice) => op.mul(activations, op.unsqueeze(slice, space)),
    },
    {
      kind: "host",
      reads: ["scores"],
      run: ({ scores }) => ({
        weights: { ...scores!, data: (scores!.data as Float32Array).map((s) => (1.9699665 - s) / 1.9699665) },
      }),
    },
    {
      kind: "nodes",
      build: ({ op, activations, made, space }) => ({
        map: op.reduceSum(op.mul(op.unsqueeze(made.weights!, space), activations), { axes: [1], keepdims: false }),
      }),
    },
  ],
});

test("a method that runs only the head, with a host step, gives the reference values", async () => {
  const result = await runStaged(
    referenceNetwork(),
    ablation,
    { x: referenceInput },
    { kind: "auto" },
    { layers: ["A"] },
  );
  const wanted = [-0.2607735, 1.8819661, 0.1499081, 3.7370862];
  for (const [i, value] of (result.raw.data as Float32Array).entries())
    expect(Math.abs(value - wanted[i]!)).toBeLessThan(1e-5);
});

test("an aborted run stops between batches", async () => {
  const controller = new AbortController();
  controller.abort();
  await expect(
    runStaged(
      referenceNetwork(),
      scoreCam,
      { x: referenceInput },
      { kind: "auto" },
      { layers: ["A"], signal: controller.signal },
    ),
  ).rejects.toMatchObject({ code: "aborted" });
});
