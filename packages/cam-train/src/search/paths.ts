import {
  copyGraph,
  float32,
  type Graph,
  gradient,
  isStatic,
  openSession,
  pruneUnused,
  type Session,
  type Tensor,
  zeros,
} from "@camkit/cam-core";
import { NetworkError } from "../errors.ts";
import { drawMasks } from "../loop/masks.ts";
import { chooseTrainable } from "../network/choose-trainable.ts";
import { fastRules } from "../step/fast-rules.ts";
import { type Loss, planStep, type StepOptions, type StepPlan } from "../step/plan.ts";
import { sharing } from "../step/update.ts";
import type { Architecture, SearchSpace } from "./space.ts";
import type { Supernet } from "./supernet.ts";

/** What a step on a path is for: the weights' gradients, or each cell's share. */
type Purpose = "weights" | "alpha";

export type Paths = {
  /** Runs a batch forward and backward; gradients and statistics of the path's tensors are then the supernet's. */
  weights(
    architecture: Architecture,
    batch: Batch,
    step: number,
  ): Promise<{ loss: number; trained: readonly string[] }>;
  /** dL / d share of each cell's op: <dL / d out, op(x)>. Changes nothing. */
  shares(
    architecture: Architecture,
    batch: Batch,
    step: number,
  ): Promise<{ loss: number; shares: Record<string, number> }>;
  /** Graphs compiled so far. */
  readonly compiled: number;
  close(): Promise<void>;
};

type Batch = Readonly<Record<string, Tensor>>;

export type PathsOptions = Pick<StepOptions, "batch" | "fields"> & {
  readonly space: SearchSpace;
  readonly network: (architecture: Architecture) => Graph;
  readonly supernet: Supernet;
  readonly loss: Loss;
  readonly seed: number;
  readonly threads?: number | undefined;
};

/** A compiled path. */
type Path = { readonly plan: StepPlan; readonly session: Session };

/** Values of all paths that are kept compiled: what they hold between runs grows with these. */
const mostBytes = 2 ** 33;

/**
 * Steps on single paths, each a graph of its own: what isn't on a path is neither in the graph nor computed. Paths met again are
 * found compiled, the last used ones; in a space of 10²⁰ that is none, and compiling has its price: 0.8 s a path on one thread,
 * whatever the batch, beside 1.5 s for a step on 16 volumes of 16×64×64.
 */
export function openPaths(options: PathsOptions): Paths {
  const { supernet, seed } = options;
  const open = new Map<string, Path>();
  let compiled = 0;

  const pathOf = async (purpose: Purpose, architecture: Architecture): Promise<Path> => {
    const key = `${purpose} ${JSON.stringify(architecture)}`;
    const path = open.get(key) ?? (await compile(options, purpose, architecture));
    if (!open.has(key)) compiled++;
    // Last used, last in the map.
    open.delete(key);
    open.set(key, path);
    const bytes = () => [...open.values()].reduce((sum, { plan }) => sum + plan.bytes, 0);
    for (const [other, { session }] of open) {
      if (other === key || bytes() <= mostBytes) break;
      open.delete(other);
      await session.close();
    }
    return path;
  };

  const run = async ({ plan, session }: Path, batch: Batch, step: number) => {
    const fields = Object.entries(plan.feeds).flatMap(([field, name]) => (batch[field] ? [[name, batch[field]]] : []));
    const given = {
      ...Object.fromEntries(fields),
      ...drawMasks(plan.masks, seed, step),
      ...Object.fromEntries([...plan.gradients.keys()].map((name) => [name, supernet.view(supernet.weights, name)])),
      ...Object.fromEntries([...plan.statistics.keys()].map((name) => [name, flat(supernet.statistics[name]!)])),
    };
    const gradients = new Map([...plan.gradients].map(([name, value]) => [value, name]));
    const into = plan.graph.outputs.map(({ name, dtype, shape }) => {
      const tensor = gradients.get(name);
      if (!isStatic(shape) || dtype === "string")
        throw new NetworkError(`the shape of "${name}" isn't known before the run`);
      return [name, tensor ? supernet.view(supernet.gradients, tensor, shape) : zeros(dtype, shape)] as const;
    });
    return session.run(given, Object.fromEntries(into));
  };

  return {
    weights: async (architecture, batch, step) => {
      const path = await pathOf("weights", architecture);
      const found = await run(path, batch, step);
      const { plan } = path;
      for (const [name, value] of plan.statistics) supernet.statistics[name]!.set(found[value]!.data as Float32Array);
      return { loss: scalar(found[plan.loss]!), trained: [...plan.gradients.keys()] };
    },
    shares: async (architecture, batch, step) => {
      const path = await pathOf("alpha", architecture);
      const found = await run(path, batch, step);
      const { terms, loss } = path.plan;
      const shares = Object.entries(terms).map(([cell, value]) => [cell, scalar(found[value]!)]);
      return { loss: scalar(found[loss]!), shares: Object.fromEntries(shares) };
    },
    get compiled() {
      return compiled;
    },
    close: async () => {
      for (const { session } of open.values()) await session.close();
    },
  };
}

async function compile(options: PathsOptions, purpose: Purpose, architecture: Architecture): Promise<Path> {
  const { space, batch, fields, threads } = options;
  const graph = options.network(architecture);
  const loss = purpose === "weights" ? options.loss : withShares(options.loss, space, architecture);
  const whole = planStep({ graph, batch, fields, loss, trained: chooseTrainable(graph), statistics: "batch" });
  const plan = purpose === "weights" ? whole : withoutWeights(whole);
  const session = await openSession(plan.graph, { ...sharing(threads), optimize: "basic", plansMemory: false });
  return { plan, session };
}

/** The loss, and beside it what each cell's share is worth. */
function withShares(loss: Loss, { siteOf }: SearchSpace, architecture: Architecture): Loss {
  return (context) => {
    const { op } = context;
    const { loss: value } = loss(context);
    const sites = Object.entries(architecture).flatMap(([cell, choice]) => {
      const site = siteOf(cell, choice);
      return site ? [{ cell, ...site }] : [];
    });
    const seeds = new Map([[value, op.constant(float32([], [1]))]]);
    const results = sites.map(({ result }) => result);
    const slopes = results.length === 0 ? [] : gradient(op, seeds, results, { override: fastRules });
    const terms = sites.map(({ cell, made }, i) => {
      const product = op.reduceSum(op.mul(slopes[i]!, made), { axes: "all", keepdims: false });
      return [cell, product] as const;
    });
    return { loss: value, terms: Object.fromEntries(terms) };
  };
}

/** The plan without what only the weights' gradients and statistics need; weights stay inputs. */
function withoutWeights(plan: StepPlan): StepPlan {
  const graph = copyGraph(plan.graph);
  const kept = new Set([plan.loss, ...Object.values(plan.terms)]);
  graph.outputs = graph.outputs.filter(({ name }) => kept.has(name));
  pruneUnused(graph);
  const read = new Set(graph.nodes.flatMap(({ inputs }) => inputs));
  graph.inputs = graph.inputs.filter(({ name }) => read.has(name));
  const inputs = new Set(graph.inputs.map(({ name }) => name));
  const gradients = new Map([...plan.gradients].filter(([name]) => inputs.has(name)));
  const statistics = new Map([...plan.statistics].filter(([name]) => inputs.has(name)));
  return { ...plan, graph, gradients, statistics };
}

const scalar = ({ data }: Tensor) => Number((data as Float32Array)[0]);
const flat = (data: Float32Array): Tensor => ({ dtype: "float32", shape: [data.length], data });
