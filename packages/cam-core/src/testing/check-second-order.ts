import { gradient } from "../autodiff/gradient.ts";
import { isDerivative, type Rule, type Sample, samplesOf } from "../autodiff/rule.ts";
import { rules } from "../autodiff/rules/index.ts";
import { NotOnPathError } from "../errors.ts";
import { Builder, type Value } from "../graph/builder.ts";
import { checkGraph } from "../graph/check.ts";
import { copyGraph, type Graph } from "../graph/graph.ts";
import { pruneUnused } from "../graph/passes/prune-unused.ts";
import type { Session } from "../runtime/runtime.ts";
import { openSession } from "../runtime/session.ts";
import { feed, oneNode } from "./one-node.ts";
import { type Rng, rng } from "./rng.ts";
import { inBestPrecision, type Precision, tolerances } from "./tolerance.ts";
import { copied, dot, inPrecision, largest, like, magnitude, moved, roundoff, signs } from "./vectors.ts";

export type SecondOrderOptions = {
  seed: number;
  /** Multiplies the second derivatives: the check must notice 1.001. */
  scaleSecond?: number;
  /** Checks this rule instead of the table's. */
  rule?: Rule;
  /** Default: float64 where ONNX Runtime has the kernels, else float32. */
  precision?: Precision;
};

/** The least precise row that was used, the largest relative difference, and how many second derivatives weren't zero. */
export type CheckedSecondOrder = { precision: Precision; worst: number; nonZero: number };

/**
 * Differentiates what a rule answers, and compares with finite differences of that answer, on each of the rule's samples:
 *
 *   s_i(x, v) = ⟨w_i, dx_i(x, v)⟩      d s_i / d x_j  and  d s_i / d v,  along random directions
 *
 * for every two inputs i and j, with v the cotangent that is fed to the rule. Where no path leads from x_j to dx_i, or the
 * derivative is 0 throughout, the finite difference must be 0, too; a rule that calls itself linear must have d s_i / d x_i = 0.
 * Rejects with "second derivative differs" when the two don't agree within the tolerance table's row, and with "too weak" when
 * one that is 0.1 % wrong would agree as well.
 */
export async function checkSecondOrder(opType: string, options: SecondOrderOptions): Promise<CheckedSecondOrder> {
  const rule = options.rule ?? rules[opType];
  if (!isDerivative(rule)) throw new Error(`no gradient rule for ${opType} to check`);
  const random = rng(options.seed);
  const used: CheckedSecondOrder = { precision: options.precision ?? "float64", worst: 0, nonZero: 0 };
  for (const [index, sample] of samplesOf(rule, random).entries()) {
    const check = (precision: Precision) => {
      const given = { opType, rule, sample: inPrecision(precision, sample), precision };
      return checkSample(`${opType}, sample ${index}`, given, random, options.scaleSecond ?? 1);
    };
    const result = await inBestPrecision(check, options.precision ?? sample.precision);
    if (result.precision === "float32") used.precision = "float32";
    used.worst = Math.max(used.worst, result.worst);
    used.nonZero += result.nonZero;
  }
  return used;
}

/** A rule at one point. */
type Case = { opType: string; rule: Rule; sample: Sample; precision: Precision };

