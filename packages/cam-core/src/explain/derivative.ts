import { copyGraph } from "../graph/graph.ts";
import { inDouble } from "../graph/passes/in-double.ts";
import type { Model } from "../model/model.ts";
import type { RanOn } from "../runtime/ran-on.ts";
import { type OpenSession, type SessionOptions, using } from "../runtime/runtime.ts";
import type { Target } from "../targets/parse.ts";
import { numbersIn, type Tensor } from "../tensor.ts";
import { checkFeeds } from "./explainer.ts";
import { narrowFeeds } from "./narrow-feeds.ts";
import { type GroundworkOptions, gradientPlan } from "./plan.ts";

export type DerivativeOptions = SessionOptions &
  GroundworkOptions & {
    target: Target;
    wrt?: string | undefined;
    /** What it is evaluated in. Default float64 on the CPU, float32 elsewhere. */
    precision?: "float64" | "float32" | undefined;
  };

export type Derivative = {
  /** d target / d tensor, in the tensor's own shape and type. */
  readonly gradient: Tensor;
  /** The scalar per sample, and the class explained where the target is one. */
  readonly scores: readonly number[];
  readonly classes: readonly number[] | undefined;
  readonly logits: Tensor;
  readonly squashedBy: string | undefined;
  readonly device: string;
  /** Which device ran how many nodes. */
  readonly ranOn: RanOn;
  readonly precision: "float64" | "float32";
};

/**
 * The gradient of a target with respect to any tensor, once and exactly. The gradient of a ReLU network jumps where a
 * pre-activation is zero, and one of its millions usually lies within float32's rounding of that: the order of a sum then
 * decides over a part of the input. So it is evaluated in float64, some ten times slower than float32, and rounded at the end.
 *
 * Throws what planning and running throw; InputError for feeds that don't fit.
 */
export async function computeGradient(
  openSession: OpenSession,
  model: Model,
  given: Readonly<Record<string, Tensor>>,
  options: DerivativeOptions,
): Promise<Derivative> {
  const feeds = narrowFeeds(model.graph.inputs, given);
  const made = gradientPlan(atSizesOf(feeds, model), options);
  const n = checkFeeds(
    made.graph.inputs.filter((info) => !info.name.startsWith("camkit/")),
    feeds,
    made.input,
  );
  const precision = options.precision ?? (["auto", "cpu"].includes(options.device ?? "cpu") ? "float64" : "float32");
  // Beyond "basic" the runtime fuses float64 nodes into operators for which it has float32 kernels only (QuickGelu).
  const opening =
    precision === "float64"
      ? openSession(inDouble(made.graph), { optimize: "basic", ...options, device: doubleDevice(options.device) })
      : openSession(made.graph, options);
  return using(opening, async (session) => {
    const [planned] = made.targets;
    const results = await session.run({ ...feeds, ...planned!.feeds(options.target, n) });
    return {
      gradient: results[made.gradient]!,
      scores: numbersIn(results[planned!.scores]!),
      classes: planned!.winners === undefined ? undefined : numbersIn(results[planned!.winners]!),
      logits: results[made.logits]!,
      squashedBy: made.squashedBy,
      device: session.device,
      ranOn: session.ranOn(),
      precision,
    };
  });
}

/** Where float64 is evaluated: `auto` is the CPU then, which has a kernel for nearly everything. */
function doubleDevice(requested: string | undefined): string | undefined {
  return requested === "auto" ? "cpu" : requested;
}

/** The model with its inputs' sizes fixed to those that are fed: what runs once needn't stay dynamic. */
function atSizesOf(feeds: Readonly<Record<string, Tensor>>, model: Model): Model {
  const graph = copyGraph(model.graph);
  graph.inputs = graph.inputs.map((input) => {
    const fed = feeds[input.name]?.shape;
    const fits = fed?.length === (input.shape?.length ?? fed?.length);
    return fed && fits
      ? { ...input, shape: input.shape?.map((dim, i) => (typeof dim === "number" ? dim : fed[i]!)) ?? fed }
      : input;
  });
  return { ...model, graph };
}
