import type { Activation, Prediction } from "@camkit/cam-core";
import { type CalibrationManifest, ManifestError, type ModelFile, manifestPath } from "@camkit/cam-core";
import { probability } from "../format.ts";
import type { EntryExplanation } from "./entry.ts";

/** What a model that knows its limits says of one sample: a class, or that it can't say. */
export type Verdict = {
  readonly answered: boolean;
  /** The likeliest class; where nothing is answered, what the model leans to. */
  readonly class: number;
  readonly label?: string;
  /** Its calibrated probability, and the one from which on the model answers. */
  readonly probability: number;
  readonly answerAbove: number;
};

/**
 * The manifest's calibration, where it is about this output. Throws ManifestError for one that can't be followed: dividing logits
 * by a temperature changes nothing where probabilities don't come from them, and independent answers have no likeliest one.
 *
 * @param columns how many scores a sample has
 */
export function calibrationOf(
  model: ModelFile,
  output: string,
  activation: Activation,
  columns: number,
): CalibrationManifest | undefined {
  const { calibration, output: stated } = model.manifest ?? {};
  if (!calibration || output !== (stated?.name ?? model.graph.outputs[0]?.name)) return undefined;
  const refuse = (key: string, reason: string, hint: string) =>
    new ManifestError(manifestPath(model.path), `calibration.${key}: ${reason}`, { hint });
  if (calibration.temperature !== 1 && activation !== "softmax" && activation !== "sigmoid")
    throw refuse(
      "temperature",
      `the logits of "${output}" ${activation ? "are not in the graph" : "have no activation"}`,
      "State output.kind logits and output.activation, or calibrate by a temperature of 1.",
    );
  if (calibration.answerAbove !== undefined && (activation === undefined || (activation === "sigmoid" && columns > 1)))
    throw refuse(
      "answerAbove",
      activation ? `the ${columns} outputs are answers of their own` : `"${output}" gives no probabilities`,
      "It is for classes of which one is right: softmax, or one sigmoid between two.",
    );
  return calibration;
}

/** undefined where the model has no threshold, or no single answer. `predictions` are in the order of their scores. */
export function verdictOf([best]: readonly Prediction[], answerAbove: number | undefined): Verdict | undefined {
  if (answerAbove === undefined || best?.probability === undefined) return undefined;
  const { class: index, label, probability: p } = best;
  return {
    answered: p >= answerAbove,
    class: index,
    ...(label === undefined ? {} : { label }),
    probability: p,
    answerAbove,
  };
}

/** "REAL", "cannot say (leans to REAL)". */
function verdictText({ answered, class: index, label = `class ${index}` }: Verdict): string {
  return answered ? label : `cannot say (leans to ${label})`;
}

/** "cannot say: no class reaches 0.850, from which on the model answers". */
export function verdictNote({ answered, answerAbove }: Verdict): string | undefined {
  return answered
    ? undefined
    : `cannot say: no class reaches ${probability(answerAbove)}, from where the model answers`;
}

/** What a map is about. For the model's own choice that is its verdict, which may be none. */
export function explainedName({ target, class: index, label }: EntryExplanation, verdict: Verdict | undefined): string {
  if (verdict && target === "auto") return verdictText(verdict);
  return index === undefined ? target : (label ?? `class ${index}`);
}
