import { existsSync } from "node:fs";
import { basename, extname, join, resolve } from "node:path";
import {
  applied,
  type Config,
  checkConfig,
  dataSpec,
  isData,
  parseSetting,
  type Raw,
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

/** The configuration of a file, or of --model and --data alone. Throws UsageError, ConfigError, FileError. */
export async function openRequest(request: TrainRequest): Promise<Requested> {
  const settings = request.set.map(parseSetting).map(fromHere);
  const read = await (request.config === undefined
    ? fromFlags(request, settings)
    : readConfig(request.config, (raw) => [...settings, ...flagSettings(request, raw)]));
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
function flagSettings({ model, data }: TrainRequest, { network }: Raw): Setting[] {
  const keeps = typeof network === "object" && network !== null && "model" in network;
  return [
    ...(model === undefined ? [] : [keeps ? onModel(model) : { key: "network", value: { model: pathOrName(model) } }]),
    ...(data === undefined ? [] : [{ key: "data.train", value: resolve(data) }]),
  ];
}

const onModel = (model: string): Setting => ({ key: "network.model", value: pathOrName(model) });

/** What says of data where it lies, and what else it may say. */
const places = ["path", "root", "inputs", "labels", "groups", "url"];
const sayings = [
  "kind",
  "export",
  "options",
  "classes",
  "split",
  "targets",
  "multiLabel",
  "skipUnreadable",
  "fraction",
];

/** Paths of a setting are relative to where one stands, not to the file. */
function fromHere({ key, value }: Setting): Setting {
  if (key === "network.model" && typeof value === "string") return onModel(value);
  if (key === "out" && typeof value === "string") return { key, value: resolve(value) };
  const [section, part, ...rest] = key.split(".");
  const last = rest.at(-1) ?? "";
  const isNamedTest = part === "test" && rest.length === 1 && !sayings.includes(last);
  if (section !== "data" || !(rest.length === 0 || places.includes(last) || isNamedTest)) return { key, value };
  return { key, value: movedHere(value) };
}

function movedHere(value: unknown): unknown {
  if (typeof value === "string") return /^(file|data):/.test(value) ? value : resolve(value);
  if (value === null || typeof value !== "object") return value;
  if (isData(value)) return dataSpec(value, (path) => resolve(path));
  // Test sets by name; how much is held out.
  return mapped(value, (each) => (typeof each === "string" || typeof each === "object" ? movedHere(each) : each));
}

function mapped(values: object, change: (value: unknown) => unknown): object {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value)]));
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
