import { ruleName } from "../../autodiff/gradient.ts";
import { isDerivative } from "../../autodiff/rule.ts";
import { rules } from "../../autodiff/rules/index.ts";
import { NoGradientRuleError, RuntimeFailure } from "../../errors.ts";
import type { Value } from "../../graph/builder.ts";
import { copyGraph, type Graph, initializerOf } from "../../graph/graph.ts";
import type { Session } from "../../runtime/runtime.ts";
import { openSession } from "../../runtime/session.ts";
import { isReal, type Tensor } from "../../tensor.ts";
import { rng } from "../rng.ts";
import { inBestPrecision, type Precision } from "../tolerance.ts";
import { differentiate } from "./differentiate.ts";
import { checkDirections, type Verdict } from "./directional.ts";
import { halfDifference, halfTolerance } from "./half.ts";
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

export type GradientResult = {
  outcome: GradientOutcome;
  detail?: string;
  worst?: number;
  operators?: readonly string[];
  half?: number;
};

/** Operators that ONNX Runtime's kernel, or ONNX's own definition, computes in float32 whatever goes in. */
const singleInside: ReadonlySet<string> = new Set(["GroupNormalization", "Shrink"]);

/** The runtime keeps Attention's scale in float32 when it spells it out for float64, and the angles of a Fourier transform. */
const roundedInside: Readonly<Record<string, number>> = { Attention: 1e-6, DFT: 1e-7, STFT: 1e-7 };

export type GradientOptions = {
  /** Multiplies what rules answer: the check must notice 1.001. */
  scaleGradient?: number | undefined;
};

/**
 * Compares d output / d input with finite differences for every floating-point output and input of a graph, at the case's own
 * inputs, in float64 where ONNX Runtime has the kernels, else in float32. Integer and bool inputs become constants, as they
 * are in real files.
 */
export async function checkGradient(
  graph: Graph,
  sets: LoadedCase["sets"],
  options: GradientOptions = {},
): Promise<GradientResult> {
  const results: GradientResult[] = [];
  const single = graph.nodes.some(({ opType }) => singleInside.has(opType));
  for (const { feeds } of sets) {
    const check = (precision: Precision) => checkSet(graph, feeds, precision, options);
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

async function checkSet(
  source: Graph,
  feeds: LoadedCase["sets"][number]["feeds"],
  precision: Precision,
  options: GradientOptions,
) {
  const graph = withConstants(graphIn(precision, source), feeds, precision);
  const asFed = withConstants(source, feeds);
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
      asFed,
      options,
    );
    result = worse(result, found);
  }
  return result;
}

/** The graph at the sizes that are fed, with everything that isn't differentiated as a constant. */
function withConstants(source: Graph, feeds: Readonly<Record<string, Tensor>>, precision?: Precision): Graph {
  const graph = copyGraph(source);
  const fixed = settingsOf(graph);
  const typed = (tensor: Tensor) => (precision ? tensorIn(precision, tensor) : tensor);
  graph.inputs = [];
  for (const input of source.inputs) {
    const fed = feeds[input.name];
    if (!fed) continue;
    if (isReal(input.dtype) && !fixed.has(input.name)) graph.inputs.push({ ...input, shape: fed.shape });
    else graph.initializers.set(input.name, initializerOf(typed(fed)));
  }
  return graph;
}

