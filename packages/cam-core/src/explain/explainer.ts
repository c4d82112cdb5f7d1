import { AbortedError, InputError } from "../errors.ts";
import type { ValueInfo } from "../graph/graph.ts";
import { methodNamed } from "../methods/index.ts";
import type { Method } from "../methods/method.ts";
import type { Model } from "../model/model.ts";
import type { RanOn } from "../runtime/ran-on.ts";
import type { OpenSession, Session, SessionOptions } from "../runtime/runtime.ts";
import type { Target } from "../targets/parse.ts";
import { targetKey } from "../targets/seed.ts";
import { numbersIn, type Tensor } from "../tensor.ts";
import { runInChunks } from "./chunks.ts";
import { type Diagnosis, diagnose } from "./diagnose.ts";
import type { Layer } from "./layers.ts";
import { narrowFeeds } from "./narrow-feeds.ts";
import { pixelInput } from "./pixels.ts";
import { type Plan, type PlanOptions, plan } from "./plan.ts";

export type ExplainOptions = SessionOptions & {
  /** Default grad-cam. */
  method?: string | undefined;
  /** Tensor names; default: the layer found from the graph. Maps of several layers are averaged. */
  layers?: readonly string[] | undefined;
  /** Input and output to explain, where the model has several. */
  input?: string | undefined;
  output?: string | undefined;
  /** Make the finished map at the input's resolution too. Default true. */
  finish?: boolean;
  /** Take prepared pictures, uint8 [N, H, W, C] under the name `pixelInput`, instead of the model's own input. */
  pixels?: PlanOptions["pixels"];
  /** Checked between runs: a run itself can't be cancelled. */
  signal?: AbortSignal | undefined;
};

/** One target's map for a batch. */
export type Explanation = {
  readonly target: Target;
  /** The scalar that was explained, per sample. */
  readonly scores: readonly number[];
  /** The class that was explained, per sample, where the target is one. */
  readonly classes: readonly number[] | undefined;
  /** Per layer: [N, ...space] at the layer's resolution, after the method's rectifier, before normalising. */
  readonly raw: readonly Tensor[];
  /** [N, ...space] at the input's resolution, each sample in [0, 1]. */
  readonly map: Tensor | undefined;
};

export type ExplainResult = {
  readonly explanations: readonly Explanation[];
  /** The model's class scores [N, C, …], before a final softmax or sigmoid. */
  readonly logits: Tensor;
};

/** A model compiled for explaining. One compiled graph serves every further input and class; close it when done. */
export type Explainer = {
  readonly method: Method;
  readonly layers: readonly Layer[];
  /** The axis of the scores that counts classes. */
  readonly classAxis: number;
  /** What speaks against the model's answers, in words: names that aren't as many as its scores, Dropout that is on. */
  readonly doubts: readonly string[];
  /** The softmax or sigmoid that the model's output ends with; the explained scores are those before it. */
  readonly squashedBy: string | undefined;
  readonly device: Session["device"];
  /** Which device ran how many nodes, from the first run on; and what `auto` left aside. */
  ranOn(): RanOn;
  /** Explains a batch. All float inputs of the model must be fed by name. */
  run(feeds: Readonly<Record<string, Tensor>>, targets?: readonly Target[]): Promise<ExplainResult>;
  /** Why a map of this input came out nowhere positive. Compiles and runs the model once more. */
  diagnose(feeds: Readonly<Record<string, Tensor>>, target: Target): Promise<Diagnosis>;
  close(): Promise<void>;
};

