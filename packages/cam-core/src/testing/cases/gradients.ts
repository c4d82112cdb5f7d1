import { between, gradient, ruleName } from "../../autodiff/gradient.ts";
import type { ZeroRule } from "../../autodiff/rule.ts";
import { rules } from "../../autodiff/rules/index.ts";
import { GradientRuleError, NoGradientRuleError, NotOnPathError, RuntimeFailure } from "../../errors.ts";
import { Builder, type Value } from "../../graph/builder.ts";
import { checkGraph } from "../../graph/check.ts";
import { copyGraph, type Graph, initializerOf, topological } from "../../graph/graph.ts";
import { pruneUnused } from "../../graph/passes/prune-unused.ts";
import type { Session } from "../../runtime/runtime.ts";
import { openSession } from "../../runtime/session.ts";
import type { Tensor } from "../../tensor.ts";
import { feed } from "../one-node.ts";
import { rng } from "../rng.ts";
import { inBestPrecision, type Precision } from "../tolerance.ts";
import { like } from "../vectors.ts";
import { checkDirections, type Verdict } from "./directional.ts";
import { graphIn, tensorIn } from "./in-precision.ts";
import type { LoadedCase } from "./one-case.ts";
import { settingsOf } from "./settings.ts";

/** What came of comparing the gradient at the case's own inputs with finite differences. */
export type GradientOutcome =
  | "agrees in float64"
  | "agrees in float32"
  /** Some coordinates sit on a kink, a jump or the edge of the domain; the others agree. */
  | "at a kink"
  /** A declared zero, and the finite differences are 0. */
  | "zero"
  /** A declared zero where the output does move: a decision, with its reason. */
  | "zero by decision"
  | "too steep to tell"
  | "random"
  /** A stand-in for a derivative that is 0 almost everywhere: no finite difference could confirm it. */
  | "a stand-in"
  | "no rule"
  | "refused by its rule"
  /** No floating-point input or output. */
  | "no gradient to take"
  | "differs";

export type GradientResult = { outcome: GradientOutcome; detail?: string; worst?: number; operators?: string[] };

/** Operators that ONNX Runtime's kernel, or ONNX's own definition, computes in float32 whatever goes in. */
const singleInside: ReadonlySet<string> = new Set(["GroupNormalization", "Shrink"]);

/** The runtime keeps Attention's scale in float32 when it spells it out for float64, and the factors of Fourier transforms. */
const roundedInside: Readonly<Record<string, number>> = { Attention: 1e-6, DFT: 1e-6, STFT: 1e-6 };

/**
 * Compares d output / d input with finite differences for every floating-point output and input of a graph, at the case's own
 * inputs, in float64 where ONNX Runtime has the kernels, else in float32. Integer and bool inputs become constants, as they
 * are in real files.
 */
export async function checkGradient(graph: Graph, sets: LoadedCase["sets"]): Promise<GradientResult> {
  const results: GradientResult[] = [];
  const single = graph.nodes.some(({ opType }) => singleInside.has(opType));
  for (const { feeds } of sets) {
    const check = (precision: Precision) => checkSet(graph, feeds, precision);
    results.push(await (single ? check("float32") : inBestPrecision(check)));
  }
  return results.reduce(worse);
}

const order: readonly GradientOutcome[] = [
  "no gradient to take",
  "zero",
  "agrees in float64",
  "agrees in float32",
  "at a kink",
  "zero by decision",
  "random",
  "a stand-in",
  "too steep to tell",
  "refused by its rule",
  "no rule",
  "differs",
];

function worse(a: GradientResult, b: GradientResult): GradientResult {
  const one = order.indexOf(b.outcome) > order.indexOf(a.outcome) ? b : a;
  return { ...one, worst: Math.max(a.worst ?? 0, b.worst ?? 0) };
}

async function checkSet(source: Graph, feeds: LoadedCase["sets"][number]["feeds"], precision: Precision) {
  const graph = withConstants(graphIn(precision, source), feeds, precision);
  const inputs = graph.inputs.filter(({ dtype }) => dtype === precision);
  const outputs = graph.outputs.filter(({ dtype }) => dtype === precision);
  let result: GradientResult = { outcome: "no gradient to take" };
  if (inputs.length === 0) return result;
  for (const { name } of outputs) {
    const found = await checkOutput(
      graph,
      name,
      inputs.map((input) => input.name),
      feeds,
      precision,
    );
    result = worse(result, found);
  }
  return result;
}

