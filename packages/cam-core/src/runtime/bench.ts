import { availableParallelism } from "node:os";
import { explainedLayers, targetInputOf } from "../explain/explained.ts";
import { gradientPlan, type Plan, plan } from "../explain/plan.ts";
import { methodNamed } from "../methods/index.ts";
import type { Target } from "../targets/parse.ts";
import { int64, type Tensor } from "../tensor.ts";
import { loadModel } from "./load-model.ts";
import { pinFaults } from "./provider-faults.ts";
import type { Device, RanOn } from "./ran-on.ts";
import { randomFeeds } from "./random-feeds.ts";
import type { Session, SessionOptions } from "./runtime.ts";
import { openBytes, openSession } from "./session.ts";

export type BenchOptions = SessionOptions & {
  /** A method's name, or `gradient` for the bare input gradient. Default grad-cam. */
  method?: string | undefined;
  layers?: readonly string[] | undefined;
  target?: Target;
  /** An exported file to run in place of an explanation made here: what serving it costs. */
  against?: string | undefined;
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
  /** Which device ran how many nodes of the explanation. */
  readonly ranOn: RanOn;
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
  // The file untouched; of a device that would get some of its nodes wrong, the graph with those kept on the CPU.
  const { graph } = await loadModel(path);
  const faulty = pinFaults(graph, (options.device ?? "cpu") as Device).pins.size > 0;
  const openForward = () => (faulty ? openSession(graph, options) : openBytes(path, options));
  const opens: number[] = [];
  const prepares: number[] = [];
  const opened = {
    forward: openForward,
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
  const forward = await openForward();
  const { session: explain, layers, targetFeeds } = await prepare(path, options, target);
  const feeds = randomFeeds(graph.inputs, options.sizes);
  const explainFeeds = { ...feeds, ...targetFeeds(feeds) };
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
  const ranOn = explain.ranOn();
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
    ranOn,
    layers,
    pairs,
  };
}

type Prepared = {
  readonly session: Session;
  readonly layers: readonly string[];
  /** What the target is fed, beside the model's own inputs. */
  readonly targetFeeds: (feeds: Readonly<Record<string, Tensor>>) => Record<string, Tensor>;
};

/** From the file to a compiled explanation, or an exported file opened. */
async function prepare(path: string, options: BenchOptions, target: Target): Promise<Prepared> {
  if (options.against !== undefined) {
    const { graph } = await loadModel(options.against);
    const input = targetInputOf(graph);
    const asked = int64([1], [target.kind === "class" ? target.index : -1]);
    const session = await openBytes(options.against, options);
    return {
      session,
      layers: explainedLayers(graph),
      targetFeeds: () => (input === undefined ? {} : { [input]: asked }),
    };
  }
  const made = planFor(await loadModel(path), options, target);
  return {
    session: await openSession(made.graph, options),
    layers: made.layers.map((layer) => layer.value),
    targetFeeds: (feeds) => made.targets[0]!.feeds(target, feeds[made.input]!.shape[0]!),
  };
}

function planFor(model: Awaited<ReturnType<typeof loadModel>>, options: BenchOptions, target: Target): Plan {
  if (options.method === "gradient") return gradientPlan(model, { target });
  const method = methodNamed(options.method ?? "grad-cam");
  return plan(model, { method, layers: options.layers, targets: [target], finish: true });
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}
