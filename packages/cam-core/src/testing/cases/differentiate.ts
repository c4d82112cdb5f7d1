import { between, gradient, ruleName } from "../../autodiff/gradient.ts";
import { GradientRuleError, NoGradientRuleError, NotOnPathError } from "../../errors.ts";
import { settled } from "../../explain/plan.ts";
import { Builder, type Value } from "../../graph/builder.ts";
import { checkGraph } from "../../graph/check.ts";
import { copyGraph, type Graph, type Node, topological } from "../../graph/graph.ts";
import { pruneUnused } from "../../graph/passes/prune-unused.ts";
import type { DType } from "../../tensor.ts";
import { feed } from "../one-node.ts";

/** One output of a graph and its gradient in the inputs that have one. */
export type Differentiated = {
  /** Makes the output. */
  readonly forward: Graph;
  /** Fed the inputs and `cotangent`, makes `d<position>` for inputs by their place among `inputs`; absent where none has a gradient. */
  readonly backward: Graph | undefined;
  /** What lies between the inputs and the output, after control flow was written out. */
  readonly path: readonly Node[];
  readonly operators: readonly string[];
  /** Inputs whose gradient is refused, or needs a rule that isn't there, and why. */
  readonly refused: ReadonlyMap<Value, GradientRuleError | NoGradientRuleError>;
};

/** `tangent`: the type that the cotangent is fed in. */
export function differentiate(source: Graph, output: Value, inputs: readonly Value[], tangent: DType): Differentiated {
  const dtype = source.outputs.find(({ name }) => name === output)!.dtype;
  const asked = { ...copyGraph(source), outputs: [{ name: output, dtype }] };
  pruneUnused(asked);
  const forward = inputs.reduce((graph, name) => settled(graph, name, output).graph, asked);
  const { path, carries } = between(new Builder(copyGraph(forward)), topological(forward), inputs, [output]);
  const common = { forward, path, operators: [...new Set(path.map(ruleName))] };
  const wrt = inputs.filter((name) => carries.has(name));
  const refused = new Map<Value, GradientRuleError | NoGradientRuleError>();
  const all = attempt(forward, output, inputs, wrt, tangent);
  if (!(all instanceof Error)) return { ...common, backward: all, refused };
  const possible = wrt.filter((name) => {
    const alone = attempt(forward, output, inputs, [name], tangent);
    if (alone instanceof Error) refused.set(name, alone);
    return !(alone instanceof Error);
  });
  const rest = attempt(forward, output, inputs, possible, tangent);
  if (rest instanceof Error) throw rest;
  return { ...common, backward: rest, refused };
}

type Attempt = Graph | undefined | GradientRuleError | NoGradientRuleError;

/** An input that a rule answers nothing for is taken for a zero. */
function attempt(
  source: Graph,
  output: Value,
  inputs: readonly Value[],
  wrt: readonly Value[],
  tangent: DType,
): Attempt {
  if (wrt.length === 0) return undefined;
  const op = new Builder(copyGraph(source));
  feed(op, "cotangent", { dtype: tangent, shape: op.dims(output) });
  let found: Value[];
  try {
    found = gradient(op, new Map([[output, "cotangent"]]), wrt);
  } catch (error) {
    if (error instanceof GradientRuleError || error instanceof NoGradientRuleError) return error;
    if (!(error instanceof NotOnPathError)) throw error;
    return attempt(
      source,
      output,
      inputs,
      wrt.filter((name) => name !== error.value),
      tangent,
    );
  }
  op.graph.outputs = found.map((value, i) => {
    const name = `d${inputs.indexOf(wrt[i]!)}`;
    op.graph.nodes.push({ opType: "Identity", domain: "", name, inputs: [value], outputs: [name], attributes: {} });
    return { name, dtype: op.dtype(value) };
  });
  checkGraph(op.graph);
  return op.graph;
}
