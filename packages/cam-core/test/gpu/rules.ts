import { expect, test } from "vitest";
import { gradient } from "../../src/autodiff/gradient.ts";
import { type Rule, type Sample, samplesOf } from "../../src/autodiff/rule.ts";
import { rules } from "../../src/autodiff/rules/index.ts";
import { Builder } from "../../src/graph/builder.ts";
import { checkGraph } from "../../src/graph/check.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { withSession } from "../../src/runtime/session.ts";
import type { Tensor } from "../../src/tensor.ts";
import { feed, oneNode } from "../../src/testing/one-node.ts";
import { rng } from "../../src/testing/rng.ts";
import { copied, like } from "../../src/testing/vectors.ts";
import { device, gapBetween, holdDevice, tolerance, withoutGpu } from "./device.ts";

const sampled = Object.entries(rules).filter((entry): entry is [string, Rule] => "sample" in entry[1]);

/** A software driver compiles every kernel for the CPU, for some rules a hundred. */
const slow = 600_000;

/** Every `of`-th rule from `part` on: files run beside each other, tests in a file don't. */
export function testRules(part: number, of: number): void {
  if (withoutGpu()) {
    test.skip("every rule's samples on a device");
    return;
  }
  holdDevice();
  const mine = sampled.filter((_, at) => at % of === part);
  test.each(mine)(
    "%s: forward and backward are the CPU's",
    async (opType, rule) => {
      const gaps: string[] = [];
      const random = rng(5);
      for (const [index, sample] of samplesOf(rule, random).entries()) {
        const { graph, y } = withGradient(opType, sample);
        const free = hasFreeOrder(opType, sample);
        const draw = free ? () => 1 : () => random.next() - 0.5;
        const inputs = graph.inputs.filter(({ name }) => name !== "v");
        const feeds = Object.fromEntries(inputs.map(({ name }) => [name, sample.inputs[Number(name.slice(1))]!]));
        const v = like((await ran("cpu", asking(graph, y), feeds))[y]!, draw);
        const [cpu, other] = await Promise.all(["cpu", device].map((on) => ran(on, graph, { ...feeds, v })));
        const gap = free ? gapBetween(sorted(cpu!), sorted(other!)) : gapBetween(cpu!, other!);
        if (!(gap <= tolerance)) gaps.push(`sample ${index} differs by ${gap}`);
      }
      expect(gaps).toEqual([]);
    },
    slow,
  );
}

/** A node, and the gradient of ⟨v, its output⟩ with respect to its inputs. */
function withGradient(opType: string, sample: Sample): { graph: Graph; y: string } {
  const graph = oneNode(opType, sample);
  const y = `y${sample.output ?? 0}`;
  const wrt = sample.wrt?.map((i) => `x${i}`) ?? graph.inputs.map(({ name }) => name);
  const op = new Builder(graph);
  feed(op, "v", { dtype: "float32", shape: op.dims(y) });
  const found = gradient(op, new Map([[y, "v"]]), wrt).map((dx, i) => op.alias(dx, `d${wrt[i]}`));
  graph.outputs = [y, ...found].map((name) => ({ name, dtype: "float32" as const }));
  checkGraph(graph);
  return { graph, y };
}

function asking(graph: Graph, name: string): Graph {
  const [node] = graph.nodes;
  const inputs = graph.inputs.filter((input) => input.name !== "v");
  return { ...graph, inputs, nodes: [node!], outputs: [{ name, dtype: "float32" }] };
}

function ran(on: string, graph: Graph, feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> {
  return withSession(graph, { device: on, threads: 1 }, (session) => session.run(copied(feeds)));
}

/** The k largest in any order: what is gathered and sent back is a set. */
function hasFreeOrder(opType: string, { attributes }: Sample): boolean {
  return opType === "TopK" && attributes?.sorted === 0;
}

function sorted(tensors: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
  const entries = Object.entries(tensors).map(([name, tensor]) => [
    name,
    { ...tensor, data: (tensor.data as Float32Array).slice().sort() },
  ]);
  return Object.fromEntries(entries);
}
