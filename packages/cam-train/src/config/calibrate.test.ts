import { parseManifest } from "@camkit/cam-core";
import { expect, test } from "vitest";
import type { Evaluation } from "../loop/evaluate.ts";
import { scoresOf } from "../loop/evaluate.ts";
import { metricNamed } from "../metrics/index.ts";
import { keyed } from "../random.ts";
import { answered, asShown, calibrate, calibrationIn, manifestOf } from "./calibrate.ts";
import type { Config } from "./schema.ts";

const asked = { calibrate: true, answer: { accuracy: 0.9 } } as Config;

/** Logits three times too large: the label is 1 with probability σ(z / 3). `width` 1: z; 2: [0, z]. */
function evaluation(width: 1 | 2, count = 4000): Evaluation {
  const draw = keyed(7, "calibrate");
  const z = Array.from({ length: count }, () => draw.uniform(-9, 9));
  const labels = z.map((value) => Number(draw.unit() < 1 / (1 + Math.exp(-value / 3))));
  const outputs = Float32Array.from(width === 1 ? z : z.flatMap((value) => [0, value]));
  const dataset = { classes: ["no", "yes"], labelKind: "class" } as const;
  return { outputs, labels, scores: scoresOf(dataset, outputs, labels, "logits") };
}

test.each([1, 2] as const)("%d logits: the temperature that the labels were drawn with", (width) => {
  const found = evaluation(width);
  const { calibration, warnings } = calibrate(asked, found);
  expect(warnings).toEqual([]);
  // The log-likelihood's curvature gives a standard error of 0.07.
  expect(Math.abs(calibration.temperature!.value - 3)).toBeLessThan(0.2);
  // Where probabilities are honest and spread evenly in z, accuracy is the mean confidence above the threshold.
  expect(calibration.band!.accuracy).toBeGreaterThanOrEqual(0.9);
  expect(calibration.band!.threshold).toBeGreaterThan(0.7);
  const shown = asShown(found, calibration);
  expect(answered(shown.scores, calibration)).toMatchObject({ coverage: calibration.band!.coverage });
  // The log loss that was promised is the one that is measured of what is shown.
  expect(metricNamed("log-loss").value(shown.scores)).toBeCloseTo(calibration.temperature!.logLossAfter!, 6);

  const manifest = manifestOf(calibration, found.labels.length)!;
  expect(parseManifest({ formatVersion: 1, name: "x", calibration: manifest }, "x").calibration).toEqual(manifest);
  expect(calibrationIn({ calibration: manifest })).toEqual({
    temperature: { value: calibration.temperature!.value },
    band: { threshold: calibration.band!.threshold },
  });
});

test("what samples can't give is a warning with its reason", () => {
  const sure = evaluation(1, 40);
  const labels = Array.from(sure.outputs, (z) => Number(z > 0));
  const right = {
    ...sure,
    labels,
    scores: scoresOf({ classes: ["no", "yes"], labelKind: "class" }, sure.outputs, labels, "logits"),
  };
  expect(calibrate({ calibrate: true } as Config, right).warnings).toEqual([
    expect.stringMatching(/^no temperature: every/),
  ]);
  const wrong = { ...right, outputs: right.outputs.map((z) => -z) };
  expect(calibrate(asked, wrong).warnings[0]).toMatch(/^no temperature: .* no better than chance/);
  expect(calibrate(asked, undefined).warnings).toEqual([expect.stringMatching(/^not calibrated: it takes validation/)]);
  expect(manifestOf({}, 0)).toBeUndefined();
});
