import { availableParallelism } from "node:os";
import { gradientPlan, type Plan, plan } from "../explain/plan.ts";
import type { Graph } from "../graph/graph.ts";
import { methodNamed } from "../methods/index.ts";
import type { Target } from "../targets/parse.ts";
import { sizeOf, type Tensor } from "../tensor.ts";
import { rng } from "../testing/rng.ts";
import { loadModel } from "./load-model.ts";
import type { SessionOptions } from "./runtime.ts";
import { openBytes, openSession } from "./session.ts";

export type BenchOptions = SessionOptions & {
  /** A method's name, or `gradient` for the bare input gradient. Default grad-cam. */
  method?: string | undefined;
  layers?: readonly string[] | undefined;
  target?: Target;
  /** Sizes for the input's open dimensions; default 1 for the batch and 224 for space. */
  sizes?: Readonly<Record<string, number>>;
  /** Alternating pairs measured. Default 30. */
  pairs?: number;
};

export type BenchResult = {
  /** Median milliseconds of one forward pass of the untouched file. */
  readonly forwardMs: number;
  /** Median milliseconds from decoded tensor to finished map. */
  readonly explainMs: number;
  /** Median of the pairs' ratios explain / forward. */
  readonly ratio: number;
  /** Opening the file in the runtime alone, and opening, planning and compiling for explanation. */
  readonly openMs: number;
  readonly prepareMs: number;
  /** Resident memory at its highest, in MiB. */
  readonly peakMb: number;
  readonly threads: number;
  readonly provider: string;
  readonly layers: readonly string[];
  readonly pairs: number;
};

/**
 * Measures an explanation against the untouched file's forward pass: both sessions in one process, the same feed, pairs in
 * alternating order, medians. Opening is measured five times each, in turn.
 */
export async function benchModel(path: string, given: BenchOptions = {}): Promise<BenchResult> {
  const threads = given.threads ?? availableParallelism();
  const options = { ...given, threads };
  const target = options.target ?? { kind: "auto" as const };
  const pairs = options.pairs ?? 30;
  const opens: number[] = [];
  const prepares: number[] = [];
  const opened = {
    forward: () => openBytes(path, options),
    explain: async () => (await prepare(path, options, target)).session,
  };
  // One at a time with nothing else open, in turn, so that both meet the same state of the allocator.
  for (let round = 0; round < 5; round++)
    for (const [which, times] of [
      ["forward", opens],
      ["explain", prepares],
    ] as const) {
      const start = performance.now();
      const session = await opened[which]();
      times.push(performance.now() - start);
      await session.close();
    }
  const forward = await openBytes(path, options);
  const { session: explain, plan: made, model } = await prepare(path, options, target);
  const feeds = randomFeeds(model.graph, options.sizes ?? {});
  const n = feeds[made.input]!.shape[0]!;
  const explainFeeds = { ...feeds, ...made.targets[0]!.feeds(target, n) };
  const run = { forward: () => forward.run(feeds), explain: () => explain.run(explainFeeds) };
  for (let warm = 0; warm < 5; warm++) {
    await run.forward();
    await run.explain();
  }
  const times = { forward: [] as number[], explain: [] as number[] };
  for (let pair = 0; pair < pairs; pair++)
    for (const which of pair % 2 === 0 ? (["forward", "explain"] as const) : (["explain", "forward"] as const)) {
      const start = performance.now();
      await run[which]();
      times[which].push(performance.now() - start);
    }
  const provider = explain.device;
  await forward.close();
  await explain.close();
  return {
    forwardMs: median(times.forward),
    explainMs: median(times.explain),
    ratio: median(times.explain.map((ms, i) => ms / times.forward[i]!)),
    openMs: median(opens),
    prepareMs: median(prepares),
    peakMb: process.resourceUsage().maxRSS / 1024,
    threads,
    provider,
    layers: made.layers.map((layer) => layer.value),
    pairs,
  };
}

/** From the file to a compiled explanation. */
async function prepare(path: string, options: BenchOptions, target: Target) {
  const model = await loadModel(path);
  const made = planFor(model, options, target);
  return { model, plan: made, session: await openSession(made.graph, options) };
}

function planFor(model: Awaited<ReturnType<typeof loadModel>>, options: BenchOptions, target: Target): Plan {
  if (options.method === "gradient") return gradientPlan(model, { target });
  const method = methodNamed(options.method ?? "grad-cam");
  return plan(model, { method, layers: options.layers, targets: [target], finish: true });
}

/** Normal values for every float input, zeros for the others. */
function randomFeeds(graph: Graph, sizes: Readonly<Record<string, number>>): Record<string, Tensor> {
  const random = rng(1);
  return Object.fromEntries(
    graph.inputs.map((input): [string, Tensor] => {
      const shape = (input.shape ?? []).map((dim, axis) => {
        if (typeof dim === "number") return dim;
        return (dim === null ? undefined : sizes[dim]) ?? (axis === 0 ? 1 : axis === 1 ? 3 : 224);
      });
      if (input.dtype === "float32") return [input.name, random.normal(shape)];
      if (input.dtype === "int64")
        return [input.name, { dtype: "int64", shape, data: new BigInt64Array(sizeOf(shape)) }];
      return [input.name, { dtype: input.dtype, shape, data: new Uint8Array(sizeOf(shape)) }];
    }),
  );
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}
