import { type InputManifest, type Manifest, type ModelFile, sha256Hex } from "@camkit/cam-core";
import type { Dataset } from "../data/dataset.ts";
import { ConfigError } from "../errors.ts";
import { type Part, type Recipe, samplesOf } from "../loop/train.ts";
import { buildLoss } from "../losses/index.ts";
import { metricNamed } from "../metrics/index.ts";
import { chooseTrainable } from "../network/choose-trainable.ts";
import { optimisers } from "../optimisers/index.ts";
import type { Optimiser } from "../optimisers/optimiser.ts";
import { type Schedule, schedules, warmUp } from "../schedules/index.ts";
import { type Folds, foldsOf, type NamedPart, openParts } from "./data.ts";
import { checkDeployable } from "./deploy.ts";
import { buildNetwork, lossKinds, lossOf, openOrigin, takesPictures } from "./network.ts";
import { testsOf } from "./paths.ts";
import type { Config } from "./schema.ts";

/** A configuration made ready to run: everything opened, everything checked that can be before the first step. */
export type PreparedRun = {
  /** With all paths resolved. */
  readonly config: Config;
  readonly recipe: Recipe;
  /** The network's output that is judged. */
  readonly output: string;
  readonly tests: readonly NamedPart[];
  /** What the manifest will say of the input: how pictures become numbers, or how finished volumes were made. */
  readonly described: InputManifest | undefined;
  /** How the tokens lie in space of the model that the run goes on from. */
  readonly tokens: Manifest["tokens"];
  /** What of the configuration decides the weights; where data and models lie does not. */
  readonly digest: string;
  /** Everything that decides what the run's files say: its weights, the samples, what is measured and written down. */
  readonly asked: string;
  readonly warnings: readonly string[];
};

/**
 * Opens data and network. Throws ConfigError, DataError, NetworkError, MetricError, and what opening files throws.
 *
 * @param given with all paths resolved
 * @param wanted which fold is held out for testing, from 0. Default: the one that the configuration says
 */
export async function prepareRun(given: Config, wanted?: number): Promise<PreparedRun> {
  const folds = foldsOf(given);
  const fold = wanted ?? (folds?.only === undefined ? undefined : folds.only - 1);
  const config = fold === undefined ? given : withFold(given, folds!, fold);
  const origin = await openOrigin(config);
  const { train, validation, tests } = await openParts(config, origin, fold);
  const { dataset } = train;
  checkWatched(config, dataset.labelKind, validation !== undefined);
  const { graph, trained, output } = buildNetwork(config, origin, dataset);
  if (config.mix && dataset.labelKind === "class" && lossKinds(config, dataset).includes("focal"))
    throw new ConfigError("mix: focal takes class numbers, a mixed sample has shares of two", {
      hint: "Use crossEntropy with `mix`.",
    });
  const { targetLayer } = config.manifest;
  if (targetLayer !== undefined && !graph.nodes.some(({ outputs }) => outputs.includes(targetLayer)))
    throw new ConfigError(`manifest.targetLayer: the network has no tensor "${targetLayer}"`);
  const loss = lossOf(config, dataset);
  const recipe: Recipe = {
    graph,
    input: takesPictures(dataset.fields.input!) ? origin.input : undefined,
    train,
    validation,
    trained,
    statistics: config.network.statistics,
    loss: ({ op, outputs, fields }) =>
      buildLoss({ op, outputs: { ...outputs, logits: outputs[output]! }, fields }, loss),
    optimiser: optimiserOf(config),
    schedule: scheduleOf(config),
    groups: config.groups.map(({ match, ...rest }) => {
      const names = new Set(chooseTrainable(graph, { train: [match] }));
      return { ...rest, match: (name) => names.has(name) };
    }),
    ...pick(config, ["rate", "decay", "clip", "accumulate", "averaging", "epochs", "batch", "seed"]),
    ...pick(config, ["augment", "mix", "monitor", "patience"]),
  };
  const used = recipe.input;
  const parts = [train, ...(validation ? [validation] : []), ...tests];
  const run = {
    ...{ config, recipe, output, tests },
    described: used ?? (origin.input?.size.length === 3 ? origin.input : undefined),
    tokens: origin.model?.manifest?.tokens,
    digest: digestOf(config, used, fold),
    asked: askedOf(config, parts, origin.model),
    warnings: [...(used ? origin.warnings : []), ...new Set(parts.flatMap(({ dataset }) => strayOf(dataset)))],
  };
  checkDeployable(run);
  return run;
}

