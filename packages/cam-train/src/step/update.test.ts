import { describe, expect, test } from "vitest";
import golden from "../../test/golden/optimisers.json" with { type: "json" };
import { optimisers } from "../optimisers/index.ts";
import type { Optimiser } from "../optimisers/optimiser.ts";
import { constant, type Schedule, schedules, warmUp } from "../schedules/index.ts";
import { openArithmetic } from "./arithmetic.ts";
import type { Layout } from "./layout.ts";
import { type Arrays, openUpdate } from "./update.ts";

/** What PyTorch did in ten steps, in the package's words: scripts/golden/optimisers.py. */
type Case = {
  name: string;
  optimiser: { kind: keyof typeof optimisers; rate: number; decay?: number };
  groups?: Record<string, { rate?: number; decay?: number }>;
  schedule?: { kind: keyof typeof schedules; warmUp?: number };
  clip?: number;
  accumulate?: number;
  ema?: number;
  rates: number[];
  weights: Record<string, number[]>[];
  averages?: Record<string, number[]>[];
};

function scheduleOf(given: Case["schedule"]): Schedule {
  if (given === undefined) return constant();
  const { kind, warmUp: first, ...options } = given;
  const made = schedules[kind].make(options as never);
  return first === undefined ? made : warmUp(first, made);
}

const fed = golden.fed;
const [first, second] = Object.entries(fed.weights).map(([name, { data }]) => ({ name, length: data.length }));
const starts: Record<string, number> = { [first!.name]: 0, [second!.name]: 16 };

describe("ten updates are PyTorch's", () => {
  const cases = (golden.cases as unknown as Case[]).filter(({ name }) => !name.startsWith("network"));
  test.each(cases.map((one) => [one.name, one] as const))("%s", async (_name, one) => {
    const spans = Object.keys(fed.weights).map((name) => ({
      begin: starts[name]!,
      end: starts[name]! + 16,
      rate: (one.groups?.[name]?.rate ?? one.optimiser.rate) / one.optimiser.rate,
      decay: one.groups?.[name]?.decay ?? one.optimiser.decay ?? 0,
    }));
    const layout: Layout = { slots: [], spans, length: 32 };
    const { kind, rate, decay: _decay, ...settings } = one.optimiser;
    const optimiser: Optimiser = optimisers[kind].make(settings as never);
    const put = (values: Readonly<Record<string, ArrayLike<number>>>) => {
      const array = new Float32Array(32);
      for (const [name, list] of Object.entries(values)) array.set(list, starts[name]!);
      return array;
    };
    const weights = put(Object.fromEntries(Object.entries(fed.weights).map(([name, { data }]) => [name, data])));
    const arrays: Arrays = {
      weights,
      gradients: new Float32Array(32),
      state: Object.fromEntries(optimiser.state.map((name) => [name, new Float32Array(32)])),
      ...(one.ema === undefined ? {} : { average: weights.slice() }),
    };
    const schedule = scheduleOf(one.schedule);
    const change = await openUpdate({ layout, optimiser, scaled: true, averages: one.ema !== undefined });
    const arithmetic = await openArithmetic(layout);
    const taken = one.accumulate ?? 1;
    try {
      for (const [at, expected] of one.weights.entries()) {
        arrays.gradients.set(put(fed.gradients[at * taken]!));
        for (let more = 1; more < taken; more++)
          await arithmetic.add(arrays.gradients, put(fed.gradients[at * taken + more]!));
        const norm = (await arithmetic.norm(arrays.gradients)) / taken;
        const shortened = one.clip === undefined ? 1 : Math.min(1, one.clip / (norm + 1e-6));
        const factor = schedule(at, one.rates.length);
        expect(factor).toBeCloseTo(one.rates[at]!, 6);
        await change.apply(arrays, {
          update: at + 1,
          rate: rate * factor,
          scale: shortened / taken,
          keep: one.ema ?? 0,
        });
        agree(arrays.weights, expected);
        if (one.averages) agree(arrays.average!, one.averages[at]!);
      }
    } finally {
      await change.close();
      await arithmetic.close();
    }
  });
});

function agree(array: Float32Array, expected: Readonly<Record<string, readonly number[]>>): void {
  for (const [name, values] of Object.entries(expected))
    for (const [i, value] of values.entries()) {
      const found = array[starts[name]! + i]!;
      if (!(Math.abs(found - value) <= 1e-6)) throw new Error(`${name}[${i}]: ${found}, PyTorch ${value}`);
    }
}
