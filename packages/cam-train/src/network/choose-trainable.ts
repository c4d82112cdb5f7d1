import type { Graph } from "@camkit/cam-core";
import { NetworkError } from "../errors.ts";
import { type Parameter, parametersOf } from "./parameters.ts";

export type Choice = {
  /** Patterns of what trains; `*` stands for any text, `?` for one character. Default: everything. */
  readonly train?: readonly string[];
  /** Patterns of what doesn't, and counts more. */
  readonly freeze?: readonly string[];
};

/**
 * Which initializers train, by pattern over their names and over the names and outputs of the nodes that they serve:
 * `layer4.*`, `head.*`, `*conv1*`. Statistics of batch norms, integers, shapes and bounds never do.
 *
 * Throws NetworkError for a pattern that fits nothing, with what it could have fitted, and where nothing is left to train.
 */
export function chooseTrainable(graph: Graph, { train = ["*"], freeze = [] }: Choice = {}): string[] {
  const parameters = parametersOf(graph);
  const wanted = matched(parameters, train, "train");
  const frozen = matched(parameters, freeze, "freeze");
  const chosen = parameters.filter(({ name }) => wanted.has(name) && !frozen.has(name));
  if (chosen.length === 0)
    throw new NetworkError("nothing is left to train", {
      hint: `${parameters.length} parameters: ${listed(parameters)}`,
    });
  for (const { name } of chosen) {
    const { dtype } = graph.initializers.get(name)!;
    if (dtype !== "float32")
      throw new NetworkError(`"${name}" is ${dtype}; training wants float32`, { hint: "Export the model in float32." });
  }
  return chosen.map(({ name }) => name);
}

function matched(parameters: readonly Parameter[], patterns: readonly string[], option: string): Set<string> {
  const names = new Set<string>();
  for (const pattern of patterns) {
    const fits = globbed(pattern);
    const found = parameters.filter((parameter) => parameter.names.some((name) => fits.test(name)));
    if (found.length === 0)
      throw new NetworkError(`${option}: nothing is called "${pattern}"`, { hint: `There are ${listed(parameters)}` });
    for (const { name } of found) names.add(name);
  }
  return names;
}

/** A pattern as an expression over a whole name. */
function globbed(pattern: string): RegExp {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replaceAll("*", ".*").replaceAll("?", ".")}$`);
}

/** Names with shapes, the last ones where there are many: heads lie at the end. */
function listed(parameters: readonly Parameter[]): string {
  const last = parameters
    .slice(-24)
    .map(({ names, shape }) => `${names.slice(0, 2).join(" of ")} [${shape.join(", ")}]`);
  return (parameters.length > last.length ? "…, " : "") + last.join(", ");
}