/** The configuration of one fold, which by itself is the same run again. */
function withFold(config: Config, { count, options }: Folds, fold: number): Config {
  return { ...config, data: { ...config.data, folds: { count, only: fold + 1, ...options } } } as Config;
}

/** Refuses what has nothing to watch, or can't be told from such labels. Throws ConfigError, MetricError. */
function checkWatched(config: Config, labelKind: Dataset["labelKind"], hasValidation: boolean): void {
  const { monitor, patience, calibrate, answer } = config;
  const kind = scoreKinds[labelKind];
  const metric = monitor === "loss" ? undefined : metricNamed(monitor);
  if (metric && !metric.needs.includes(kind))
    throw new ConfigError(`monitor: ${metric.name} needs ${metric.needs.join(" or ")}, the labels are ${kind}`);
  const asked = { monitor: metric, patience, calibrate: calibrate || undefined, answer };
  for (const [key, value] of Object.entries(asked))
    if (value !== undefined && !hasValidation)
      throw new ConfigError(`${key}: there are no validation samples to watch`, {
        hint: "Hold some out: `data.validation: { fraction: 0.2 }`.",
      });
  for (const [key, value] of Object.entries({ calibrate: asked.calibrate, answer }))
    if (value !== undefined && labelKind !== "class")
      throw new ConfigError(`${key}: takes samples with one class each, the labels are ${kind}`);
}

/** What labels of a kind are measured as. */
const scoreKinds = { class: "classes", "multi-label": "multi-label", values: "regression" } as const;

function pick<K extends keyof Config>(config: Config, keys: readonly K[]): Pick<Config, K> {
  return Object.fromEntries(keys.map((key) => [key, config[key]])) as Pick<Config, K>;
}

function optimiserOf({ optimiser }: Config): Optimiser {
  const [name, options] = typeof optimiser === "string" ? [optimiser, {}] : Object.entries(optimiser)[0]!;
  return optimisers[name as keyof typeof optimisers].make(options as never);
}

function scheduleOf({ schedule, warmUp: rising }: Config): Schedule {
  const [name, options] = typeof schedule === "string" ? [schedule, {}] : Object.entries(schedule)[0]!;
  const made = schedules[name as keyof typeof schedules].make(options as never);
  return rising > 0 ? warmUp(rising, made) : made;
}

/** Keys that leave the weights as they are. */
const aside = [
  "$schema",
  "name",
  "out",
  "threads",
  "workers",
  "data",
  "calibrate",
  "answer",
  "manifest",
  "sweep",
] as const;

function digestOf(config: Config, input: InputManifest | undefined, fold: number | undefined): string {
  const rest: Record<string, unknown> = { ...config, input, fold };
  for (const key of aside) delete rest[key];
  if ("model" in config.network) rest.network = { ...config.network, model: undefined };
  return sha256Hex(JSON.stringify(rest));
}

function askedOf(config: Config, parts: readonly Part[], model: ModelFile | undefined): string {
  const { out: _, threads: _t, workers: _w, network, ...rest } = config;
  const said = { ...rest, network: { ...network, model: model?.sha256() }, data: dataSettings(config) };
  return sha256Hex(JSON.stringify([said, parts.map(samplesOf)]));
}

/** What is said of the data beside where it lies. */
function dataSettings({ data: { train: _, validation: _v, test, ...rest } }: Config): object {
  return { ...rest, tests: Object.keys(testsOf(test)) };
}

/** What lies among the data and isn't used, in a sentence. */
export function strayOf({ report }: Dataset): string[] {
  const some = (names: readonly string[]) =>
    `${names.slice(0, 3).join(", ")}${names.length > 3 ? `, … (${names.length} in all)` : ""}`;
  return [
    ...(report.stray.length > 0 ? [`not used, since no pictures in a class's folder: ${some(report.stray)}`] : []),
    ...(report.unreadable.length > 0
      ? [`left out, since unreadable: ${some(report.unreadable.map(({ id, reason }) => `${id} (${reason})`))}`]
      : []),
  ];
}
