import { gradient } from "../autodiff/gradient.ts";
import { methodNamed } from "../methods/index.ts";
import type { Model } from "../model/model.ts";
import { type OpenSession, type SessionOptions, using } from "../runtime/runtime.ts";
import type { Target } from "../targets/parse.ts";
import { seedTarget } from "../targets/seed.ts";
import type { Tensor } from "../tensor.ts";
import { feedPixels, pixelInput } from "./pixels.ts";
import { chooseLayers, type GroundworkOptions, groundwork, type PlanOptions, publish, seal } from "./plan.ts";
import { rootsOf } from "./rounding.ts";

/** Why a map has no positive part. */
export type Diagnosis = {
  readonly code: "saturated" | "no-gradient" | "no-activation" | "negative-evidence";
  readonly reason: string;
  readonly hint: string;
};

const diagnoses: Readonly<Record<Diagnosis["code"], Omit<Diagnosis, "code">>> = {
  saturated: {
    reason: "the output is a saturated probability: its gradient vanishes",
    hint: "Explain the tensor before the last softmax or sigmoid (the default for class targets).",
  },
  "no-gradient": {
    reason: "the gradient at this layer is zero everywhere: the target doesn't react to it here",
    hint: "Choose an earlier layer, before the class token or the pooling that cuts it off.",
  },
  "no-activation": {
    reason: "the layer's activations are zero everywhere on this input",
    hint: "Check the preprocessing, or choose an earlier layer.",
  },
  "negative-evidence": {
    reason: "all evidence at this layer speaks against the target, and the method keeps the positive part",
    hint: "Explain another class, or look at hires-cam or input-x-gradient.",
  },
};

export type DiagnoseOptions = SessionOptions &
  GroundworkOptions &
  Pick<PlanOptions, "pixels"> & { method?: string | undefined; layers?: readonly string[] | undefined };

/**
 * The likely cause of a map that is nowhere positive, from the activations and gradients at the layer. Runs the model once more.
 */
export async function diagnose(
  openSession: OpenSession,
  model: Model,
  feeds: Readonly<Record<string, Tensor>>,
  target: Target,
  options: DiagnoseOptions = {},
): Promise<Diagnosis> {
  const base = groundwork(model, { ...options, keep: options.layers ?? [] });
  const { op } = base;
  const atInput = methodNamed(options.method ?? "grad-cam").resolution === "input";
  const value = atInput ? base.input : chooseLayers(base, options.layers)[0]!.tensor;
  const seeded = seedTarget(base, target, 0);
  const [dA] = gradient(op, rootsOf(op, seeded), [value]);
  const peak = (x: string, name: string) =>
    publish(op, op.cast(op.reduceMax(op.abs(x), { axes: "all", keepdims: false }), "float32"), name);
  const outputs = [peak(value, "camkit/peak.activation"), peak(dA!, "camkit/peak.gradient")];
  if (options.pixels) feedPixels(op, base.input, options.pixels.manifest, options.pixels.affine);
  const n = feeds[options.pixels ? pixelInput : base.input]?.shape[0] ?? 1;
  const results = await using(openSession(seal(op, outputs), options), (session) =>
    session.run({ ...feeds, ...seeded.feeds(target, n) }),
  );
  const [activation, slope] = outputs.map((name) => Number((results[name]!.data as Float32Array)[0]));
  const code = causeOf(activation!, slope!, target);
  return { code, ...diagnoses[code] };
}

function causeOf(activation: number, slope: number, target: Target): Diagnosis["code"] {
  if (slope === 0) return target.kind === "element" ? "saturated" : "no-gradient";
  return activation === 0 ? "no-activation" : "negative-evidence";
}