/** The graph at the sizes that are fed, with everything that isn't differentiated as a constant. */
function withConstants(source: Graph, feeds: Readonly<Record<string, Tensor>>, precision: Precision): Graph {
  const graph = copyGraph(source);
  const fixed = settingsOf(graph);
  graph.inputs = [];
  for (const input of source.inputs) {
    const fed = feeds[input.name];
    if (!fed) continue;
    if (input.dtype === precision && !fixed.has(input.name)) graph.inputs.push({ ...input, shape: fed.shape });
    else graph.initializers.set(input.name, initializerOf(tensorIn(precision, fed)));
  }
  return graph;
}

async function checkOutput(
  graph: Graph,
  output: Value,
  inputs: readonly Value[],
  feeds: Readonly<Record<string, Tensor>>,
  precision: Precision,
): Promise<GradientResult> {
  const forwardGraph = { ...copyGraph(graph), outputs: [{ name: output, dtype: precision }] };
  pruneUnused(forwardGraph);
  const carried = between(new Builder(copyGraph(graph)), topological(graph), inputs, [output]);
  const wrt = inputs.filter((name) => carried.carries.has(name));
  const operators = [...new Set(carried.path.map(ruleName))];
  if (operators.some((name) => rules[name]?.kind === "surrogate")) return { outcome: "a stand-in", operators };
  const rtol = Math.max(0, ...operators.map((name) => roundedInside[name] ?? 0));
  const kind = kindOf(operators, forwardGraph.nodes.length);
  const open = { device: "cpu", optimize: "disabled", threads: 1 } as const;
  let backwardGraph: Graph | undefined;
  try {
    backwardGraph = withGradient(forwardGraph, output, wrt, precision);
  } catch (error) {
    if (error instanceof NoGradientRuleError) return { outcome: "no rule", detail: error.opType, operators };
    if (error instanceof GradientRuleError) return { outcome: "refused by its rule", detail: error.message, operators };
    throw error;
  }
  const sessions: Session[] = [];
  try {
    const forward = await openSession(forwardGraph, open);
    sessions.push(forward);
    const at = Object.fromEntries(inputs.map((name) => [name, tensorIn(precision, feeds[name]!)]));
    const run = async (fed: Record<string, Tensor>) => (await forward.run(onlyInputs(forwardGraph, fed)))[output]!;
    const y = await run(at);
    if (!equal(y, await run(at))) return { outcome: "random", operators };
    const random = rng(1);
    const draw = () => random.next() - 0.5;
    const numbers = y.data as Float64Array;
    const v = like(y, draw);
    // What isn't finite has no derivative.
    (v.data as Float64Array).forEach((_, i) => {
      if (!Number.isFinite(numbers[i]!)) (v.data as Float64Array)[i] = 0;
    });
    let dx: Record<string, Tensor> = {};
    if (backwardGraph) {
      const backward = await openRefused(backwardGraph, open);
      sessions.push(backward);
      dx = await backward.run({ ...onlyInputs(backwardGraph, at), cotangent: v });
    }
    let verdict: Verdict = { verdict: "agrees", worst: 0, kinks: 0 };
    for (const [position, name] of inputs.entries()) {
      const x = at[name]!;
      const found = dx[`d${position}`];
      if (found && found.shape.join() !== x.shape.join())
        return { outcome: "differs", detail: `d ${name} has shape [${found.shape}], not [${x.shape}]`, operators };
      const us = [0, 1, 2].map(() =>
        Array.from(x.data as Float64Array, (value) => (Number.isFinite(value) ? draw() : 0)),
      );
      const f = async (data: Float32Array | Float64Array) =>
        (await run({ ...at, [name]: { ...x, data } })).data as Float64Array;
      const zeros = new Float64Array(x.data.length);
      const given = { x: x.data as Float64Array, f, v: v.data as Float64Array, precision, kind };
      const next = await checkDirections(
        { ...given, rtol, dx: (found?.data as Float64Array) ?? zeros, kind: found ? kind : "kinked" },
        us,
      );
      const why = declaredZero(forwardGraph, name);
      if (next.verdict === "differs" && !found && why) return { outcome: "zero by decision", detail: why, operators };
      if (next.verdict === "differs")
        return { outcome: "differs", detail: `d ${output} / d ${name}: ${next.detail}`, operators };
      if (rank(next) > rank(verdict)) verdict = next;
      verdict = { ...verdict, worst: Math.max(verdict.worst, next.worst) };
    }
    return { ...outcomeOf(verdict, !backwardGraph, precision), operators };
  } finally {
    for (const session of sessions) await session.close();
  }
}

