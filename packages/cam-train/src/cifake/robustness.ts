import { type ModelFile, resample } from "@camkit/cam-core";
import { blurred } from "../data/augment/blur.ts";
import type { Pixels } from "../data/augment/contract.ts";
import { shifted } from "../data/augment/crop.ts";
import { saved } from "../data/augment/jpeg.ts";
import { metricNamed } from "../metrics/index.ts";
import { pairs, softmaxRows } from "../metrics/logits.ts";
import { confidences } from "../metrics/reliability.ts";
import { classScores } from "../metrics/scores.ts";
import { selectAt } from "../metrics/selective.ts";
import { scoresOf } from "./ask.ts";
import { type Pictures, pictureAt, side, verdicts } from "./pictures.ts";

type Condition = { readonly name: string; readonly apply: (pixels: Pixels) => Pixels | Promise<Pixels> };

/** What happens to pictures on their way. Sizes are brought back to 32 × 32, since that is what a detector takes. */
export const conditions: readonly Condition[] = [
  { name: "as stored", apply: (pixels) => pixels },
  ...[90, 70, 50].map((quality) => ({
    name: `saved again, JPEG quality ${quality}`,
    apply: (pixels: Pixels) => saved(pixels, quality),
  })),
  ...[0.5, 1].map((sigma) => ({
    name: `Gaussian blur, σ ${sigma} pixels`,
    apply: (pixels: Pixels) => blurred(pixels, sigma),
  })),
  { name: "reduced to 24 × 24 and back, bilinear", apply: (pixels) => scaled(scaled(pixels, 24), side) },
  { name: "the middle 28 × 28, enlarged", apply: (pixels) => scaled(middle(pixels, 28), side) },
  { name: "shifted by 1 pixel each way", apply: (pixels) => shifted(pixels, 1, 1, true) },
  { name: "shifted by 4 pixels each way", apply: (pixels) => shifted(pixels, 4, 4, true) },
];

function scaled(pixels: Pixels, to: number): Pixels {
  const data = resample(pixels, { width: to, height: to, kernel: "bilinear", antialias: true }).data;
  return { ...pixels, width: to, height: to, data };
}

function middle({ data, width, channels }: Pixels, size: number): Pixels {
  const first = (width - size) / 2;
  const row = (y: number) =>
    data.subarray(((y + first) * width + first) * channels, ((y + first) * width + first + size) * channels);
  const cut = new Uint8Array(size * size * channels);
  for (let y = 0; y < size; y++) cut.set(row(y), y * size * channels);
  return { width: size, height: size, channels, data: cut };
}

export type RobustnessRow = {
  readonly condition: string;
  readonly accuracy: number;
  readonly auc: number;
  /** Of the generated and of the real pictures, the share that is called so. */
  readonly fakeRecall: number;
  readonly realRecall: number;
  /** Of all pictures, the share that the model answers by its manifest's threshold, and of the answers the share that is right. */
  readonly answered?: { readonly coverage: number; readonly accuracy: number };
};

/** How a detector does on the same pictures after each condition. */
export async function measureRobustness(
  detector: ModelFile,
  pictures: Pictures,
  options: { readonly threads?: number | undefined; readonly onStep?: (step: string) => void } = {},
): Promise<RobustnessRow[]> {
  const { onStep = () => {}, ...settings } = options;
  const rows: RobustnessRow[] = [];
  for (const { name, apply } of conditions) {
    onStep(name);
    const pixels = new Uint8Array(pictures.pixels.length);
    for (let i = 0; i < pictures.count; i++) {
      const picture = { width: side, height: side, channels: 3, data: pictureAt(pictures, i) };
      pixels.set((await apply(picture)).data, i * picture.data.length);
    }
    rows.push({ condition: name, ...rowOf(await scoresOf(detector, pixels, settings), pictures, detector) });
  }
  return rows;
}

function rowOf(outputs: Float32Array, { count, labels }: Pictures, { manifest }: ModelFile) {
  const logits = outputs.length === count ? pairs(outputs) : outputs;
  const { temperature = 1, answerAbove } = manifest?.calibration ?? {};
  const probabilities = softmaxRows(
    Float64Array.from(logits, (z) => z / temperature),
    2,
  );
  const scores = classScores({ probabilities, labels, classes: verdicts });
  const value = (name: string) => metricNamed(name).value(scores);
  const { confidence, correct } = confidences(scores);
  const { coverage, accuracy } = selectAt(confidence, correct, answerAbove ?? 0);
  return {
    accuracy: value("accuracy"),
    auc: value("auc"),
    fakeRecall: value("specificity"),
    realRecall: value("sensitivity"),
    ...(answerAbove === undefined ? {} : { answered: { coverage, accuracy } }),
  };
}
