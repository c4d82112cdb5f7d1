import { gradient } from "../autodiff/gradient.ts";
import { isDerivative, type Rule, type Sample, samplesOf } from "../autodiff/rule.ts";
import { rules } from "../autodiff/rules/index.ts";
import { GradientRuleError } from "../errors.ts";
import { Builder, type Value } from "../graph/builder.ts";
import { checkGraph } from "../graph/check.ts";
import type { Graph, ValueType } from "../graph/graph.ts";
import { withSession } from "../runtime/session.ts";
import type { Tensor } from "../tensor.ts";
import { feed, oneNode } from "./one-node.ts";
import { type Rng, rng } from "./rng.ts";
import { inBestPrecision, type Precision, tolerances } from "./tolerance.ts";
import { copied, dot, inPrecision, like, magnitude, moved } from "./vectors.ts";

/**
 * The gradient of ⟨seed, y⟩ with respect to each of `wrt`, and the product of its Hessian with the `directions` (as many, of
 * the same shapes): the gradient of ⟨direction, gradient⟩. `seed` may itself be computed from `wrt`.
 */
export function hessianProduct(
  op: Builder,
  seeds: ReadonlyMap<Value, Value>,
  wrt: readonly Value[],
  directions: readonly Value[],
  options: Parameters<typeof gradient>[3] = {},
): { gradients: Value[]; products: Value[] } {
  // Under names of their own: a gradient may be the seed itself, which then stands for two values.
  const gradients = gradient(op, seeds, wrt, options).map((dx) => op.alias(dx, op.fresh("gradient")));
  const products = gradient(op, new Map(gradients.map((dx, i) => [dx, directions[i]!])), wrt, options);
  return { gradients, products };
}

/** The row that was used, the largest asymmetry, how far dynamic sizes were off, and how many samples allow them. */
export type CheckedHessian = {
  precision: Precision;
  asymmetry: number;
  dynamic: number;
  samples: number;
  open: number;
};

/**
 * The Hessian H of Σ v (y + ½ y²) over all of a rule's inputs at once, on each of its samples: ⟨b, H a⟩ = ⟨a, H b⟩, and H a is the
 * same in a graph whose sizes only the run knows (of all inputs, or the first one's where the rule needs the others').
 * Rejects with "not symmetric" or "differs at dynamic sizes".
 */
export async function checkHessian(opType: string, options: { seed: number; rule?: Rule }): Promise<CheckedHessian> {
  const rule = options.rule ?? rules[opType];
  if (!isDerivative(rule)) throw new Error(`no gradient rule for ${opType} to check`);
  const random = rng(options.seed);
  const used: CheckedHessian = { precision: "float64", asymmetry: 0, dynamic: 0, samples: 0, open: 0 };
  for (const [index, sample] of samplesOf(rule, random).entries()) {
    const found = await inBestPrecision(
      (precision) =>
        checkSample(
          `${opType}, sample ${index}`,
          { opType, rule, sample: inPrecision(precision, sample), precision },
          random,
        ),
      sample.precision,
    );
    if (found.precision === "float32") used.precision = "float32";
    used.asymmetry = Math.max(used.asymmetry, found.asymmetry);
    used.dynamic = Math.max(used.dynamic, found.dynamic);
    used.open += found.open;
    used.samples++;
  }
  return used;
}

/** A rule at one point. */
type Case = { opType: string; rule: Rule; sample: Sample; precision: Precision };

