import type { CalibrationManifest, Prediction } from "@camkit/cam-core";
import { escapeHtml, type Tile } from "@camkit/cam-core/page";

const nameOf = ({ label, class: index }: Prediction) => label ?? `class ${index}`;

/** What a model says of a scan. */
export type Answer = {
  /** The likeliest first. */
  readonly predictions: readonly Prediction[];
  readonly calibration?: CalibrationManifest;
  /** Classes don't exclude each other. */
  readonly isMultiLabel?: boolean;
  /** What was explained. */
  readonly target: string;
};

/** The likeliest class, or that the model can't say; of independent classes all those above one half. */
export function verdict({ predictions, calibration, isMultiLabel, target }: Answer): string {
  const [best] = predictions;
  if (!best) return capital(target);
  if (!isMultiLabel) return isUnsure(best, calibration) ? "Undecided" : capital(nameOf(best));
  const found = predictions.filter(({ probability = 0 }) => probability > 0.5).map(nameOf);
  return found.length > 0 ? capital(found.join(", ")) : `None of ${predictions.length} findings`;
}

/** Below the probability from which on the model may answer, it can't say. */
function isUnsure({ probability }: Prediction, calibration?: CalibrationManifest): boolean {
  return probability !== undefined && calibration?.answerAbove !== undefined && probability < calibration.answerAbove;
}

export function predictionTiles({ predictions, calibration, isMultiLabel }: Answer): Tile[] {
  const [best, second] = predictions;
  if (!best) return [];
  const note = calibration ? "calibrated for cases of its own kind" : "not calibrated";
  const sure = best.probability;
  const first =
    sure === undefined
      ? { value: best.score.toFixed(2), label: `score of ${nameOf(best)}` }
      : { value: percent(sure), label: nameOf(best), note };
  if (!second || isMultiLabel) return [first];
  const behind = second.probability;
  return [
    first,
    sure === undefined || behind === undefined
      ? { value: (best.score - second.score).toFixed(2), label: `ahead of ${nameOf(second)}, in score` }
      : {
          value: (100 * (sure - behind)).toFixed(0),
          label: `points ahead of ${nameOf(second)}`,
          note: `${percent(behind)}; scores ${best.score.toFixed(2)} and ${second.score.toFixed(2)}`,
        },
  ];
}

/** What the number means, in words that promise no more than was measured. */
export function wording({ predictions, calibration, isMultiLabel }: Answer): string {
  const [best] = predictions;
  if (best?.probability === undefined) return "The model gives scores, not probabilities.";
  const p = percent(best.probability);
  const independent = isMultiLabel ? "Each finding has an answer of its own. " : "";
  if (!calibration)
    return `${independent}The model's probabilities were never compared with how often it is right: ${p} is how sure it sounds, not how likely it is.`;
  const basis = calibration.data ? ` (${calibration.data})` : "";
  const meaning = `${independent}Probabilities are calibrated, temperature ${calibration.temperature.toFixed(2)}: of cases like those it was fitted to${basis}, ${/^\d/.test(p) ? "about " : ""}${p} of those told ${p} are ${nameOf(best)}. Scans of another kind may differ.`;
  return isUnsure(best, calibration)
    ? `No class reaches ${percent(calibration.answerAbove!)}, from where the model answers: it can't say. ${meaning}`
    : meaning;
}

/** All classes; nothing where there are none. */
export function predictionHtml(answer: Answer): string {
  const { predictions, target } = answer;
  if (predictions.length === 0) return "";
  const rows = predictions.map((prediction) => {
    const { score, probability } = prediction;
    const meter =
      probability === undefined
        ? ""
        : `<td>${percent(probability)}</td><td class="meter"><div><i style="width:${(100 * probability).toFixed(1)}%"></i></div></td>`;
    const mark = nameOf(prediction) === target ? ' <span class="soft">explained</span>' : "";
    return `<tr><th>${escapeHtml(nameOf(prediction))}${mark}</th>${meter}<td>${score.toFixed(3)}</td></tr>`;
  });
  const head = predictions[0]?.probability === undefined ? "" : '<th>probability</th><th class="meter"></th>';
  return `<p class="lead">${escapeHtml(wording(answer))}</p><div class="sheet"><table><thead><tr><th>class</th>${head}<th>score</th></tr></thead><tbody>${rows.join("")}</tbody></table></div>`;
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
/** Never rounded up to a certainty. */
const percent = (share: number) =>
  share > 0.995 ? "over 99 %" : share < 0.005 ? "under 1 %" : `${(100 * share).toFixed(0)} %`;
