import { describe, expect, test } from "vitest";
import golden from "../../test/golden/optimisers.json" with { type: "json" };
import { losses } from "../losses/index.ts";
import { createNetwork } from "../networks/create.ts";
import { optimisers } from "../optimisers/index.ts";
import { constant, schedules, warmUp } from "../schedules/index.ts";
import { layOut } from "./layout.ts";
import { planStep } from "./plan.ts";
import { openStepper } from "./stepper.ts";

/** What PyTorch's training of a small network did in ten steps: scripts/golden/optimisers.py. */
type Case = {
  name: string;
  optimiser: { kind: keyof typeof optimisers; rate: number; decay?: number };
  groups?: Record<string, { rate?: number; decay?: number }>;
  schedule?: { kind: keyof typeof schedules; warmUp: number };
  clip?: number;
  ema?: number;
  losses: number[];
  weights: Record<string, number[]>[];
};

const {
  weights: first,
  x,
  labels,
} = golden.network as {
  weights: Record<string, { shape: number[]; data: number[] }>;
  x: { shape: number[]; data: number[] };
  labels: number[];
};

describe("ten steps of a network are PyTorch's, gradients included", () => {
  const cases = (golden.cases as unknown as Case[]).filter(({ name }) => name.startsWith("network"));
  test.each(cases.map((one) => [one.name, one] as const))("%s", async (_name, one) => {
    const graph = createNetwork({
      name: "network",
      input: { name: "x", shape: ["n", 4] },
      seed: 1,
      layers: [{ dense: { name: "first", units: 5 } }, "tanh", { dense: { name: "second", units: 3 } }],
    });
    for (const [name, { shape, data }] of Object.entries(first)) {
      const bytes = new Uint8Array(Float32Array.from(data).buffer);
      graph.initializers.set(name, { dtype: "float32", shape, byteLength: bytes.length, bytes });
    }
    const trained = Object.keys(first);
    const crossEntropy = losses.get("crossEntropy")!;
    const plan = planStep({
      graph,
      batch: 6,
      fields: { input: { dtype: "float32", shape: [4] }, label: { dtype: "int64", shape: [] } },
      trained,
      loss: (context) => ({ loss: crossEntropy(context) }),
    });
    const { kind, rate, decay = 0, ...settings } = one.optimiser;
    const bias = one.groups?.bias?.rate;
    const groups = bias === undefined ? [] : [{ match: (name: string) => name.endsWith("bias"), rate: bias / rate }];
    const layout = layOut(graph, trained, decay, groups);
    const optimiser = optimisers[kind].make(settings as never);
    const stepper = await openStepper(
      { plan, layout, optimiser, clip: one.clip, averaging: one.ema, threads: 1 },
      graph,
    );
    const schedule = one.schedule
      ? warmUp(one.schedule.warmUp, schedules[one.schedule.kind].make(one.schedule as never))
      : constant();
    const fields = {
      input: { dtype: "float32", shape: x.shape, data: Float32Array.from(x.data) },
      label: { dtype: "int64", shape: [6], data: BigInt64Array.from(labels, BigInt) },
    } as const;
    const agree = (array: Float32Array, expected: Record<string, number[]>) => {
      for (const { name, offset } of layout.slots)
        for (const [i, value] of expected[name]!.entries())
          if (!(Math.abs(array[offset + i]! - value) <= 1e-5))
            throw new Error(`${name}[${i}]: ${array[offset + i]}, PyTorch ${value}`);
    };
    const average = Object.fromEntries(Object.entries(first).map(([name, { data }]) => [name, data]));
    try {
      for (let step = 0; step < 10; step++) {
        const { loss } = await stepper.accumulate({ fields }, step + 1);
        expect(loss).toBeCloseTo(one.losses[step]!, 5);
        await stepper.update(step + 1, rate * schedule(step, 10));
        agree(stepper.state.weights, one.weights[step]!);
        // Its warm-up lets the average follow faster than PyTorch's: from a(0) = w(0), by min(ema, (1 + t) / (10 + t)).
        const keep = Math.min(one.ema ?? 0, (2 + step) / (11 + step));
        for (const { name } of one.ema === undefined ? [] : layout.slots)
          average[name] = one.weights[step]![name]!.map((w, i) => w + keep * (average[name]![i]! - w));
        if (one.ema !== undefined) agree(stepper.state.average!, average);
      }
    } finally {
      await stepper.close();
    }
  });
});
