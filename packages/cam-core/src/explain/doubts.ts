import type { Groundwork } from "./plan.ts";

/** What speaks against a model's answers before it has run: said beside every result. */
export function doubtsOf(base: Groundwork): string[] {
  return [...unevenNames(base), ...draws(base)];
}

/** Names of classes that aren't as many as the scores; one score may stand between two named classes. */
function unevenNames({ op, logits, classAxis, labels }: Groundwork): string[] {
  const scores = op.dims(logits)?.[classAxis];
  if (labels.length === 0 || typeof scores !== "number" || scores === labels.length) return [];
  if (scores === 1 && labels.length === 2) return [];
  return [
    `${labels.length} classes are named and the model has ${scores === 1 ? "one score" : `${scores} scores`}: names may stand at the wrong ones`,
  ];
}

/** Dropout that is on: exported from a network in training mode. Each run draws anew. */
function draws({ op }: Groundwork): string[] {
  const found = op.graph.nodes.find(
    ({ opType, domain, inputs }) =>
      opType === "Dropout" && domain === "" && inputs[2] && op.integers(inputs[2])?.[0] === 1,
  );
  if (!found) return [];
  return [
    `Dropout "${found.name}" is in training mode, so scores and maps differ from run to run: export in evaluation mode`,
  ];
}
