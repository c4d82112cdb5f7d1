import { basename } from "node:path";
import {
  checkExport,
  describeTarget,
  type ExportCheck,
  type ExportOptions,
  exportGraph,
  type Manifest,
  type ModelFile,
  manifestPath,
  methodNamed,
  pixelAffine,
  preprocessingOf,
  type Shape,
  type TargetInput,
  type ValueInfo,
  writeAtomic,
  writeModelFile,
} from "@camkit/cam-core";
import type { Outcome } from "../command.ts";
import { UsageError } from "../errors.ts";
import { bytes, shape } from "../format.ts";
import { type Io, warn } from "../io.ts";
import { checkOutput, layersArgument, mainInput, openModelArgument } from "../model.ts";
import { toJson } from "../output.ts";
import { facts } from "../table.ts";
import { targetsArgument } from "../targets.ts";
import { version } from "../version.ts";

/** What the command line asks for. */
export type ExportRequest = {
  readonly model: string;
  readonly out: string;
  readonly method: string;
  readonly layer: string;
  readonly target?: string | undefined;
  readonly allClasses: boolean;
  readonly targetInput: TargetInput;
  readonly foldPreprocessing: boolean;
  readonly prefix: string;
  readonly externalData: boolean;
  readonly skipCheck: boolean;
  readonly input?: string | undefined;
  readonly output?: string | undefined;
  readonly manifest?: string | undefined;
  readonly device: string;
  readonly threads?: number | undefined;
};

/** Builds the explaining model, writes it, checks it, and writes the manifest that goes with it. */
export async function runExport(request: ExportRequest, io: Io): Promise<Outcome> {
  const { out, targetInput, prefix, device, threads } = request;
  const model = await openModelArgument(request.model, request.manifest);
  const input = mainInput(model, request.input);
  checkOutput(model, request.output);
  const target = await fixedTarget(request, model);
  const folded = request.foldPreprocessing ? preprocessingOf(model, input) : undefined;
  const notes = [...(model.manifestFrom?.notes ?? []), ...(folded?.notes ?? [])];
  for (const note of notes) warn(io, note);
  const method = methodNamed(request.method);
  const options: ExportOptions = {
    method,
    layers: layersArgument(request.layer, model),
    input: input.name,
    output: request.output,
    target: target?.target,
    allClasses: request.allClasses,
    targetInput,
    prefix,
    pictures: folded && { manifest: folded.input, affine: pixelAffine(folded.input) },
    metadata: new Map([
      ["camkit.version", version],
      ["camkit.model", model.name],
      ["camkit.model_sha256", model.sha256()],
      ["camkit.method", method.name],
      ["camkit.method_source", method.source],
      ["camkit.target", target?.text ?? `chosen in the run by ${prefix}_target`],
      ["camkit.preprocessing", folded ? JSON.stringify(folded) : "none: the model's own input"],
    ]),
  };
  const exported = exportGraph(model, options);
  let check: ExportCheck | undefined;
  const written = await writeModelFile(out, exported.graph, {
    externalData: request.externalData || keepsWeightsApart(model),
    check: async (path) => {
      if (request.skipCheck) return;
      check = await checkExport(model, path, exported, { ...options, method: method.name, device, threads });
    },
  });
  const manifest = manifestFor(model, written.sha256, folded && input.name);
  const manifestFile = manifestPath(out);
  if (manifest) await writeAtomic(manifestFile, `${toJson(manifest)}\n`);
  const document = {
    camkit: version,
    command: "export",
    model: { name: model.name, file: model.path, sha256: model.sha256() },
    method: method.name,
    layers: exported.layers.map((layer) => layer.value),
    target: target?.text ?? null,
    targetInput: exported.target ?? null,
    inputs: exported.graph.inputs.map((info) => ({ ...described(info), optional: info.optional === true })),
    outputs: exported.graph.outputs.map(described),
    opset: exported.graph.opsets.get("") ?? null,
    preprocessing: folded ?? null,
    check: check ?? null,
    files: [...written.files, ...(manifest ? [manifestFile] : [])],
    bytes: written.bytes,
    sha256: written.sha256,
    warnings: notes,
  };
  return { document, text: () => textOf(document) };
}

async function fixedTarget({ target, allClasses, out }: ExportRequest, model: ModelFile) {
  if (!/\.onnx$/i.test(out)) throw new UsageError(`--out names an .onnx file, found "${out}"`);
  if (target === undefined) return undefined;
  if (allClasses) throw new UsageError("--target is one map, --all-classes is all: give one of them");
  const [wanted, ...more] = await targetsArgument(target, model);
  if (!wanted || more.length > 0)
    throw new UsageError("an exported model explains one fixed target", {
      hint: "Leave --target out, and choose the class in each run by cam_target.",
    });
  return { target: wanted.target, text: describeTarget(wanted.target, model.labels) };
}

/** Whether the model's own weights lie in a file beside it: then so do those of the copy. */
function keepsWeightsApart(model: ModelFile): boolean {
  const files = new Set([...model.graph.initializers.values()].flatMap(({ file }) => (file ? [file.name] : [])));
  return [...files].some((name) => name !== basename(model.path));
}

/** The model's manifest for the file that explains it: the same model, another hash. Pictures that go in as they are need no word. */
function manifestFor({ manifest }: ModelFile, sha256: string, folded: string | undefined): Manifest | undefined {
  if (!manifest) return undefined;
  const { inputs = {}, ...rest } = manifest;
  const left = Object.fromEntries(Object.entries(inputs).filter(([name]) => name !== folded));
  return { ...rest, ...(Object.keys(left).length > 0 ? { inputs: left } : {}), sha256 };
}

type Described = { readonly name: string; readonly dtype: string; readonly shape: Shape | null };

type Document = {
  readonly method: string;
  readonly layers: readonly string[];
  readonly target: string | null;
  readonly targetInput: string | null;
  readonly inputs: readonly (Described & { readonly optional: boolean })[];
  readonly outputs: readonly Described[];
  readonly check: ExportCheck | null;
  readonly files: readonly string[];
  readonly bytes: number;
};

function described({ name, dtype, shape: dims }: ValueInfo): Described {
  return { name, dtype, shape: dims ?? null };
}

function textOf(document: Document): string {
  const { method, layers, target, targetInput, check } = document;
  const value = ({ name, dtype, shape: dims }: Described) => `${name}  ${dtype} ${shape(dims ?? undefined)}`;
  return facts([
    ["explained", `${method}${layers.length > 0 ? ` at ${layers.join(", ")}` : ""}`],
    ["target", target ?? `chosen in each run by ${targetInput}; -1, the winner`],
    ...document.inputs.map((input) => ["input", `${value(input)}${input.optional ? ", optional" : ""}`] as const),
    ...document.outputs.map((output) => ["output", value(output)] as const),
    [
      "checked",
      check
        ? `on a random input: maps within ${check.cam.toExponential(1)} of explain's, outputs within ${check.outputs.toExponential(1)}`
        : "no",
    ],
    ["written", `${document.files.join(", ")} (${bytes(document.bytes)})`],
  ]);
}
