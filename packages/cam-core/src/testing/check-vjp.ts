import { gradient } from "../autodiff/gradient.ts";
import { isDerivative, type Rule, type Sample, samplesOf } from "../autodiff/rule.ts";
import { rules } from "../autodiff/rules/index.ts";
import { Builder } from "../graph/builder.ts";
import { checkGraph } from "../graph/check.ts";
import { copyGraph, type Graph } from "../graph/graph.ts";
import { openSession } from "../runtime/session.ts";
import { feed, oneNode } from "./one-node.ts";
import { type Rng, rng } from "./rng.ts";
import { inBestPrecision, type Precision, tolerances } from "./tolerance.ts";
import { copied, dot, inPrecision, like, magnitude, moved } from "./vectors.ts";

export type CheckVjpOptions = {
  seed: number;
  /** Multiplies the rule's result: the check must notice 1.001. */
  scaleGradient?: number;
  /** Checks this rule instead of the table's. */
  rule?: Rule;
};

/** What a check used: the row of the tolerance table, and the largest relative difference it saw. */
export type CheckedVjp = { precision: Precision; worst: number };

/**
 * Compares a gradient rule with finite differences, along random directions, on each of its samples and inputs:
 * ⟨v, (f(x+hu) − f(x−hu)) / 2h⟩ = ⟨vjp(v), u⟩. Runs in float64 where ONNX Runtime has the kernels, else in float32.
 * Rejects with "projection differs" when they don't agree within the tolerance table's row.
 */
export async function checkVjp(opType: string, options: CheckVjpOptions): Promise<CheckedVjp> {
  const entry = options.rule ?? rules[opType];
  if (!isDerivative(entry)) throw new Error(`no gradient rule for ${opType} to check`);
  const random = rng(options.seed);
  const used: CheckedVjp = { precision: "float64", worst: 0 };
  for (const [index, sample] of samplesOf(entry, random).entries()) {
    const what = `${opType}, sample ${index}`;
    const result = await inBestPrecision(
      (precision) => checkAs(precision, what, opType, entry, inPrecision(precision, sample), random, options),
      sample.precision,
    );
    if (result.precision === "float32") used.precision = "float32";
    used.worst = Math.max(used.worst, result.worst);
  }
  return used;
}

async function checkAs(
  precision: Precision,
  what: string,
  opType: string,
  rule: Rule,
  sample: Sample,
  random: Rng,
  options: CheckVjpOptions,
): Promise<CheckedVjp> {
  const { inputs } = sample;
  const graph = oneNode(opType, sample);
  const output = `y${sample.output ?? 0}`;
  const { forward, backward, wrt } = await withGradient(graph, opType, rule, output, sample, precision);
  try {
    const feeds = Object.fromEntries(
      inputs.flatMap((t, i) => (t && graph.inputs.some(({ name }) => name === `x${i}`) ? [[`x${i}`, t]] : [])),
    );
    const y = (await forward.run(copied(feeds)))[output]!;
    const v = like(y, () => random.next() - 0.5);
    const gradients = await backward.run(copied({ ...feeds, cotangent: v }));
    const { h, rtol } = tolerances[precision][rule.kind];
    let worst = 0;
    for (const i of wrt) {
      const x = feeds[`x${i}`]!;
      const dx = gradients[`dx${i}`]!;
      if (dx.shape.join() !== x.shape.join())
        throw new Error(`${what}, input ${i}: the cotangent has shape [${dx.shape}], the input [${x.shape}]`);
      for (let direction = 0; direction < 3; direction++) {
        const u = like(x, () => random.next() - 0.5);
        const at = async (t: number) =>
          dot(v, (await forward.run(copied({ ...feeds, [`x${i}`]: moved(x, u, t) })))[output]!);
        const slope = async (step: number) => ((await at(step)) - (await at(-step))) / (2 * step);
        const numeric = rule.kind === "linear" ? await slope(h) : (4 * (await slope(h)) - (await slope(2 * h))) / 3;
        const byRule = dot(dx, u) * (options.scaleGradient ?? 1);
        // The scale is that of the terms, not of a sum that may cancel.
        const scale = Math.max(magnitude(dx, u), Math.abs(numeric), 1e-12);
        const difference = Math.abs(numeric - byRule) / scale;
        worst = Math.max(worst, difference);
        if (!(difference <= (sample.rtol ?? rtol)))
          throw new Error(
            `${what}, input ${i}: projection differs: finite difference ${numeric}, rule ${byRule} (${precision}, relative ${difference.toExponential(1)}, allowed ${sample.rtol ?? rtol})`,
          );
      }
    }
    return { precision, worst };
  } finally {
    await forward.close();
    await backward.close();
  }
}

/** Two sessions over one node: forward alone, and the rule's answer to a fed cotangent. Optimiser off. */
async function withGradient(
  graph: Graph,
  opType: string,
  rule: Rule,
  output: string,
  sample: Sample,
  precision: Precision,
) {
  const forwardGraph = copyGraph(graph);
  forwardGraph.outputs = [{ name: output, dtype: precision }];
  const forward = await openSession(forwardGraph, { optimize: "disabled", threads: 1 });
  try {
    const op = new Builder(copyGraph(graph));
    feed(op, "cotangent", { dtype: precision, shape: op.dims(output) });
    const wrt = sample.wrt ?? graph.inputs.map((input) => Number(input.name.slice(1)));
    const names = wrt.map((i) => `x${i}`);
    const found = gradient(op, new Map([[output, "cotangent"]]), names, { override: { [opType]: rule } });
    op.graph.outputs = found.map((value, i) => {
      const name = `dx${wrt[i]}`;
      op.graph.nodes.push({ opType: "Identity", domain: "", name, inputs: [value], outputs: [name], attributes: {} });
      return { name, dtype: precision };
    });
    checkGraph(op.graph);
    return { forward, backward: await openSession(op.graph, { optimize: "disabled", threads: 1 }), wrt };
  } catch (error) {
    await forward.close();
    throw error;
  }
}
