import { checkHash, type Graph, InputError, loadModel, type ModelFile, UnknownNameError } from "@camkit/cam-core";
import { modelPath } from "./shipped.ts";

type ValueInfo = Graph["inputs"][number];

/**
 * Opens a MODEL argument: a file, or a shipped model's name. Throws what `loadModel` throws, UnknownNameError, and
 * ManifestError when the manifest states the hash of another file.
 */
export async function openModelArgument(given: string, manifest?: string): Promise<ModelFile> {
  const model = await loadModel(modelPath(given), manifest === undefined ? {} : { manifest });
  checkHash(model, manifest);
  return model;
}

/**
 * The graph input that INPUT files are for: the named one, else the one that looks like a picture, a clip or a volume, else
 * the first of floating point. Throws UnknownNameError, InputError for a model without any.
 */
export function mainInput(model: ModelFile, name: string | undefined): ValueInfo {
  const { inputs } = model.graph;
  const found =
    name === undefined
      ? (inputs.find((input) => isFloat(input) && (input.shape?.length ?? 0) >= 3) ??
        inputs.find(isFloat) ??
        inputs.find((input) => input.dtype === "uint8"))
      : inputs.find((input) => input.name === name);
  if (found) return found;
  if (name === undefined)
    throw new InputError("the model has no input of floating point", {
      hint: `Inputs: ${inputs.map((input) => `${input.name} (${input.dtype})`).join(", ")}.`,
    });
  throw new UnknownNameError(
    "input",
    name,
    inputs.map((input) => input.name),
  );
}

/** Refuses a name that is no output of the model. Throws UnknownNameError. */
export function checkOutput(model: ModelFile, name: string | undefined): void {
  const known = model.graph.outputs.map((output) => output.name);
  if (name !== undefined && !known.includes(name)) throw new UnknownNameError("output", name, known);
}

/** The tensors named by --layer; undefined for `auto`. A name that holds a comma itself is found whole. */
export function layersArgument(given: string, model: ModelFile): readonly string[] | undefined {
  if (given === "auto") return undefined;
  const whole = model.graph.nodes.some((node) => node.outputs.includes(given));
  const names = whole ? [given] : given.split(",").map((name) => name.trim());
  return [...new Set(names.filter((name) => name !== ""))];
}

function isFloat({ dtype }: ValueInfo): boolean {
  return /float/.test(dtype);
}
