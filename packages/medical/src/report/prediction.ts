import type { CalibrationManifest, Prediction } from "@camkit/cam-core";
import { escapeHtml, type Tile } from "@camkit/cam-core/page";

const nameOf = ({ label, class: index }: Prediction) => label ?? `class ${index}`;

/** The likeliest class, or that the model can't say. */
export function verdict(predictions: readonly Prediction[], calibration?: CalibrationManifest): string {
  const [best] = predictions;
  if (!best) return "A map without a class";
  return isUnsure(best, calibration) ? "Undecided" : capital(nameOf(best));
}

/** Below the probability from which on the model may answer, it can't say. */
function isUnsure({ probability }: Prediction, calibration?: CalibrationManifest): boolean {
  return probability !== undefined && calibration?.answerAbove !== undefined && probability < calibration.answerAbove;
}

export function predictionTiles(predictions: readonly Prediction[], calibration?: CalibrationManifest): Tile[] {
  const [best, second] = predictions;
  if (!best) return [];
  const sure = best.probability;
  return [
    sure === undefined
      ? { value: best.score.toFixed(2), label: `score of ${nameOf(best)}` }
      : {
          value: percent(sure),
          label: nameOf(best),
          note: calibration ? "calibrated" : "not calibrated",
        },
    ...(second
      ? [
          sure === undefined || second.probability === undefined
            ? { value: (best.score - second.score).toFixed(2), label: `ahead of ${nameOf(second)}, in score` }
            : {
                value: `${points(sure - second.probability)}`,
                label: `points ahead of ${nameOf(second)}`,
                note: `${percent(second.probability)}; scores ${best.score.toFixed(2)} and ${second.score.toFixed(2)}`,
              },
        ]
      : []),
  ];
}

/** What the number means, in words that promise no more than was measured. */
export function wording(predictions: readonly Prediction[], calibration?: CalibrationManifest): string {
  const [best] = predictions;
  if (best?.probability === undefined) return "The model gives scores, not probabilities.";
  const p = percent(best.probability);
  if (!calibration)
    return `The model's probabilities were never compared with how often it is right: ${p} is how sure it sounds, not how likely it is.`;
  const basis = calibration.data ? ` (${calibration.data})` : "";
  const meaning = `Probabilities are calibrated, temperature ${calibration.temperature.toFixed(2)}: of cases like those it was fitted to${basis}, about ${p} of those told ${p} are ${nameOf(best)}. Scans of another kind may differ.`;
  return isUnsure(best, calibration)
    ? `No class reaches ${percent(calibration.answerAbove!)}, from where the model answers: it can't say. ${meaning}`
    : meaning;
}

export function predictionHtml(
  predictions: readonly Prediction[],
  target: string,
  calibration?: CalibrationManifest,
): string {
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
  return `<p class="lead">${escapeHtml(wording(predictions, calibration))}</p><div class="sheet"><table><thead><tr><th>class</th>${head}<th>score</th></tr></thead><tbody>${rows.join("")}</tbody></table></div>`;
}

const capital = (text: string) => text[0]!.toUpperCase() + text.slice(1);
const points = (share: number) => (100 * share).toFixed(0);
/** Never rounded up to a certainty. */
const percent = (share: number) =>
  share > 0.995 ? "over 99 %" : share < 0.005 ? "under 1 %" : `${(100 * share).toFixed(0)} %`;
