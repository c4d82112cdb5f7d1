import type { CalibrationManifest, Manifest } from "@camkit/cam-core";
import { MetricError } from "../errors.ts";
import type { Evaluation } from "../loop/evaluate.ts";
import { fitTemperature } from "../metrics/calibration.ts";
import { pairs, sigmoids, softmaxRows } from "../metrics/logits.ts";
import { confidences } from "../metrics/reliability.ts";
import { type ClassScores, classScores, multiLabelScores, type Scores } from "../metrics/scores.ts";
import { type Band, chooseBand, type Selection, selectAt } from "../metrics/selective.ts";
import type { Config } from "./schema.ts";

/** What was learned from the validation samples after training: how sure the model may be, and when it can't say. */
export type Calibration = {
  readonly temperature?: { readonly value: number; readonly logLossBefore?: number; readonly logLossAfter?: number };
  readonly band?: Pick<Band, "threshold"> & Partial<Band>;
};

/** How far below the wanted accuracy the 95 % interval of a threshold's answers may reach without a word. */
const slack = 0.03;

/**
 * Fits what the configuration asks for. What these samples can't give (every one answered rightly, an accuracy that no
 * threshold reaches) is a warning: the trained weights are none the worse.
 */
export function calibrate(
  config: Config,
  validation: Evaluation | undefined,
): { readonly calibration: Calibration; readonly warnings: readonly string[] } {
  const { calibrate: wanted, answer } = config;
  if (!wanted && !answer) return { calibration: {}, warnings: [] };
  if (validation?.scores.kind !== "classes")
    return { calibration: {}, warnings: ["not calibrated: it takes validation samples with one class each"] };
  const warnings: string[] = [];
  const attempt = <T>(what: string, make: () => T): T | undefined => {
    try {
      return make();
    } catch (error) {
      if (!(error instanceof MetricError)) throw error;
      warnings.push(`${what}: ${error.message}`);
      return undefined;
    }
  };
  const { outputs, labels, scores } = validation;
  const fitted = wanted
    ? attempt("no temperature", () =>
        fitTemperature(inPairs(outputs, scores), labels as readonly number[], scores.classes.length),
      )
    : undefined;
  const temperature = fitted && { value: fitted.temperature, logLossBefore: fitted.before, logLossAfter: fitted.after };
  const { confidence, correct } = confidences(tempered(validation, temperature?.value));
  const band = answer && attempt("no band", () => chooseBand(confidence, correct, answer.accuracy));
  if (band && band.interval.low < band.wanted - slack)
    warnings.push(
      `the threshold rests on ${band.answered} answers: their accuracy may be as low as ${band.interval.low.toFixed(3)}`,
    );
  return { calibration: { ...(temperature ? { temperature } : {}), ...(band ? { band } : {}) }, warnings };
}

/** Scores whose probabilities went through the temperature. */
export function tempered({ outputs, scores }: Evaluation, temperature = 1): ClassScores {
  const { classes, labels, positive } = scores as ClassScores;
  const logits = Float64Array.from(inPairs(outputs, scores), (z) => z / temperature);
  const probabilities = softmaxRows(logits, classes.length);
  return classScores({ probabilities, labels, classes, ...(positive === undefined ? {} : { positive }) });
}

/** The same answers with the probabilities that the model's calibration makes of them: what `camkit explain` shows. */
export function asShown(found: Evaluation, { temperature }: Calibration): Evaluation {
  const { scores, outputs } = found;
  if (temperature === undefined || temperature.value === 1 || scores.kind === "regression") return found;
  if (scores.kind === "classes") return { ...found, scores: tempered(found, temperature.value) };
  const probabilities = sigmoids(outputs.map((z) => z / temperature.value));
  return { ...found, scores: multiLabelScores({ ...scores, probabilities }) };
}

/** Logits [N, classes]; one logit between two classes becomes two. */
function inPairs(outputs: Float32Array, { count }: { readonly count: number }): Float32Array | Float64Array {
  return outputs.length === count ? pairs(outputs) : outputs;
}

/** What a manifest keeps of it. A threshold of 1 would be refused there, and no model is that sure. */
export function manifestOf({ temperature, band }: Calibration, samples: number): CalibrationManifest | undefined {
  if (!temperature && !band) return undefined;
  return {
    temperature: temperature?.value ?? 1,
    ...(band ? { answerAbove: Math.min(band.threshold, 1 - Number.EPSILON) } : {}),
    data: `${samples} validation samples`,
  };
}

/** The calibration that a model was deployed with. */
export function calibrationIn({ calibration }: Pick<Manifest, "calibration">): Calibration {
  if (!calibration) return {};
  const { temperature, answerAbove } = calibration;
  return {
    temperature: { value: temperature },
    ...(answerAbove === undefined ? {} : { band: { threshold: answerAbove } }),
  };
}

/** How the band does on other samples than those it was chosen on. */
export function answered(scores: Scores, { band }: Calibration): Selection | undefined {
  if (!band || scores.kind !== "classes") return undefined;
  const { confidence, correct } = confidences(scores);
  return selectAt(confidence, correct, band.threshold);
}