async function checkOutput(
  graph: Graph,
  output: Value,
  inputs: readonly Value[],
  feeds: Readonly<Record<string, Tensor>>,
  precision: Precision,
  asFed: Graph,
  { scaleGradient = 1 }: GradientOptions,
): Promise<GradientResult> {
  const { forward, backward, operators, path, refused } = differentiate(graph, output, inputs, precision);
  if (path.some((node) => rules[ruleName(node)]?.kind === "surrogate")) return { outcome: "a stand-in", operators };
  const [refusal] = refused.values();
  const [outcome, detail] =
    refusal instanceof NoGradientRuleError
      ? (["no rule", refusal.opType] as const)
      : (["refused by its rule", refusal?.message ?? ""] as const);
  if (refusal && !backward) return { outcome, detail, operators };
  const sessions: Session[] = [];
  try {
    const run = await opened(forward, "", sessions);
    const at = Object.fromEntries(inputs.map((name) => [name, tensorIn(precision, feeds[name]!)]));
    const value = async (fed: Record<string, Tensor>) => (await run(fed))[output]!;
    const y = await value(at);
    if (!equal(y, await value(at))) return { outcome: "random", operators };
    const random = rng(1);
    const draw = () => random.next() - 0.5;
    const v = cotangentOf(y, draw);
    const dx = backward ? await (await opened(backward, "backward: ", sessions))({ ...at, cotangent: v }) : {};
    let verdict: Verdict = { verdict: "agrees", worst: 0, kinks: 0 };
    let decided: GradientResult | undefined;
    for (const [position, name] of inputs.entries()) {
      if (refused.has(name)) continue;
      const x = at[name]!;
      const found = dx[`d${position}`];
      if (found && found.shape.join() !== x.shape.join())
        return { outcome: "differs", detail: `d ${name} has shape [${found.shape}], not [${x.shape}]`, operators };
      const us = [0, 1, 2].map(() => Array.from(x.data as Floats, (each) => (Number.isFinite(each) ? draw() : 0)));
      const next = await checkDirections(
        {
          x: x.data as Floats,
          f: async (data) => (await value({ ...at, [name]: { ...x, data } })).data as Floats,
          v: v.data as Floats,
          dx: found ? (found.data as Floats).map((value) => value * scaleGradient) : new Float64Array(x.data.length),
          precision,
          kind: found ? kindOf(operators, forward.nodes.length) : "kinked",
          rtol: Math.max(0, ...operators.map((operator) => roundedInside[operator] ?? 0)),
        },
        us,
      );
      const why = found ? undefined : decision(forward, name);
      if (next.verdict === "differs" && why) decided = { outcome: "zero by decision", detail: why, operators };
      else if (next.verdict === "differs")
        return { outcome: "differs", detail: `d ${output} / d ${name}: ${next.detail}`, operators };
      else {
        const worst = Math.max(verdict.worst, next.worst);
        verdict = { ...(rank(next) > rank(verdict) ? next : verdict), worst };
      }
    }
    if (refusal) return { outcome, detail, operators };
    if (decided) return decided;
    const half = backward && (await halfDifference(asFed, output, feeds, v, dx, inputs));
    if (half !== undefined && !(half <= halfTolerance))
      return { outcome: "differs", detail: `in half precision by ${half.toExponential(1)} of its maximum`, operators };
    return { ...outcomeOf(verdict, !backward, precision), operators, ...(half === undefined ? {} : { half }) };
  } finally {
    for (const session of sessions) await session.close();
  }
}

type Floats = Float32Array | Float64Array;

/**
 * A graph as a function of what it is fed, by name. Where it draws numbers from a seed, each run has a session of its own,
 * whose first draw is always the same.
 */
async function opened(graph: Graph, what: string, sessions: Session[]) {
  if (graph.nodes.some(({ opType, attributes }) => opType === "Dropout" && attributes.seed))
    return async (fed: Readonly<Record<string, Tensor>>) => {
      const own: Session[] = [];
      try {
        return await (await openedOnce(graph, what, own))(fed);
      } finally {
        for (const session of own) await session.close();
      }
    };
  return openedOnce(graph, what, sessions);
}

async function openedOnce(graph: Graph, what: string, sessions: Session[]) {
  let session: Session;
  try {
    session = await openSession(graph, { device: "cpu", optimize: "disabled", threads: 1 });
  } catch (error) {
    if (error instanceof RuntimeFailure) throw new RuntimeFailure(`${what}${error.message}`, { cause: error });
    throw error;
  }
  sessions.push(session);
  return (fed: Readonly<Record<string, Tensor>>) =>
    session.run(Object.fromEntries(graph.inputs.map(({ name }) => [name, copyOf(fed[name]!)])));
}

/** Random numbers for an output; none for an entry that isn't finite, which has no derivative. */
function cotangentOf(y: Tensor, draw: () => number): Tensor {
  const numbers = y.data as Floats;
  return { ...y, data: numbers.map((value) => (Number.isFinite(value) ? draw() : 0)) };
}

/** Why nothing flows to an input: what reads it is a declared zero, or its rule leaves this one out. */
function decision(graph: Graph, input: Value): string | undefined {
  const readers = graph.nodes.filter((node) => node.inputs.includes(input));
  const reasons = readers.map((node) => {
    const entry = rules[ruleName(node)];
    if (isDerivative(entry)) return entry.leftOut?.[node.inputs.indexOf(input)];
    return entry?.kind === "zero" ? entry.why : undefined;
  });
  return reasons.every((reason) => reason !== undefined) ? reasons[0] : undefined;
}

const rank = ({ verdict }: Verdict) => ["agrees", "kink", "edge", "steep"].indexOf(verdict);

function outcomeOf({ verdict, worst, kinks, detail }: Verdict, isZero: boolean, precision: Precision): GradientResult {
  if (verdict === "steep") return { outcome: "too steep to tell", detail: detail ?? "" };
  if (verdict !== "agrees") return { outcome: "at a kink", detail: `${kinks} coordinates: ${detail}`, worst };
  if (isZero) return { outcome: "zero" };
  return { outcome: `agrees in ${precision}`, worst };
}

/** One operator is as its rule says; a chain of linear ones needn't be linear. */
function kindOf(operators: readonly string[], nodes: number): "linear" | "smooth" | "kinked" {
  const kinds = operators.map((name) => rules[name]?.kind);
  if (kinds.includes("kinked")) return "kinked";
  return nodes === 1 && kinds[0] === "linear" ? "linear" : "smooth";
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
