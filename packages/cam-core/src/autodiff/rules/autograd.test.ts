import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Builder } from "../../graph/builder.ts";
import { withSession } from "../../runtime/session.ts";
import { float32, int64, type Tensor } from "../../tensor.ts";
import { feed, oneNode } from "../../testing/one-node.ts";
import { largest, moved } from "../../testing/vectors.ts";
import { gradient } from "../gradient.ts";
import type { Sample } from "../rule.ts";

type Stored = { dtype: string; shape: number[]; data: number[] };
type Case = {
  op: string;
  opset: number;
  attributes: NonNullable<Sample["attributes"]>;
  inputs: (Stored | null)[];
  cotangents: Stored[];
  outputs: Stored[];
  gradients: Record<string, Stored>;
};

const golden: { program: string; version: string; cases: Case[] } = JSON.parse(
  readFileSync(new URL("./golden/autograd.json", import.meta.url), "utf8"),
);

function tensor({ dtype, shape, data }: Stored): Tensor {
  if (dtype === "int64") return int64(shape, data);
  return dtype === "int32" ? { dtype, shape, data: Int32Array.from(data) } : float32(shape, data);
}

describe(`as ${golden.program} ${golden.version} in float64`, () => {
  test.each(golden.cases.map((each, i) => [`${i} ${each.op}`, each] as const))("%s", async (_, each) => {
    const inputs = each.inputs.map((one) => one && tensor(one));
    const wanted = Object.keys(each.gradients).map(Number);
    const outputs = each.outputs.length;
    const graph = oneNode(each.op, {
      inputs: inputs.map((one) => one ?? undefined),
      attributes: each.attributes,
      outputs,
      opset: each.opset,
      constants: inputs.flatMap((_, i) => (wanted.includes(i) ? [] : [i])),
    });
    const op = new Builder(graph);
    const seeds = each.cotangents.map(({ shape }, i) => feed(op, `v${i}`, { dtype: "float32", shape }));
    const cotangents = new Map(seeds.map((seed, i) => [`y${i}`, seed]));
    const found = gradient(
      op,
      cotangents,
      wanted.map((i) => `x${i}`),
    );
    graph.outputs = [...cotangents.keys(), ...found].map((name) => ({ name, dtype: "float32" }));
    const feeds = [
      ...wanted.map((i) => [`x${i}`, inputs[i]!] as const),
      ...each.cotangents.map((one, i) => [`v${i}`, tensor(one)] as const),
    ];
    await withSession(graph, { threads: 1 }, async (session) => {
      const results = await session.run(Object.fromEntries(feeds));
      const compared = [
        ...each.outputs.map((expected, i) => [`y${i}`, expected] as const),
        ...wanted.map((input, i) => [found[i]!, each.gradients[input]!] as const),
      ];
      for (const [name, expected] of compared) {
        const result = results[name]!;
        expect(result.shape, name).toEqual(expected.shape);
        const reference = tensor(expected);
        expect(largest(moved(result, reference, -1)) / largest(reference), name).toBeLessThan(2e-6);
      }
    });
  });
});
