import { expect, test } from "vitest";
import { GradientRuleError } from "../errors.ts";
import { Builder } from "../graph/builder.ts";
import type { Graph, Node, Shape } from "../graph/graph.ts";
import type { DType } from "../tensor.ts";
import { feed, oneNode } from "../testing/one-node.ts";
import { rng } from "../testing/rng.ts";
import { gradient, ruleName } from "./gradient.ts";
import { isDerivative, type Rule, type Sample, samplesOf } from "./rule.ts";
import { rules } from "./rules/index.ts";

/** What a file may leave open, or have otherwise: rules emit other operators then. */
const variants: Readonly<Record<string, (graph: Graph) => void>> = {
  "as sampled": () => {},
  "in float64": (graph) => retyped(graph, "float64"),
  "in float16": (graph) => retyped(graph, "float16"),
  "an open batch": (graph) => reshaped(graph, (dim, axis, i) => (i === 0 && axis === 0 ? "n" : dim)),
  "open sizes of the first input": (graph) => reshaped(graph, (dim, axis, i) => (i === 0 ? `d${axis}` : dim)),
  "open sizes": (graph) => reshaped(graph, (_, axis, i) => `d${i}_${axis}`),
  "open sizes, indices and lists computed in the graph": (graph) => {
    reshaped(graph, (_, axis, i) => `d${i}_${axis}`);
    for (const [name, { dtype, shape }] of graph.initializers)
      if (/int|bool/.test(dtype) && graph.initializers.delete(name)) graph.inputs.push({ name, dtype, shape });
  },
};

function retyped(graph: Graph, dtype: DType): void {
  graph.inputs = graph.inputs.map((input) => ({ ...input, dtype }));
}

function reshaped(graph: Graph, dim: (dim: Shape[number], axis: number, input: number) => Shape[number]): void {
  graph.inputs = graph.inputs.map((input, i) => ({ ...input, shape: input.shape!.map((d, axis) => dim(d, axis, i)) }));
}

/** The operators that a rule answers with at a sample, each under the name that the table has it by. */
function emitted(opType: string, sample: Sample, change: (graph: Graph) => void): string[] {
  const graph = oneNode(opType, sample);
  const wrt = sample.wrt?.map((i) => `x${i}`) ?? graph.inputs.map(({ name }) => name);
  change(graph);
  const op = new Builder(graph);
  const y = `y${sample.output ?? 0}`;
  const cotangent = feed(op, "cotangent", { dtype: op.dtype(y), shape: op.dims(y) });
  gradient(op, new Map([[y, cotangent]]), wrt);
  return graph.nodes.slice(1).flatMap(within);
}

/** A node's operator, and those of its sub-graphs. */
function within(node: Node): string[] {
  const bodies = Object.values(node.attributes).flatMap((one) => (one.type === "graph" ? one.value.nodes : []));
  return [ruleName(node), ...bodies.flatMap(within)];
}

/** What each rule emits at each of its samples that `table` doesn't have, and how many operators it does have of those. */
function openEnds(names: readonly string[], table: Readonly<Record<string, unknown>>) {
  const seen = new Set<string>();
  const missing: string[] = [];
  for (const opType of names)
    for (const [index, sample] of samplesOf(rules[opType] as Rule, rng(1)).entries())
      for (const [variant, change] of Object.entries(variants))
        try {
          for (const name of emitted(opType, sample, change)) {
            if (name in table) seen.add(name);
            else missing.push(`${opType}, sample ${index}, ${variant}: emits ${name}`);
          }
        } catch (error) {
          // A size that a rule needs, and says so.
          if (error instanceof GradientRuleError) continue;
          throw new Error(`${opType}, sample ${index}, ${variant}`, { cause: error });
        }
  return { seen: seen.size, missing };
}

test("what the rules emit has a rule, or is declared to carry no gradient", () => {
  const names = Object.keys(rules).filter((name) => isDerivative(rules[name]));
  const { seen, missing } = openEnds(names, rules);
  expect(missing).toEqual([]);
  expect(seen).toBeGreaterThan(60);
});

test("an operator without a rule is named, and who emits it", () => {
  const { Erf: _, ...others } = rules;
  expect(openEnds(["Gelu"], others).missing).toContain("Gelu, sample 0, as sampled: emits Erf");
});
