import { gradient } from "../autodiff/gradient.ts";
import type { Sample } from "../autodiff/rule.ts";
import { Builder } from "../graph/builder.ts";
import { checkGraph } from "../graph/check.ts";
import type { Shape } from "../graph/graph.ts";
import { pruneUnused } from "../graph/passes/prune-unused.ts";
import type { SessionOptions } from "../runtime/runtime.ts";
import { withSession } from "../runtime/session.ts";
import { sizeOf, type Tensor } from "../tensor.ts";
import { oneNode } from "./one-node.ts";
import { rng } from "./rng.ts";

export type VjpAtOptions = SessionOptions & {
  /** The cotangent, of the output's shape. Default: ones. */
  cotangent?: Tensor;
  /**
   * Shapes that the graph declares instead of the tensors' own, by position: symbols make them dynamic. An integer input
   * that has one isn't a constant any more: its contents are known in the run only.
   */
  shapes?: readonly (Shape | undefined)[];
};

/**
 * Runs one node forward and backward: its output, and the cotangent of each input that is differentiated (`wrt` of the
 * sample, default: every floating-point one), by position, and the operators that the rule added for them.
 */
export async function vjpAt(
  opType: string,
  sample: Sample,
  options: VjpAtOptions = {},
): Promise<{ y: Tensor; dx: Tensor[]; nodes: string[] }> {
  const { cotangent, shapes, ...session } = options;
  const graph = oneNode(opType, sample);
  const at = (name: string) => Number(name.slice(1));
  graph.inputs = graph.inputs.map((input) => ({ ...input, shape: shapes?.[at(input.name)] ?? input.shape }));
  const wrt = sample.wrt ?? graph.inputs.map(({ name }) => at(name));
  for (const [name, { dtype }] of graph.initializers) {
    const shape = shapes?.[at(name)];
    if (shape && graph.initializers.delete(name)) graph.inputs.push({ name, dtype, shape });
  }
  const output = `y${sample.output ?? 0}`;
  const op = new Builder(graph);
  const dtype = op.dtype(output);
  const shape = op.dims(output);
  graph.inputs = [...graph.inputs, { name: "cotangent", dtype, shape }];
  op.facts.types.set("cotangent", { dtype, shape });
  const found = gradient(
    op,
    new Map([[output, "cotangent"]]),
    wrt.map((i) => `x${i}`),
  );
  const forward = { ...graph, nodes: graph.nodes.slice(0, 1), outputs: [{ name: output, dtype }] };
  graph.outputs = found.map((value, i) => {
    const name = `dx${wrt[i]}`;
    graph.nodes.push({ opType: "Identity", domain: "", name, inputs: [value], outputs: [name], attributes: {} });
    return { name, dtype: op.dtype(value) };
  });
  checkGraph(graph);
  const added = { ...graph, initializers: new Map(graph.initializers) };
  pruneUnused(added);
  const nodes = added.nodes
    .filter((node) => !node.outputs.some((name) => /^d?x\d|^y\d/.test(name)))
    .map((node) => node.opType);
  const feeds = Object.fromEntries(
    graph.inputs.filter(({ name }) => name !== "cotangent").map(({ name }) => [name, sample.inputs[at(name)]!]),
  );
  forward.inputs = graph.inputs.filter(({ name }) => name !== "cotangent");
  const y = (await withSession(forward, session, (run) => run.run(feeds)))[output]!;
  const dy = cotangent ?? ones(y);
  const results = await withSession(graph, session, (run) => run.run({ ...feeds, cotangent: dy }));
  const dx: Tensor[] = [];
  for (const i of wrt) dx[i] = results[`dx${i}`]!;
  return { y, dx, nodes };
}

/**
 * How far the cotangents of a graph that declares `shapes` (symbols, as a rule) lie from those of the same node with the
 * tensors' own sizes: 0 for a rule that stays dynamic.
 */
export async function dynamicDifference(
  opType: string,
  sample: Sample,
  shapes: readonly (Shape | undefined)[],
  options: SessionOptions = {},
): Promise<number> {
  const { y } = await vjpAt(opType, sample, options);
  const cotangent = rng(7).normal(y.shape);
  const fixed = await vjpAt(opType, sample, { ...options, cotangent });
  const dynamic = await vjpAt(opType, sample, { ...options, cotangent, shapes });
  let worst = 0;
  for (const [i, a] of fixed.dx.entries()) {
    const b = dynamic.dx[i];
    if (!a || !b) continue;
    if (a.shape.join() !== b.shape.join())
      throw new Error(`input ${i}: [${b.shape}] when dynamic, [${a.shape}] when static`);
    (a.data as Float32Array).forEach((value, at) => {
      worst = Math.max(worst, Math.abs(value - (b.data as Float32Array)[at]!));
    });
  }
  return worst;
}

function ones(like: Tensor): Tensor {
  return { ...like, data: Float32Array.from({ length: sizeOf(like.shape) }, () => 1) };
}
