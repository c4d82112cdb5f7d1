import { dirname, join } from "node:path";
import { CamError } from "../../errors.ts";
import { exportGraph } from "../../explain/export.ts";
import { candidateLayers, defaultLayers } from "../../explain/layers.ts";
import { groundwork } from "../../explain/plan.ts";
import { methodNamed } from "../../methods/index.ts";
import type { Model } from "../../model/model.ts";
import { computeGradient, createExplainer } from "../../runtime/explain.ts";
import { loadModel } from "../../runtime/load-model.ts";
import { writeModelFile } from "../../runtime/write-model.ts";
import { byteLengthOf, sizeOf, type Tensor, viewBytes } from "../../tensor.ts";
import type { Rng } from "../rng.ts";

/** How a stage ended: well, with one of our errors (its code), or with something that must never leave the package. */
export type Outcome = {
  readonly stage: string;
  readonly code: string;
  readonly defect?: string;
  readonly said?: string;
};

/** What a file was meant to be good for: the stage by which it is judged. */
export type Goal = "explain" | "gradient" | "decode";

/** Damaged sizes are often ones that a large machine has room for; a small share of it is enough for these models. */
const cpu = { device: "cpu", threads: 1, memory: 64e6 } as const;

/**
 * The whole way that a model file goes: loaded, inspected, explained at a random input, differentiated, written with its explanation. A later stage is
 * entered even where an earlier one was refused, unless there is no model at all.
 */
export async function journey(
  path: string,
  feeds: Readonly<Record<string, Tensor>>,
  random: Rng,
  method = "grad-cam",
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const stage = async <T>(name: string, use: () => Promise<T> | T): Promise<T | undefined> => {
    let result: T | undefined;
    outcomes.push(
      await ended(name, async () => {
        result = await use();
      }),
    );
    return result;
  };
  const model = await stage("load", () => loadModel(path));
  if (!model) return outcomes;
  await stage("inspect", () => {
    model.sha256();
    const site = groundwork(model);
    candidateLayers(site);
    return defaultLayers(site);
  });
  const fed = feedsOf(model, feeds, random);
  await stage("explain", async () => {
    const explainer = await createExplainer(model, { ...cpu, method });
    try {
      return await explainer.run(fed);
    } finally {
      await explainer.close();
    }
  });
  await stage("gradient", () => computeGradient(model, fed, { ...cpu, target: { kind: "auto" } }));
  await stage("export", async () => {
    const { graph } = exportGraph(model, { method: methodNamed("grad-cam") });
    await writeModelFile(join(dirname(path), "explained.onnx"), graph);
  });
  return outcomes;
}

/** Runs one stage and says how it ended. */
export async function ended(stage: string, use: () => unknown): Promise<Outcome> {
  try {
    await use();
    return { stage, code: "ok" };
  } catch (error) {
    return { stage, ...judged(error) };
  }
}

/**
 * What an error is to the caller. One of ours that only wraps a slip of JavaScript, a property of undefined, is a defect all the
 * same: somebody meant to name it and didn't.
 */
function judged(error: unknown): Omit<Outcome, "stage"> {
  const said = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const { cause } = error as { cause?: unknown };
  // Parsers say RangeError of what is damaged; rules only where they forgot to look.
  const parsed = error instanceof CamError && error.code === "not-onnx";
  const slips = [TypeError, ReferenceError, ...(parsed ? [] : [RangeError])];
  const slip = slips.some((kind) => cause instanceof kind) ? (cause as Error) : undefined;
  if (error instanceof CamError && !slip) return { code: error.code, said };
  const stack = slip?.stack ?? (error instanceof Error ? error.stack : undefined) ?? said;
  return { code: "defect", defect: stack.split("\n").slice(0, 9).join("\n"), said };
}

/** Each input of the model: the base's own tensor where it fits, else random numbers of a small declared shape. */
function feedsOf(model: Model, given: Readonly<Record<string, Tensor>>, random: Rng): Record<string, Tensor> {
  const feeds: Record<string, Tensor> = {};
  for (const { name, dtype, shape } of model.graph.inputs) {
    const tensor = Object.hasOwn(given, name) ? given[name] : undefined;
    const fits =
      tensor?.dtype === dtype &&
      (!shape ||
        (shape.length === tensor.shape.length &&
          shape.every((dim, i) => typeof dim !== "number" || dim === tensor.shape[i])));
    const sizes = shape?.map((dim) => (typeof dim === "number" ? dim : 2)) ?? [2];
    if (fits) feeds[name] = tensor;
    else if (dtype !== "string" && sizeOf(sizes) <= 65536) {
      const data = new Uint8Array(byteLengthOf(dtype, sizeOf(sizes)));
      if (dtype === "float32") feeds[name] = random.normal(sizes);
      else feeds[name] = { dtype, shape: sizes, data: viewBytes(dtype, data.fill(dtype === "bool" ? 1 : 0)) };
    } else if (tensor) feeds[name] = tensor;
  }
  return feeds;
}
