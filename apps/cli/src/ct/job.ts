import { methodNamed } from "@camkit/cam-core";
import {
  type ExplainRequest,
  faithfulnessNames,
  type OutputKind,
  openScanModel,
  outputKinds,
  type ScanModel,
} from "@camkit/medical";
import { UsageError } from "../errors.ts";
import { timeOf } from "../explain/provenance.ts";
import { layersArgument } from "../model.ts";
import { modelPath } from "../shipped.ts";
import { version } from "../version.ts";
import { someOf } from "./lists.ts";

/** What `ct` and `ct watch` have in common: the model, the map, what is written. */
export type JobRequest = {
  readonly model: string;
  readonly manifest: string | undefined;
  readonly method: string | undefined;
  readonly layer: string | undefined;
  readonly target: string;
  readonly threshold: number;
  readonly metrics: string;
  readonly outputs: string;
  readonly allowIrregular: boolean;
  readonly device: string;
  readonly threads: number | undefined;
};

/** A request with its model opened and its names looked up. */
export type Job = {
  readonly model: ScanModel;
  readonly outputs: readonly OutputKind[];
  /** Everything that was asked and changes what is written. */
  readonly asked: readonly unknown[];
  /** For one scan, at the time it is begun. */
  explain(listener: Pick<ExplainRequest, "onStage" | "signal">): ExplainRequest;
};

/** Throws UsageError for what can't be, and what opening the model throws. */
export async function openJob(request: JobRequest): Promise<Job> {
  const { manifest, method, layer, target, threshold, allowIrregular, device, threads } = request;
  const outputs = someOf(request.outputs, outputKinds, "output");
  const metrics = someOf(request.metrics, faithfulnessNames, "metric");
  if (!(threshold > 0 && threshold <= 1))
    throw new UsageError(`--threshold is above 0 and at most 1, found ${threshold}`);
  if (method !== undefined) methodNamed(method);
  const model = await openScanModel(modelPath(request.model), { manifest });
  return {
    model,
    outputs,
    asked: [
      model.model.sha256(),
      model.model.manifest,
      method,
      layer,
      target,
      threshold,
      outputs,
      metrics,
      allowIrregular,
    ],
    explain: (listener) => ({
      ...listener,
      model,
      method,
      layers: layer === undefined ? undefined : layersArgument(layer, model.model),
      target,
      threshold,
      metrics,
      allowIrregular,
      device,
      threads,
      camkitVersion: version,
      time: new Date(timeOf()),
    }),
  };
}