/** Why nothing flows through the operator that reads an input. */
function declaredZero(graph: Graph, input: Value): string | undefined {
  const entries = graph.nodes.filter((node) => node.inputs.includes(input)).map((node) => rules[ruleName(node)]);
  return entries.every((entry) => entry?.kind === "zero")
    ? entries.map((entry) => (entry as ZeroRule).why)[0]
    : undefined;
}

const rank = ({ verdict }: Verdict) => ["agrees", "kink", "edge", "steep"].indexOf(verdict);

function outcomeOf({ verdict, worst, kinks, detail }: Verdict, isZero: boolean, precision: Precision): GradientResult {
  if (verdict === "steep") return { outcome: "too steep to tell", detail: detail ?? "" };
  if (verdict !== "agrees") return { outcome: "at a kink", detail: `${kinks} coordinates: ${detail}`, worst };
  if (isZero) return { outcome: "zero" };
  return { outcome: `agrees in ${precision}`, worst };
}

/** A backward graph that the runtime doesn't take in float64 is tried in float32 like a forward one. */
async function openRefused(graph: Graph, options: Parameters<typeof openSession>[1]): Promise<Session> {
  try {
    return await openSession(graph, options);
  } catch (error) {
    if (error instanceof RuntimeFailure) throw new RuntimeFailure(`backward: ${error.message}`, { cause: error });
    throw error;
  }
}

/** The gradient of what has one; undefined where nothing has. An input that a rule answers nothing for is taken for a zero. */
function withGradient(source: Graph, output: Value, wrt: readonly Value[], precision: Precision): Graph | undefined {
  if (wrt.length === 0) return undefined;
  try {
    return differentiated(source, output, wrt, precision);
  } catch (error) {
    if (!(error instanceof NotOnPathError)) throw error;
    const rest = wrt.filter((name) => name !== error.value);
    return withGradient(source, output, rest, precision);
  }
}

function differentiated(source: Graph, output: Value, wrt: readonly Value[], precision: Precision): Graph {
  const op = new Builder(copyGraph(source));
  feed(op, "cotangent", { dtype: precision, shape: op.dims(output) });
  const found = gradient(op, new Map([[output, "cotangent"]]), wrt);
  const positions = source.inputs.map(({ name }) => name);
  op.graph.outputs = found.map((value, i) => {
    const name = `d${positions.indexOf(wrt[i]!)}`;
    op.graph.nodes.push({ opType: "Identity", domain: "", name, inputs: [value], outputs: [name], attributes: {} });
    return { name, dtype: precision };
  });
  checkGraph(op.graph);
  return op.graph;
}

/** One operator is as its rule says; a chain of linear ones needn't be linear. */
function kindOf(operators: readonly string[], nodes: number): "linear" | "smooth" | "kinked" {
  const kinds = operators.map((name) => rules[name]?.kind);
  if (kinds.includes("kinked")) return "kinked";
  return nodes === 1 && kinds[0] === "linear" ? "linear" : "smooth";
}

function onlyInputs(graph: Graph, feeds: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
  return Object.fromEntries(graph.inputs.flatMap(({ name }) => (feeds[name] ? [[name, copyOf(feeds[name])]] : [])));
}

/** Some kernels write over what they are fed. */
function copyOf(tensor: Tensor): Tensor {
  return { ...tensor, data: (tensor.data as Float64Array).slice() };
}

function equal(a: Tensor, b: Tensor): boolean {
  return (
    a.shape.join() === b.shape.join() &&
    Array.from(a.data as Float64Array).every((value, i) => Object.is(value, b.data[i]))
  );
}
