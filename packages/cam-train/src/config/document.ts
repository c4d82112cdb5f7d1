import { availableParallelism, cpus } from "node:os";
import { nativeVersions, sizeOf } from "@camkit/cam-core";
import { runFiles, type Trained } from "../loop/train.ts";
import type { Calibration } from "./calibrate.ts";
import { type NamedPart, sizeOfPart } from "./data.ts";
import { deployed } from "./deploy.ts";
import { seenFrom, withPaths } from "./paths.ts";
import type { PreparedRun } from "./recipe.ts";
import { compact, type Measured } from "./results.ts";
import type { Config } from "./schema.ts";

/** Names of what describes a run in its folder. */
export const written = {
  recipe: "recipe.yaml",
  result: "result.json",
  report: "report.html",
  curve: { svg: "curve.svg", png: "curve.png" },
} as const;

/** result.json of a run. */
export type RunDocument = ReturnType<typeof documentOf>;

export type Finished = {
  readonly out: string;
  /** "camkit 0.1.0". */
  readonly generator: string;
  readonly time: string;
  readonly trained: Trained;
  readonly measured: readonly Measured[];
  readonly calibration: Calibration;
  readonly warnings: readonly string[];
};

/** All samples of a run, by name. */
export function partsOf({ recipe: { train, validation }, tests }: PreparedRun): NamedPart[] {
  return [{ ...train, name: "train" }, ...(validation ? [{ ...validation, name: "validation" }] : []), ...tests];
}

/** How a model was made: what its manifest keeps, and result.json too. Nothing in it changes when a run is done again. */
export function originOf(run: PreparedRun, { out, generator, trained, calibration }: Finished) {
  const { config } = run;
  return {
    generator,
    seed: config.seed,
    recipe: travelling(config, out),
    data: partsOf(run).map((part) => ({
      name: part.name,
      samples: sizeOfPart(part),
      fingerprint: part.dataset.fingerprint,
    })),
    training: { ended: trained.ended, steps: trained.steps, ...(trained.best ? { best: trained.best } : {}) },
    ...calibration,
  };
}

export function documentOf(run: PreparedRun, finished: Finished, model: { sha256: string; bytes: number }) {
  const { generator, time, trained, measured, warnings } = finished;
  return {
    ...{ generator, command: "train", time, name: run.config.name! },
    ...{ digest: run.digest, asked: run.asked },
    ...{ ended: trained.ended, steps: trained.steps, seconds: trained.seconds, best: trained.best ?? null },
    model: { file: deployed.model, ...model, parameters: parametersIn(run) },
    classes: run.recipe.train.dataset.classes ?? null,
    ...originOf(run, finished),
    measured: measured.map(compact),
    warnings,
    environment: environmentOf(run.config),
    files: [
      ...[deployed.model, deployed.manifest, written.recipe, runFiles.log],
      ...[written.curve.png, written.curve.svg, written.report, written.result],
    ],
  };
}

/** A configuration whose paths are seen from the run's folder, so that both may move together. */
export function travelling(config: Config, out: string): Omit<Config, "out"> {
  const { out: _, ...rest } = withPaths(config, seenFrom(out));
  return rest;
}

/** Parameters of a network: all, and those that train. */
export function parametersIn({ recipe: { graph, trained } }: PreparedRun): { all: number; trained: number } {
  const floats = [...graph.initializers.values()].filter(({ dtype }) => /^b?float(16|32|64)/.test(dtype));
  return {
    all: floats.reduce((sum, { shape }) => sum + sizeOf(shape), 0),
    trained: trained.reduce((sum, name) => sum + sizeOf(graph.initializers.get(name)!.shape), 0),
  };
}

/** The machine and the versions that numbers were made with. */
export function environmentOf(options: { readonly threads?: number | undefined; readonly workers: number }) {
  return {
    node: process.versions.node,
    onnxruntime: nativeVersions().onnxruntime,
    system: `${process.platform} ${process.arch}`,
    processor: `${cpus()[0]?.model.trim() ?? "unknown"}, ${availableParallelism()} threads`,
    threads: options.threads ?? "default",
    workers: options.workers,
  };
}