async function checkSample(what: string, given: Case, random: Rng, factor: number): Promise<CheckedSecondOrder> {
  const { rule, sample, precision } = given;
  const { forward, first, second, blocks, inputs, wrt, y } = await compile(given);
  try {
    const draw = () => random.next() - 0.5;
    const at = Object.fromEntries(inputs.map((name) => [name, sample.inputs[Number(name.slice(1))]!]));
    at.v = like((await forward.run(copied(at)))[y]!, draw);
    const weights = Object.fromEntries(wrt.map((x) => [`w${x.slice(1)}`, like(at[x]!, draw)]));
    const dx = await first.run(copied(at));
    const derivatives = await second.run(copied({ ...at, ...weights }));
    let worst = 0;
    let nonZero = 0;
    for (const { of, by, path } of blocks) {
      const where = `${what}, d²/d${of}d${by}`;
      const w = weights[`w${of.slice(1)}`]!;
      const derivative = path ? derivatives[`${of}${by}`]! : like(at[by]!, () => 0);
      const kind = by === "v" ? "linear" : rule.kind;
      const { h, rtol: usual } = tolerances[precision][kind];
      const rtol = Math.max(usual, sample.rtol ?? 0);
      // What the rounding of s may come to, divided by the step.
      const noise = (roundoff[precision] * magnitude(w, dx[`d${of}`]!)) / h;
      const zero = largest(derivative) <= noise;
      if (!zero) nonZero++;
      if (!zero && rule.kind === "linear" && of === by)
        throw new Error(`${where}: second derivative differs: the rule calls itself linear, but this is not 0`);
      let noticed = zero;
      // Two directions at random, and the one in which all terms have one sign: there nothing cancels.
      for (const u of [like(at[by]!, draw), like(at[by]!, draw), signs(derivative, draw)]) {
        const along = async (t: number) => {
          const moving = { ...at, [by]: moved(at[by]!, u, t) };
          return dot(w, (await first.run(copied(moving)))[`d${of}`]!);
        };
        const slope = async (step: number) => ((await along(step)) - (await along(-step))) / (2 * step);
        const numeric = kind === "linear" ? await slope(h) : (4 * (await slope(h)) - (await slope(2 * h))) / 3;
        const byRule = dot(derivative, u) * factor;
        const scale = Math.max(magnitude(derivative, u), Math.abs(numeric), noise / rtol, 1e-300);
        const difference = Math.abs(numeric - byRule) / scale;
        worst = Math.max(worst, difference);
        if (!(difference <= rtol))
          throw new Error(
            `${where}: second derivative differs: finite difference ${numeric}, rule ${byRule} (${precision}, relative ${difference.toExponential(1)}, allowed ${rtol})`,
          );
        noticed ||= Math.abs(numeric - 1.001 * byRule) / scale > rtol;
      }
      if (!noticed) throw new Error(`${where}: too weak: a second derivative 0.1 % wrong would pass`);
    }
    return { precision, worst, nonZero };
  } finally {
    for (const session of [forward, first, second]) await session.close();
  }
}

/** `path` is false where dx_of doesn't depend on `by` (an input or v) as far as the rules know. */
type Block = { of: Value; by: Value; path: boolean };

type Compiled = {
  /** x → y. */
  forward: Session;
  /** x, v → dx. */
  first: Session;
  /** x, v, w → every block that has a path. */
  second: Session;
  blocks: Block[];
  inputs: Value[];
  wrt: Value[];
  y: Value;
};

async function compile({ opType, rule, sample, precision }: Case): Promise<Compiled> {
  const op = new Builder(oneNode(opType, sample));
  const override = { override: { [opType]: rule } };
  const inputs = op.graph.inputs.map(({ name }) => name);
  const wrt = sample.wrt?.map((i) => `x${i}`) ?? inputs;
  const y = `y${sample.output ?? 0}`;
  const asking = (...names: Value[]) => ({
    ...copyGraph(op.graph),
    outputs: names.map((name) => ({ name, dtype: precision })),
  });
  const fed = (name: Value, like: Value) => feed(op, name, { dtype: precision, shape: op.dims(like) });
  const forward = asking(y);
  fed("v", y);
  for (const [i, dx] of gradient(op, new Map([[y, "v"]]), wrt, override).entries()) op.alias(dx, `d${wrt[i]}`);
  const first = asking(...wrt.map((x) => `d${x}`));
  for (const x of wrt) fed(`w${x.slice(1)}`, x);
  const blocks = wrt.flatMap((of) =>
    [...wrt, "v"].map((by) => ({ of, by, path: differentiate(op, of, by, override) })),
  );
  const second = asking(...blocks.flatMap(({ of, by, path }) => (path ? [`${of}${by}`] : [])));
  const sessions = await openAll([forward, first, second]);
  return { forward: sessions[0]!, first: sessions[1]!, second: sessions[2]!, blocks, inputs, wrt, y };
}

/** Adds d⟨w, dx_of⟩ / d by under the name `${of}${by}`; false where no path leads there. */
function differentiate(op: Builder, of: Value, by: Value, override: Parameters<typeof gradient>[3]): boolean {
  try {
    op.alias(gradient(op, new Map([[`d${of}`, `w${of.slice(1)}`]]), [by], override)[0]!, `${of}${by}`);
    return true;
  } catch (error) {
    if (error instanceof NotOnPathError) return false;
    throw error;
  }
}

/** All of them, or none where one is refused. */
async function openAll(graphs: readonly Graph[]): Promise<Session[]> {
  const open: Session[] = [];
  try {
    for (const graph of graphs) {
      pruneUnused(graph);
      checkGraph(graph);
      open.push(await openSession(graph, { optimize: "disabled", threads: 1 }));
    }
    return open;
  } catch (error) {
    for (const session of open) await session.close();
    throw error;
  }
}
