import { classIndex, type ModelFile, TargetError } from "@camkit/cam-core";
import type { MedicalManifest, VolumeOptions } from "../networks/index.ts";
import type { FaithfulnessName } from "./faithfulness.ts";
import type { StageListener } from "./stages.ts";

/** A network and how scans get into it. */
export type ScanModel = {
  readonly model: ModelFile;
  readonly medical: MedicalManifest;
  /** What was assumed because nothing says it. */
  readonly notes: readonly string[];
};

export type ExplainRequest = StageListener & {
  readonly model: ScanModel;
  /** Default: what the manifest says, else grad-cam. */
  readonly method?: string | undefined;
  /** Tensor names. Default: the manifest's, else the last layer that has a place in space. */
  readonly layers?: readonly string[] | undefined;
  /** A label, a class number, or "auto": the class that wins. */
  readonly target: string;
  /** Of the map's largest value: from here on voxels count as marked. */
  readonly threshold: number;
  readonly metrics: readonly FaithfulnessName[];
  /** Resample what doesn't lie on a regular grid, instead of refusing it. */
  readonly allowIrregular?: boolean;
  readonly device?: string | undefined;
  readonly threads?: number | undefined;
  readonly camkitVersion: string;
  readonly time: Date;
};

/** The class that is asked for; undefined for the winner. Throws UnknownNameError, TargetError. */
export function classAsked({ target, model: { model } }: ExplainRequest): number | undefined {
  if (target === "auto") return undefined;
  const index = classIndex(target, model.labels);
  const known = model.manifest?.classes?.length;
  if (known !== undefined && index >= known)
    throw new TargetError(`there is no class ${index}: the model has ${known}`, {
      hint: `Classes: ${model.labels.join(", ")}.`,
    });
  return index;
}

/** What is asked for, else what the manifest says; layers that were stated for one method don't go with another. */
export function optionsOf(request: ExplainRequest): VolumeOptions {
  const { method, device, threads, signal } = request;
  const { medical } = request.model;
  const layers = request.layers ?? (method === undefined || method === medical.method ? medical.layers : undefined);
  return {
    method: method ?? medical.method,
    ...(layers === undefined ? {} : { layers }),
    device,
    threads,
    window: medical.slidingWindow,
    signal,
  };
}
