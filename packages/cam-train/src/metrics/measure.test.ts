import { expect, test } from "vitest";
import { measure } from "./measure.ts";
import { classScores, multiLabelScores, regressionScores } from "./scores.ts";

const probabilities = [0.6, 0.4, 0.2, 0.8, 0.2, 0.8, 0.1, 0.9];

test("one call says everything about classes, as plain data", async () => {
  const scores = classScores({ probabilities, labels: [0, 0, 1, 1], classes: ["benign", "malignant"] });
  const found = await measure(scores, { seed: 1, resamples: 50 });
  const numbers = Object.fromEntries(found.metrics.map(({ name, value }) => [name, value]));
  expect(numbers).toMatchObject({ accuracy: 0.75, auc: 0.875, specificity: 0.5 });
  expect(found.positive).toBe("malignant");
  expect(found.perClass?.[1]).toEqual({
    name: "malignant",
    support: 2,
    sensitivity: 1,
    specificity: 0.5,
    precision: 2 / 3,
    f1: 0.8,
    auc: 0.875,
    averagePrecision: 0.5 + 0.5 * (2 / 3),
  });
  expect(found.perClass?.[0]).toMatchObject({ support: 2, sensitivity: 0.5, specificity: 1 });
  expect(found.confusion?.counts).toEqual([
    [1, 1],
    [0, 2],
  ]);
  expect(found.riskCoverage?.at(-1)).toMatchObject({ coverage: 1, accuracy: 0.75 });
  for (const { value, interval } of found.metrics) {
    expect(interval!.low).toBeLessThanOrEqual(value + 0.05); // the calibration error is biased upwards in resamples
    expect(interval!.high).toBeGreaterThanOrEqual(value);
  }
});

test("what a kind doesn't have is not there", async () => {
  const many = await measure(
    multiLabelScores({ probabilities, labels: [0, 1, 0, 1, 1, 1, 0, 0], classes: ["a", "b"] }),
  );
  expect(Object.keys(many)).toEqual(["kind", "count", "metrics", "perClass"]);
  expect(many.metrics.map(({ name }) => name)).toContain("exact-match");
  const numbers = await measure(regressionScores({ predictions: [1, 2, 4], targets: [1, 2, 3], outputs: ["ml"] }));
  // errors 0 0 1; the targets vary by 2/3 around 2
  expect(numbers.metrics.map(({ name, value }) => [name, value])).toEqual([
    ["mae", 1 / 3],
    ["rmse", Math.sqrt(1 / 3)],
    ["r2", 1 - 1 / 3 / (2 / 3)],
  ]);
});
