import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeNpy, float32, int64, writeAtomic } from "@camkit/cam-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Dataset } from "../data/dataset.ts";
import { openDataset } from "../data/open.ts";
import { losses } from "../losses/index.ts";
import { createNetwork } from "../networks/create.ts";
import { adamW } from "../optimisers/adam.ts";
import { sgd } from "../optimisers/sgd.ts";
import { keyed } from "../random.ts";
import { readLog, timeFields } from "../report/log.ts";
import { cosine, warmUp } from "../schedules/index.ts";
import { type Recipe, runFiles, type TrainEvent, train } from "./train.ts";

let folder: string;
let dataset: Dataset;
const network = () =>
  createNetwork({
    name: "tiny",
    input: { name: "image", shape: ["n", 3, 8, 8] },
    seed: 3,
    layers: [
      { conv: { filters: 8, kernel: 3, padding: "same", bias: false } },
      "batchNorm",
      "relu",
      { maxPool: 2 },
      "flatten",
      { dropout: 0.3 },
      { dense: 3 },
    ],
  });

/** Three classes, told apart by which colour is the brightest. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "camkit-train-"));
  const count = 70;
  const pictures = new Float32Array(count * 3 * 64);
  const labels: number[] = [];
  for (let i = 0; i < count; i++) {
    const draw = keyed(5, i);
    const label = i % 3;
    labels.push(label);
    for (let c = 0; c < 3; c++)
      for (let p = 0; p < 64; p++) pictures[(i * 3 + c) * 64 + p] = draw.uniform(-1, 1) + (c === label ? 0.4 : 0);
  }
  await writeAtomic(join(folder, "x.npy"), encodeNpy(float32([count, 3, 8, 8], pictures)));
  await writeAtomic(join(folder, "y.npy"), encodeNpy(int64([count], labels)));
  dataset = await openDataset({
    kind: "npy",
    inputs: join(folder, "x.npy"),
    labels: join(folder, "y.npy"),
    classes: ["red", "green", "blue"],
  });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function recipe(more: Partial<Recipe> = {}): Recipe {
  const graph = network();
  const crossEntropy = losses.get("crossEntropy")!;
  return {
    graph,
    train: { dataset, indices: Array.from({ length: 50 }, (_, i) => i) },
    validation: { dataset, indices: Array.from({ length: 20 }, (_, i) => 50 + i) },
    trained: [...graph.initializers.keys()].filter((name) => /weight|bias/.test(name)),
    loss: (context) => ({ loss: crossEntropy(context) }),
    optimiser: adamW(),
    rate: 0.01,
    decay: 0.05,
    schedule: warmUp(0.2, cosine()),
    clip: 1,
    accumulate: 2,
    averaging: 0.9,
    epochs: 4,
    batch: 8,
    seed: 11,
    monitor: "accuracy",
    ...more,
  };
}

const run = (given: Recipe, name: string, more: Partial<Parameters<typeof train>[1]> = {}) =>
  train(given, { folder: join(folder, name), recipe: "test", workers: 0, threads: 1, logEvery: 2, ...more });

const untimed = async (name: string) =>
  (await readLog(join(folder, name, runFiles.log))).map((entry) =>
    Object.fromEntries(Object.entries(entry).filter(([key]) => !(timeFields as readonly string[]).includes(key))),
  );

test("it learns, and the best validation's weights are given back", async () => {
  const events: TrainEvent[] = [];
  const result = await run(recipe({ epochs: 20 }), "learns", { onEvent: (event) => events.push(event) });
  expect(result).toMatchObject({ ended: "finished", step: 60, steps: 60 });
  const losses = events.flatMap((event) => (event.kind === "step" ? [event.loss] : []));
  expect(losses.slice(-5).reduce((a, b) => a + b) / 5).toBeLessThan(0.5 * losses[0]!);
  // 20 pictures; a third would be guessed.
  expect(result.best!.value).toBeGreaterThanOrEqual(0.9);
  expect(Object.keys(result.weights).sort()).toEqual(
    [...network().initializers.keys()].filter((n) => /weight|bias|running/.test(n)).sort(),
  );
});

test("a run that is stopped at any step goes on to exactly the same weights and the same log", async () => {
  const whole = await run(recipe(), "whole");
  const wanted = await readFile(join(folder, "whole", runFiles.last));
  for (let stopAt = 1; stopAt < whole.steps; stopAt += 2) {
    const name = `stopped-${stopAt}`;
    const stop = new AbortController();
    const onEvent = (event: TrainEvent) => event.kind === "step" && event.step === stopAt && stop.abort();
    const first = await run(recipe(), name, { signal: stop.signal, onEvent });
    expect(first).toMatchObject({ ended: "interrupted", step: stopAt });
    const second = await run(recipe(), name, { resume: true });
    expect(second.ended).toBe("finished");
    expect(second.best).toEqual(whole.best);
    for (const [weight, data] of Object.entries(whole.weights)) expect(second.weights[weight]).toEqual(data);
    expect(await untimed(name)).toEqual(await untimed("whole"));
    // All of the state, the optimiser's and the average included: the files differ in the time that passed alone.
    const found = await readFile(join(folder, name, runFiles.last));
    const end = (file: Buffer) => file.subarray(8 + Number(file.readBigUInt64LE(0)));
    expect(end(found).equals(end(wanted))).toBe(true);
  }
});

test("what another run left is refused by name", async () => {
  await run(recipe({ epochs: 1 }), "mine");
  await expect(run(recipe({ epochs: 1 }), "mine", { resume: true, recipe: "another" })).rejects.toThrow(
    /is from another run: its recipe, network or data differ/,
  );
});

test("a run that goes on with another number of threads says so", async () => {
  await run(recipe({ epochs: 1 }), "threads");
  const events: TrainEvent[] = [];
  const onEvent = (event: TrainEvent) => events.push(event);
  await run(recipe({ epochs: 1 }), "threads", { resume: true, onEvent });
  await run(recipe({ epochs: 1 }), "threads", { resume: true, onEvent, threads: 2 });
  const said = events.filter(({ kind }) => kind === "resumed");
  expect(said).toEqual([
    { kind: "resumed", step: 3, steps: 3 },
    { kind: "resumed", step: 3, steps: 3, threads: [1, 2] },
  ]);
});

test("without a better validation it ends early, and stays ended", async () => {
  const still = recipe({ epochs: 10, rate: 1e-12, patience: 2, statistics: "keep" });
  expect(await run(still, "early")).toMatchObject({ ended: "early", step: 9, best: { epoch: 1 } });
  expect(await run(still, "early", { resume: true })).toMatchObject({ ended: "early", step: 9 });
});

test("a loss that blows up stops the run, naming step and tensor; the checkpoint is from before", async () => {
  const wild = recipe({
    optimiser: sgd(),
    rate: 1e30,
    clip: undefined,
    decay: 0,
    accumulate: 1,
    averaging: undefined,
    schedule: () => 1,
  });
  await expect(run(wild, "wild")).rejects.toThrow(/"(gradient of )?[\w.]+" is no longer finite at step \d+/);
});