async function checkSample(what: string, given: Case, random: Rng): Promise<Omit<CheckedHessian, "samples">> {
  const { sample, precision } = given;
  const { graph, wrt, forward, y } = hessianGraph(given, 0);
  const draw = () => random.next() - 0.5;
  const fed = Object.fromEntries(forward.inputs.map(({ name }) => [name, sample.inputs[Number(name.slice(1))]!]));
  fed.v = like((await withSession(forward, plain, (run) => run.run(copied(fed))))[y]!, draw);
  const [a, b] = [0, 1].map(() => wrt.map((x) => like(fed[x]!, draw))) as [Tensor[], Tensor[]];
  const products = (graph: Graph, ...directions: Tensor[][]) =>
    withSession(graph, plain, async (run) => {
      const found: Tensor[][] = [];
      for (const direction of directions) {
        const along = Object.fromEntries(wrt.map((x, i) => [`w${x.slice(1)}`, direction[i]!]));
        const results = await run.run(copied({ ...fed, ...along }));
        found.push(wrt.map((x) => results[`h${x.slice(1)}`]!));
      }
      return found;
    });
  const [ha, hb] = (await products(graph, a, b)) as [Tensor[], Tensor[]];
  const scale = Math.max(sumOf(magnitude, b, ha), sumOf(magnitude, a, hb));
  if (scale === 0) throw new Error(`${what}: too weak: the Hessian is 0`);
  const { rtol } = tolerances[precision].linear;
  const asymmetry = Math.abs(sumOf(dot, b, ha) - sumOf(dot, a, hb)) / scale;
  if (!(asymmetry <= rtol))
    throw new Error(`${what}: not symmetric: relative ${asymmetry.toExponential(1)}, allowed ${rtol}`);
  const open = firstAccepted(
    () => hessianGraph(given, 2),
    () => hessianGraph(given, 1),
  );
  if (!open) return { precision, asymmetry, dynamic: 0, open: 0 };
  const [again] = (await products(open.graph, a)) as [Tensor[]];
  const gaps = again.map((one, i) => moved(one, ha[i]!, -1));
  const dynamic = Math.sqrt(sumOf(dot, gaps, gaps) / sumOf(dot, ha, ha));
  if (!(dynamic <= rtol))
    throw new Error(`${what}: differs at dynamic sizes: relative ${dynamic.toExponential(1)}, allowed ${rtol}`);
  return { precision, asymmetry, dynamic, open: 1 };
}

function sumOf(f: (a: Tensor, b: Tensor) => number, left: readonly Tensor[], right: readonly Tensor[]): number {
  return left.reduce((total, one, i) => total + f(one, right[i]!), 0);
}

const plain = { optimize: "disabled", threads: 1 } as const;

/** The first of some graphs that the rule doesn't refuse. */
function firstAccepted<T>(...builds: (() => T)[]): T | undefined {
  for (const build of builds)
    try {
      return build();
    } catch (error) {
      if (!(error instanceof GradientRuleError)) throw error;
    }
  return undefined;
}

/** `open`: no sizes are known in the run only (0), those of the first input (1), or of all inputs (2). */
function hessianGraph({ opType, rule, sample, precision }: Case, open: 0 | 1 | 2) {
  const graph = oneNode(opType, sample);
  graph.inputs = graph.inputs.map((input, i) =>
    open === 2 || (open === 1 && i === 0)
      ? { ...input, shape: input.shape!.map((_, axis) => `${input.name}_${axis}`) }
      : input,
  );
  const forwardInputs = [...graph.inputs];
  const y = `y${sample.output ?? 0}`;
  const forward = {
    ...graph,
    nodes: [...graph.nodes],
    inputs: forwardInputs,
    outputs: [{ name: y, dtype: precision }],
  };
  const op = new Builder(graph);
  const wrt = sample.wrt?.map((i) => `x${i}`) ?? graph.inputs.map(({ name }) => name);
  const typed = (value: Value): ValueType => ({ dtype: precision, shape: op.dims(value) });
  const v = feed(op, "v", typed(y));
  // The shape that y really has, v's: of some windows ONNX's own inference counts one more than the runtime makes.
  const [shaped] = op.node("Reshape", [y, op.shape(v)]) as [Value];
  const directions = wrt.map((x) => feed(op, `w${x.slice(1)}`, typed(x)));
  const { products } = hessianProduct(op, new Map([[y, op.mul(v, op.add(shaped, 1))]]), wrt, directions, {
    override: { [opType]: rule },
  });
  for (const [i, x] of wrt.entries()) op.alias(products[i]!, `h${x.slice(1)}`);
  graph.outputs = wrt.map((x) => ({ name: `h${x.slice(1)}`, dtype: precision }));
  checkGraph(graph);
  return { graph, forward, wrt, y };
}
