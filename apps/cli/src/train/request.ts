import { existsSync } from "node:fs";
import { basename, extname, join, resolve } from "node:path";
import {
  applied,
  type Config,
  checkConfig,
  parseSetting,
  type ReadConfig,
  readConfig,
  type Setting,
  type Unit,
  unitsOf,
  withPaths,
} from "@camkit/cam-train";
import { UsageError } from "../errors.ts";
import { modelPath } from "../shipped.ts";

/** What the command line asks for. */
export type TrainRequest = {
  readonly config: string | undefined;
  readonly model: string | undefined;
  readonly data: string | undefined;
  readonly out: string | undefined;
  readonly set: readonly string[];
};

/** The trainings that are asked for: one, or those of a sweep or of folds; paths are resolved. */
export type Requested = { readonly units: readonly Unit[]; readonly out: string; readonly again: string };

/** Settings that are paths: on the command line they are relative to where one stands, not to the file. */
const pathSettings = ["network.model", "data.train", "data.validation", "data.test", "out"];

/** The configuration of a file, or of --model and --data alone. Throws UsageError, ConfigError, FileError. */
export async function openRequest(request: TrainRequest): Promise<Requested> {
  const settings = request.set.map(parseSetting).map(fromHere);
  const read = await (request.config === undefined
    ? fromFlags(request, settings)
    : readConfig(request.config, [...settings, ...flagSettings(request)]));
  const { config, name, folder } = read;
  const out = resolve(
    request.out ?? (config.out === undefined ? join(folder, "runs", name) : resolve(folder, config.out)),
  );
  return { units: unitsOf(read, ready), out, again: againWith(request) };
}

function ready({ config, name, folder }: ReadConfig): Config {
  const moved = withPaths({ ...config, name }, (path) => resolve(folder, path));
  const { network } = moved;
  return "model" in network ? { ...moved, network: { ...network, model: modelPath(network.model) } } : moved;
}

/**
 * Fine-tuning without a file: a fresh head on a frozen network, for the folder's classes. A fifth of the pictures is held out
 * and chooses the best weights.
 */
function fromFlags({ model, data }: TrainRequest, settings: readonly Setting[]) {
  if (model === undefined || data === undefined)
    throw new UsageError("nothing says what to train", {
      hint: "Give a configuration, or a model and pictures: camkit train --model model.onnx --data photos/",
    });
  const name = basename(model, extname(model));
  const raw = {
    network: { model: pathOrName(model), head: "replace", train: ["head.*"] },
    data: { train: resolve(data), validation: { fraction: 0.2 } },
    augment: [{ kind: "flip" }],
    ...{ batch: 8, epochs: 20, monitor: "loss", calibrate: true },
  };
  return checkConfig(applied(raw, settings), name, ".", () => "command line");
}

/** --model and --data beside a configuration take the place of what it says. */
function flagSettings({ model, data }: TrainRequest): Setting[] {
  return [
    ...(model === undefined ? [] : [{ key: "network.model", value: pathOrName(model) }]),
    ...(data === undefined ? [] : [{ key: "data.train", value: resolve(data) }]),
  ];
}

function fromHere({ key, value }: Setting): Setting {
  if (!pathSettings.includes(key) || typeof value !== "string") return { key, value };
  return { key, value: key === "network.model" ? pathOrName(value) : resolve(value) };
}

/** What isn't there as a file may be the name of a model that ships. */
function pathOrName(model: string): string {
  return existsSync(model) ? resolve(model) : model;
}

/** The command that goes on with this run. */
function againWith({ config, model, data, out, set }: TrainRequest): string {
  const words = [
    ...(config === undefined ? [] : [config]),
    ...(model === undefined ? [] : ["--model", model]),
    ...(data === undefined ? [] : ["--data", data]),
    ...(out === undefined ? [] : ["--out", out]),
    ...set.flatMap((setting) => ["--set", setting]),
    "--resume",
  ];
  return `camkit train ${words.map((word) => (/[^\w./=:,-]/.test(word) ? `'${word}'` : word)).join(" ")}`;
}
