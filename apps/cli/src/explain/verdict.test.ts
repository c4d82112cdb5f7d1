import { type Activation, type CalibrationManifest, float32, type ModelFile, predictionsOf } from "@camkit/cam-core";
import { expect, test } from "vitest";
import type { EntryExplanation } from "./entry.ts";
import { calibrationOf, explainedName, verdictNote, verdictOf } from "./verdict.ts";

const labels = ["FAKE", "REAL"];
/** A model with one output, "logits", as far as calibration asks. */
const model = (calibration: CalibrationManifest) =>
  ({
    path: "m.onnx",
    manifest: { formatVersion: 1, name: "m", calibration },
    graph: { outputs: [{ name: "logits" }, { name: "other" }] },
  }) as unknown as ModelFile;

test("probabilities are those of score / temperature, for one column and for two; scores stay", () => {
  // sigmoid(2 · ln 3 / 2) = 3/4; softmax of ±ln 3, each divided by 2: √3 / (√3 + 1/√3) = 3/4
  const one = predictionsOf(float32([1, 1], [2 * Math.log(3)]), 1, 0, "sigmoid", labels, 2);
  const two = predictionsOf(float32([1, 2], [-Math.log(3), Math.log(3)]), 1, 0, "softmax", labels, 2);
  for (const found of [one, two]) {
    expect(found.map(({ label }) => label)).toEqual(["REAL", "FAKE"]);
    expect(found[0]!.probability).toBeCloseTo(3 / 4, 6);
    expect(found[1]!.probability).toBeCloseTo(1 / 4, 6);
  }
  expect(one[0]!.score).toBeCloseTo(2 * Math.log(3), 6);
});

test("below the threshold the model can't say, and says what it leans to", () => {
  const real = predictionsOf(float32([1, 1], [Math.log(3)]), 1, 0, "sigmoid", labels);
  const auto = { target: "auto", class: 1, label: "REAL" } as EntryExplanation;
  const sure = verdictOf(real, 0.7)!;
  expect(sure).toMatchObject({ answered: true, class: 1, label: "REAL", answerAbove: 0.7 });
  expect([explainedName(auto, sure), verdictNote(sure)]).toEqual(["REAL", undefined]);
  const unsure = verdictOf(real, 0.8)!;
  expect(unsure).toMatchObject({ answered: false, class: 1, label: "REAL" });
  expect(unsure.probability).toBeCloseTo(0.75, 6);
  expect(explainedName(auto, unsure)).toBe("cannot say (leans to REAL)");
  expect(explainedName({ ...auto, target: "FAKE", label: "FAKE" }, unsure)).toBe("FAKE"); // asked for: no verdict
  expect(verdictNote(unsure)).toMatch(/^cannot say: no class reaches 0.800/);
});

test("no threshold, no probabilities or no single answer: no verdict", () => {
  const scores = float32([1, 2], [1, 2]);
  expect(verdictOf(predictionsOf(scores, 1, 0, "softmax", []), undefined)).toBeUndefined();
  expect(verdictOf(predictionsOf(scores, 1, 0, undefined, []), 0.5)).toBeUndefined();
  expect(verdictOf(predictionsOf(float32([1, 1, 2], [1, 2]), 1, 0, "sigmoid", []), 0.5)).toBeUndefined();
});

test("a calibration is about the output that it was fitted to", () => {
  const calibration = { temperature: 2, answerAbove: 0.7 };
  expect(calibrationOf(model(calibration), "logits", "softmax", 2)).toEqual(calibration);
  expect(calibrationOf(model(calibration), "other", "softmax", 2)).toBeUndefined();
});

test.each<[CalibrationManifest, Activation, number, RegExp]>([
  [{ temperature: 2 }, "identity", 2, /temperature: the logits of "logits" are not in the graph/],
  [{ temperature: 2 }, undefined, 2, /temperature: the logits of "logits" have no activation/],
  [{ temperature: 2, answerAbove: 0.7 }, "sigmoid", 8, /answerAbove: the 8 outputs are answers of their own/],
  [{ temperature: 1, answerAbove: 0.7 }, undefined, 2, /answerAbove: "logits" gives no probabilities/],
])("%j can't be followed with %s over %i", (calibration, activation, columns, message) =>
  expect(() => calibrationOf(model(calibration), "logits", activation, columns)).toThrow(message),
);
