import { createRng } from "@camkit/cam-core";
import { describe, expect, test } from "vitest";
import { fitTemperature } from "./calibration.ts";
import { pairs, softmaxRows } from "./logits.ts";
import { expectedCalibrationError, reliabilityTable } from "./reliability.ts";
import { classScores } from "./scores.ts";
import { areaUnderRisk, chooseBand, riskCoverage, selectAt, wilson } from "./selective.ts";

/** Answers z whose truth is drawn with P(1) = σ(z / heat): sure by a factor of `heat` more than is right. */
function simulated(count: number, heat: number, seed: number) {
  const rng = createRng(seed);
  const logits = new Float64Array(count);
  const labels = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const honest = rng.uniform(-4, 4);
    logits[i] = honest * heat;
    labels[i] = Number(rng.unit() < 1 / (1 + Math.exp(-honest)));
  }
  return { logits, labels };
}

describe("temperature", () => {
  test("finds by how much simulated answers are too sure, and calibrates them", () => {
    const { logits, labels } = simulated(20_000, 2.5, 7);
    const { temperature, before, after } = fitTemperature(pairs(logits), labels, 2);
    expect(temperature / 2.5).toBeCloseTo(1, 1);
    expect(after).toBeLessThan(before);
    const error = (t: number) =>
      expectedCalibrationError(
        reliabilityTable(
          classScores({ probabilities: softmaxRows(pairs(logits.map((z) => z / t)), 2), labels, classes: ["0", "1"] }),
        ),
      );
    expect(error(1)).toBeGreaterThan(0.08);
    expect(error(temperature)).toBeLessThan(0.01);
  });

  test("by hand: logit ln 4 · 2 with 4 of 5 right is twice too sure, since σ(ln 4) = 4/5", () => {
    const logits = pairs(new Float64Array(5).fill(2 * Math.log(4)));
    const { temperature, after } = fitTemperature(logits, [1, 1, 1, 1, 0], 2);
    expect(temperature).toBeCloseTo(2, 10);
    expect(after).toBeCloseTo(-(0.8 * Math.log(0.8) + 0.2 * Math.log(0.2)), 12);
  });

  test("a thousand times too faint or too sure is found too", () => {
    const { logits, labels } = simulated(400, 1, 3);
    const { temperature } = fitTemperature(pairs(logits), labels, 2);
    for (const factor of [1e-3, 1e3])
      expect(fitTemperature(pairs(logits.map((z) => z * factor)), labels, 2).temperature).toBeCloseTo(
        temperature * factor,
        6,
      );
  });

  test("no minimum, no answer", () => {
    const right = pairs(Float64Array.of(3, -2, 1));
    expect(() => fitTemperature(right, [1, 0, 1], 2)).toThrow(/every held-out sample is answered rightly/);
    expect(() => fitTemperature(right, [0, 1, 0], 2)).toThrow(/no better than chance/);
    expect(() => fitTemperature(right, [0, 1], 2)).toThrow(/6 logits for 2 labels/);
    expect(() => fitTemperature(pairs([Number.NaN]), [1], 2)).toThrow(/isn't finite/);
    expect(() => fitTemperature(right, [2, 0, 1], 2)).toThrow(/a label is 2, expected 0 … 1/);
  });
});

describe("saying nothing", () => {
  const confidence = Float64Array.of(0.6, 0.9, 0.8, 0.8, 0.99);
  const correct = [false, true, true, false, true];

  test("risk against coverage, equal confidences together", () => {
    expect(riskCoverage(confidence, correct)).toEqual([
      { threshold: 0.99, coverage: 0.2, accuracy: 1, answered: 1 },
      { threshold: 0.9, coverage: 0.4, accuracy: 1, answered: 2 },
      { threshold: 0.8, coverage: 0.8, accuracy: 3 / 4, answered: 4 },
      { threshold: 0.6, coverage: 1, accuracy: 3 / 5, answered: 5 },
    ]);
    // risks at each sample's own confidence: 0, 0, 1/4, 1/4, 2/5
    expect(areaUnderRisk(riskCoverage(confidence, correct))).toBeCloseTo((0 + 0 + 0.25 + 0.25 + 0.4) / 5, 12);
  });

  test("the band answers as many as it may", () => {
    expect(chooseBand(confidence, correct, 0.75)).toMatchObject({ threshold: 0.8, coverage: 0.8, accuracy: 0.75 });
    expect(chooseBand(confidence, correct, 0.76)).toMatchObject({ threshold: 0.9, coverage: 0.4, accuracy: 1 });
    expect(chooseBand(confidence, correct, 0.5)).toMatchObject({ threshold: 0.6, coverage: 1 });
    expect(selectAt(confidence, correct, 0.85)).toEqual({ threshold: 0.85, coverage: 0.4, accuracy: 1, answered: 2 });
    expect(selectAt(confidence, correct, 1).accuracy).toBeNaN();
  });

  test("simulated with known truth: accuracy at 97 % is kept on samples that the band has not seen", () => {
    // confidence c is uniform in 0.5 … 1 and right with probability c: answering c ≥ t is right (1 + t)/2 of the time,
    // so 97 % need t = 0.94, which covers 12 % of the samples
    const draw = (seed: number) => {
      const rng = createRng(seed);
      const confidence = Float64Array.from({ length: 50_000 }, () => rng.uniform(0.5, 1));
      return { confidence, correct: Array.from(confidence, (c) => rng.unit() < c) };
    };
    const heldOut = draw(1);
    const band = chooseBand(heldOut.confidence, heldOut.correct, 0.97);
    expect(Math.abs(band.threshold - 0.94)).toBeLessThan(0.015);
    expect(Math.abs(band.coverage - 0.12)).toBeLessThan(0.03);
    const unseen = draw(2);
    const kept = selectAt(unseen.confidence, unseen.correct, band.threshold);
    expect(kept.accuracy).toBeGreaterThan(0.96);
    // risk at coverage x is x/4 (t = 1 − x/2), so the area is 1/8
    expect(areaUnderRisk(riskCoverage(unseen.confidence, unseen.correct))).toBeCloseTo(1 / 8, 2);
  });

  test("what no threshold reaches is refused with the best that one does", () => {
    expect(() => chooseBand(Float64Array.of(0.9, 0.8), [false, true], 0.97)).toThrow(
      "no threshold reaches an accuracy of 0.97: the best is 0.5000, answering 100.0 %",
    );
    expect(() => chooseBand(confidence, correct, 97)).toThrow(/expected a share/);
    expect(() => riskCoverage(new Float64Array(0), [])).toThrow(/0 confidences/);
  });

  test("Wilson's interval", () => {
    // scipy 1.17, binomtest(97, 100).proportion_ci(method="wilson"): 0.9154806, 0.9897455
    expect(wilson(97, 100).low).toBeCloseTo(0.9154806357094724, 12);
    expect(wilson(97, 100).high).toBeCloseTo(0.9897454759759611, 12);
    expect(wilson(20, 20).high).toBe(1);
  });
});