/** Compiles a model with a method. Throws what planning and opening throw. */
export async function createExplainer(
  openSession: OpenSession,
  model: Model,
  options: ExplainOptions = {},
  targets: readonly Target[] = [{ kind: "auto" }],
): Promise<Explainer> {
  const method = methodNamed(options.method ?? "grad-cam");
  const compiled = new Map<string, { plan: Plan; session: Session }>();
  const compile = async (wanted: readonly Target[]) => {
    const key = wanted.map(targetKey).join(",");
    const existing = compiled.get(key);
    if (existing) return existing;
    const { layers, input, output, pixels, finish = true } = options;
    const made = plan(model, { method, layers, input, output, pixels, finish, targets: wanted });
    const entry = { plan: made, session: await openSession(made.graph, options) };
    compiled.set(key, entry);
    return entry;
  };
  const first = await compile(targets);
  return {
    method,
    classAxis: first.plan.classAxis,
    doubts: first.plan.doubts,
    squashedBy: first.plan.squashedBy,
    layers: first.plan.layers,
    device: first.session.device,
    ranOn: first.session.ranOn,
    run: async (given, wanted = targets) => {
      if (options.signal?.aborted) throw new AbortedError();
      const { plan: made, session } = await compile(wanted);
      const feeds = narrowFeeds(made.graph.inputs, given);
      const n = checkFeeds(givenInputs(made), feeds, made.input);
      const extra = (samples: number) =>
        Object.assign({}, ...made.targets.map((target, i) => target.feeds(wanted[i]!, samples)));
      const results = separable(made, wanted, n)
        ? await runInChunks(session, feeds, {
            n,
            batched: batchedInputs(made),
            main: made.input,
            extra,
            signal: options.signal,
          })
        : await session.run({ ...feeds, ...extra(n) });
      return {
        logits: results[made.logits]!,
        explanations: made.targets.map((target, i) => ({
          target: wanted[i]!,
          scores: numbersIn(results[target.scores]!),
          classes: target.winners === undefined ? undefined : numbersIn(results[target.winners]!),
          raw: target.raw.map((name) => results[name]!),
          map: target.map === undefined ? undefined : results[target.map],
        })),
      };
    },
    diagnose: (feeds, target) => diagnose(openSession, model, feeds, target, options),
    close: async () => {
      for (const { session } of compiled.values()) await session.close();
      compiled.clear();
    },
  };
}

/** That every input is there with its type, rank and fixed sizes; returns the batch size. Throws InputError. */
export function checkFeeds(
  inputs: readonly ValueInfo[],
  feeds: Readonly<Record<string, Tensor>>,
  main: string,
): number {
  const names = inputs.map((input) => input.name);
  for (const name of Object.keys(feeds))
    if (!names.includes(name))
      throw new InputError(`the model has no input "${name}"`, { hint: `Inputs: ${names.join(", ")}.` });
  for (const input of inputs) {
    const fed = feeds[input.name];
    const wanted = `${input.dtype} [${input.shape?.map((dim) => dim ?? "?").join(", ") ?? "any shape"}]`;
    if (!fed)
      throw new InputError(`input "${input.name}" (${wanted}) was not given`, { hint: "Give it as NAME=FILE.npy." });
    const fits =
      input.shape === undefined ||
      (fed.shape.length === input.shape.length &&
        input.shape.every((dim, i) => typeof dim !== "number" || dim === fed.shape[i]));
    if (fed.dtype !== input.dtype || !fits)
      throw new InputError(
        `input "${input.name}" wants ${wanted} and was given ${fed.dtype} [${fed.shape.join(", ")}]`,
        {
          hint: fed.dtype === input.dtype ? "Resize or re-export the tensor." : `Save it as ${input.dtype}.`,
        },
      );
  }
  return feeds[main]!.shape[0] ?? 1;
}

/** Inputs whose first axis is the batch: the main one, and those whose first axis has the same name. */
function batchedInputs(made: Plan): Set<string> {
  const batch = made.graph.inputs.find((input) => input.name === made.input)?.shape?.[0];
  const same = made.graph.inputs.filter(
    (input) => input.name === made.input || (batch !== null && input.shape?.[0] === batch),
  );
  return new Set(same.map((input) => input.name));
}

/** Whether a batch may be cut: its size is open, and no target or mask names a sample of it. */
function separable(made: Plan, targets: readonly Target[], n: number): boolean {
  const open = typeof made.graph.inputs.find((input) => input.name === made.input)?.shape?.[0] !== "number";
  const rank = made.logitsRank;
  const wholeBatch = targets.some(
    (target) =>
      target.kind === "element" ||
      (target.kind === "mask" && (target.mask.shape.length === rank || target.mask.shape[0] === n)),
  );
  return open && !wholeBatch;
}

/** Inputs that the caller feeds, without those of the targets. */
function givenInputs(made: Plan): ValueInfo[] {
  return made.graph.inputs.filter((input) => input.name === pixelInput || !input.name.startsWith("camkit/"));
}
