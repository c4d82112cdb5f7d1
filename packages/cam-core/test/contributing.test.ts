import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { gradientPlan, plan } from "../src/explain/plan.ts";
import { copyGraph, type Graph } from "../src/graph/graph.ts";
import type { Model } from "../src/model/model.ts";
import { withSession } from "../src/runtime/session.ts";
import type { Tensor } from "../src/tensor.ts";
import { checkVjp, referenceInput, referenceNetwork } from "../src/testing/index.ts";
import { elementWiseGradCam } from "./examples/element-wise-grad-cam.ts";
import { quickGelu } from "./examples/quick-gelu.ts";

/**
 * The examples of CONTRIBUTING.md are files: the type checker reads them with the rest of test/, and what they do is tested
 * here. The text must quote them word by word.
 */
describe("CONTRIBUTING.md quotes what compiles", () => {
  const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");
  const quoted = [...read("../../../CONTRIBUTING.md").matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code!);
  const examples = readdirSync(new URL("examples/", import.meta.url)).map((name) => read(`examples/${name}`));

  test("each block is part of an example", () => {
    for (const code of quoted)
      expect(
        examples.some((example) => example.includes(code)),
        code,
      ).toBe(true);
  });
  test("each example is quoted, all but its imports", () => {
    for (const example of examples) expect(quoted).toContain(example.replace(/^import .*\n/gm, "").trimStart());
  });
});

describe("the example of a rule", () => {
  const [[opType, rule]] = Object.entries(quickGelu) as [[string, (typeof quickGelu)["com.microsoft:QuickGelu"]]];

  test("is the derivative", async () => {
    expect((await checkVjp(opType, { seed: 1, rule })).worst).toBeGreaterThan(0);
  });
  test("fails when it is 0.1 % wrong", async () => {
    await expect(checkVjp(opType, { seed: 1, rule, scaleGradient: 1.001 })).rejects.toThrow(/projection differs/);
  });
});

describe("the example of a method", () => {
  test("gives the sum that its comment states", async () => {
    const target = { kind: "auto" } as const;
    const run = async (graph: Graph, feeds: Readonly<Record<string, Tensor>>, output: string) =>
      Array.from((await withSession(graph, {}, (s) => s.run(feeds, [output])))[output]!.data as Float32Array);

    const made = plan(referenceNetwork(), { method: elementWiseGradCam, layers: ["A"], targets: [target] });
    const feeds = { x: referenceInput, ...made.targets[0]!.feeds(target, 1) };
    const map = await run(made.graph, feeds, made.targets[0]!.raw[0]!);

    const dA = gradientPlan(referenceNetwork(), { target, wrt: "A" });
    const g = await run(dA.graph, feeds, dA.gradient); // [1, 3, 2, 2]
    const a = await run(showing(referenceNetwork(), "A"), { x: referenceInput }, "A");
    const sum = [0, 1, 2, 3].map((at) =>
      [0, 4, 8].reduce((total, channel) => total + Math.max(0, g[channel + at]! * a[channel + at]!), 0),
    );
    expect(Math.max(...sum)).toBeGreaterThan(0.1);
    map.forEach((value, at) => {
      expect(value).toBeCloseTo(sum[at]!, 5);
    });
  });
});

/** The model's graph with one of its inner values as its only output. */
function showing(model: Model, name: string): Graph {
  const graph = copyGraph(model.graph);
  graph.outputs = [{ name, dtype: "float32" }];
  return graph;
}
