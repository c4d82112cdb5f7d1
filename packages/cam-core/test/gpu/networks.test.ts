import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Model } from "../../src/model/model.ts";
import { writeModel } from "../../src/model/write.ts";
import { benchModel } from "../../src/runtime/bench.ts";
import { computeGradient, createExplainer } from "../../src/runtime/explain.ts";
import { loadModel } from "../../src/runtime/load-model.ts";
import { using } from "../../src/runtime/runtime.ts";
import { openSession } from "../../src/runtime/session.ts";
import { float32, type Tensor } from "../../src/tensor.ts";
import { rng } from "../../src/testing/rng.ts";
import { smallCnn, smallVit, smallVolumeNet } from "../../src/testing/small-networks.ts";
import { tinyModel } from "../../src/testing/tiny-models.ts";
import { device, gapBetween, holdDevice, tolerance, withoutGpu } from "./device.ts";

holdDevice();

type Case = { readonly name: string; readonly model: Model; readonly x: Tensor; readonly onCpu: readonly string[] };

/** What a network's map and gradient need of the faults' table, by operator. */
const cases: readonly Case[] = [
  { name: "a CNN with max pooling", model: smallCnn(), x: rng(1).normal([2, 3, 20, 23]), onCpu: ["MaxPool"] },
  {
    name: "a 3-D network",
    model: smallVolumeNet(),
    x: rng(1).normal([2, 1, 6, 8, 8]),
    onCpu: ["MaxPool", "Conv", "ConvTranspose"],
  },
  { name: "a ViT", model: smallVit(), x: rng(1).normal([2, 3, 24, 24]), onCpu: [] },
];

async function explained(model: Model, x: Tensor, on: string) {
  const explainer = await createExplainer(model, { device: on, threads: 1 });
  try {
    const { explanations, logits } = await explainer.run({ x });
    const [{ raw, map }] = explanations as [(typeof explanations)[0]];
    return { tensors: { raw: raw[0]!, map: map!, logits }, ranOn: explainer.ranOn() };
  } finally {
    await explainer.close();
  }
}

describe.skipIf(withoutGpu())("whole networks", () => {
  test.each(cases)("Grad-CAM on $name is the CPU's, and the result says what ran where", async ({ model, x }) => {
    const cpu = await explained(model, x, "cpu");
    const other = await explained(model, x, device);
    expect(gapBetween(cpu.tensors, other.tensors)).toBeLessThan(tolerance);
    expect(cpu.ranOn).toMatchObject({ requested: "cpu", device: "cpu", passedOver: [], onCpu: [] });
    expect(Object.keys(cpu.ranOn.nodes!)).toEqual(["cpu"]);
    expect(other.ranOn).toMatchObject({ requested: device, device, passedOver: [] });
    const { nodes, onCpu } = other.ranOn;
    expect(nodes?.[device as "webgpu"]).toBeGreaterThan(5);
    expect(onCpu.flatMap((entry) => entry.nodes)).toHaveLength(nodes?.cpu ?? 0);
  });

  test.each(cases)("the input's gradient of $name is the CPU's", async ({ model, x, onCpu }) => {
    const target = { kind: "class", index: 1 } as const;
    const [cpu, other] = await Promise.all(
      ["cpu", device].map((on) => computeGradient(model, { x }, { target, device: on, precision: "float32" })),
    );
    expect(gapBetween({ dx: cpu!.gradient }, { dx: other!.gradient })).toBeLessThan(tolerance);
    const pinned = other!.ranOn.onCpu.filter(({ why }) => why.startsWith(`${device} `));
    if (device === "webgpu") expect(new Set(pinned.map(({ operator }) => operator))).toEqual(new Set(onCpu));
  });

  test("weights that lie in a file are taken from there, and bench measures both", async () => {
    const folder = mkdtempSync(join(tmpdir(), "camkit-gpu-"));
    try {
      const path = join(folder, "cnn.onnx");
      writeFileSync(path, writeModel(smallCnn().graph).model);
      const { x } = { x: cases[0]!.x };
      const cpu = await explained(smallCnn(), x, "cpu");
      const mapped = await explained(await loadModel(path), x, device);
      expect(gapBetween(cpu.tensors, mapped.tensors)).toBeLessThan(tolerance);
      const measured = await benchModel(path, { device, pairs: 2, method: "gradient" });
      expect(measured).toMatchObject({ provider: device, pairs: 2, ranOn: { requested: device } });
      expect(measured.ratio).toBeGreaterThan(0);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }, 120_000);

  test("outputs are written into the tensors that are given", async () => {
    const { graph } = tinyModel({ x: ["n"] }, (op, { x }) => ({ y: op.mul(x!, 2) }));
    await using(openSession(graph, { device, writesInto: true }), async (session) => {
      const y = float32([3], [0, 0, 0]);
      await session.run({ x: float32([3], [1, 2, 3]) }, { y });
      await session.run({ x: float32([3], [2, 3, 4]) }, { y });
      expect([...(y.data as Float32Array)]).toEqual([4, 6, 8]);
    });
  });
});
