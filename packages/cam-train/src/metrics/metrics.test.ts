import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { aucOfClass } from "./auc.ts";
import { fitTemperature } from "./calibration.ts";
import { confusionMatrix } from "./confusion-matrix.ts";
import { metricNamed, metricNames, metricsFor } from "./index.ts";
import { pairs, sigmoids, softmaxRows } from "./logits.ts";
import { countsPerClass } from "./one-versus-rest.ts";
import { reliabilityTable } from "./reliability.ts";
import { classScores, multiLabelScores, regressionScores, type Scores, take } from "./scores.ts";
import { sensitivityOf, specificityOf } from "./sensitivity.ts";

/** Answers of scikit-learn 1.9.1, made by scripts/golden/metrics.py. */
// biome-ignore lint/suspicious/noExplicitAny: the golden file's shape is what the assertions read
type Case = any;
const golden: { cases: Case[]; temperature: Case[] } = JSON.parse(
  readFileSync(new URL("../../test/golden/metrics.json", import.meta.url), "utf8"),
);
const names = (count: number) => Array.from({ length: count }, (_, k) => `class ${k}`);

function scoresOf(given: Case): Scores {
  if (given.kind === "regression") return regressionScores({ ...given, outputs: names(given.outputs) });
  const maker = given.kind === "classes" ? classScores : multiLabelScores;
  return maker({ ...given, classes: names(given.classes) });
}

describe.each<Case>(golden.cases)("scikit-learn, $kind", (given) => {
  const scores = scoresOf(given);

  test.each(Object.entries<number>(given.expected))("%s", (name, expected) =>
    expect(metricNamed(name).value(scores)).toBeCloseTo(expected, 12),
  );

  if (given.perClass !== undefined)
    test("each class alone", () => {
      if (scores.kind === "regression") throw new Error("unreachable");
      const found = countsPerClass(scores).map((counts, k) => ({
        sensitivity: sensitivityOf(counts),
        specificity: specificityOf(counts),
        ...(given.perClass[k].auc === undefined ? {} : { auc: aucOfClass(scores, k) }),
      }));
      found.forEach((numbers, k) => {
        for (const [name, value] of Object.entries(numbers))
          expect(value, name).toBeCloseTo(given.perClass[k][name], 12);
      });
    });

  if (given.confusion !== undefined)
    test("confusion matrix and the bins of reliability", () => {
      if (scores.kind !== "classes") throw new Error("unreachable");
      expect(confusionMatrix(scores).counts).toEqual(given.confusion);
      const filled = reliabilityTable(scores).filter(({ count }) => count > 0);
      expect(filled.map(({ count }) => count)).toEqual(given.bins.map(([count]: number[]) => count));
      filled.forEach((bin, b) => {
        expect(bin.confidence).toBeCloseTo(given.bins[b][1], 12);
        expect(bin.accuracy).toBeCloseTo(given.bins[b][2], 12);
        expect(bin.confidence > bin.low && bin.confidence <= bin.high).toBe(true);
      });
    });
});

test("every metric of a kind is compared, but top-5, which has four classes", () => {
  for (const { kind, classes = 0, expected } of golden.cases)
    expect(Object.keys(expected)).toEqual(expect.arrayContaining(metricsFor(kind, classes).map(({ name }) => name)));
});

test.each<Case>(golden.temperature)("scipy's minimum over the temperature, $classes classes", (given) => {
  const { logits, labels, classes, temperature, logLoss } = given;
  const found = fitTemperature(Float64Array.from(logits), labels, classes);
  expect(found.temperature).toBeCloseTo(temperature, 6); // scipy's search stops at √ε of the loss
  expect(found.after).toBeCloseTo(logLoss, 12);
  const scores = (t: number) =>
    classScores({
      probabilities: softmaxRows(
        logits.map((z: number) => z / t),
        classes,
      ),
      labels,
      classes: names(classes),
    });
  expect(metricNamed("log-loss").value(scores(1))).toBeCloseTo(found.before, 12);
  expect(metricNamed("log-loss").value(scores(found.temperature))).toBeCloseTo(found.after, 12);
});

describe("by hand", () => {
  // labels 0 0 1 1, P(1) = .4 .8 .8 .9: of the 4 pairs (negative, positive) three are in order and one is a tie
  const binary = classScores({
    probabilities: [0.6, 0.4, 0.2, 0.8, 0.2, 0.8, 0.1, 0.9],
    labels: [0, 0, 1, 1],
    classes: ["benign", "malignant"],
  });
  test.each([
    ["auc", 3.5 / 4],
    ["average-precision", 0.5 * 1 + 0.5 * (2 / 3)], // .9 finds one of two; .8 the other and one wrong
    ["accuracy", 3 / 4],
    ["sensitivity", 1],
    ["specificity", 1 / 2],
    ["precision", 2 / 3],
    ["f1", 4 / 5],
    ["brier", (0.16 + 0.64 + 0.04 + 0.01) / 4],
    ["log-loss", -(Math.log(0.6) + Math.log(0.2) + Math.log(0.8) + Math.log(0.9)) / 4],
    // .6 right; .8 .8 half right in one bin; .9 right: (.4 + 2 · |.5 − .8| + .1) / 4
    ["ece", (0.4 + 0.6 + 0.1) / 4],
  ])("%s of two classes", (name, expected) => expect(metricNamed(name).value(binary)).toBeCloseTo(expected, 12));

  test("the other class as the positive one swaps sensitivity and specificity", () => {
    const swapped = { ...binary, positive: 0 };
    expect(metricNamed("sensitivity").value(swapped)).toBe(0.5);
    expect(metricNamed("specificity").value(swapped)).toBe(1);
    expect(metricNamed("auc").value(swapped)).toBe(3.5 / 4);
  });

  test("equal probabilities: the first class is named, and top-1 is accuracy", () => {
    const tied = classScores({ probabilities: [0.4, 0.4, 0.2, 0.4, 0.4, 0.2], labels: [0, 1], classes: names(3) });
    expect(metricNamed("accuracy").value(tied)).toBe(0.5);
    expect(metricNamed("top-1").value(tied)).toBe(0.5);
    expect(metricNamed("top-2").value(tied)).toBe(1);
  });

  test("a class without samples leaves means out of it; one that is never named has precision 0", () => {
    const absent = classScores({
      probabilities: [0.9, 0.05, 0.05, 0.8, 0.1, 0.1, 0.7, 0.2, 0.1],
      labels: [0, 0, 1],
      classes: names(3),
    });
    expect(metricNamed("sensitivity").value(absent)).toBe((1 + 0) / 2);
    expect(metricNamed("precision").value(absent)).toBe((2 / 3 + 0) / 2);
    expect(metricNamed("auc").value(absent)).toBe(1); // both known classes are ranked rightly
    expect(metricNamed("sensitivity").value({ ...absent, positive: 2 })).toBeNaN();
  });

  test("one logit is two: sigmoid and softmax agree, and sure answers keep their digits", () => {
    const z = [-40, -1, 0, 2];
    const both = softmaxRows(pairs(z), 2);
    sigmoids(z).forEach((p, i) => {
      expect(both[2 * i + 1]! / p).toBeCloseTo(1, 14);
    });
    expect(both[1]).toBeCloseTo(4.248354255291589e-18, 30); // exp(−40)
  });
});

test("rank metrics ignore a rising change of the scores", () => {
  const { probabilities, labels } = golden.cases[2];
  const changed = probabilities.map((p: number) => 0.2 + 0.3 * p ** 3);
  for (const name of ["auc", "average-precision"])
    expect(metricNamed(name).value(multiLabelScores({ probabilities: changed, labels, classes: names(3) }))).toBe(
      metricNamed(name).value(multiLabelScores({ probabilities, labels, classes: names(3) })),
    );
});

test("taking samples again repeats them", () => {
  const scores = take(scoresOf(golden.cases[3]), [2, 2, 0]);
  expect(scores.count).toBe(3);
  if (scores.kind !== "regression") throw new Error("unreachable");
  const { predictions } = golden.cases[3];
  expect([...scores.predictions]).toEqual([4, 5, 4, 5, 0, 1].map((at) => predictions[at]));
});

describe("refused by name", () => {
  const classes = ["a", "b"];
  test.each([
    ["a wrong number of labels", { probabilities: [1, 0], labels: [0, 1], classes }, /2 labels, expected 1/],
    ["a label that no class has", { probabilities: [1, 0], labels: [2], classes }, /label 0 is 2, expected 0 … 1/],
    ["logits", { probabilities: [3, -1], labels: [0], classes }, /probability of 3, expected 0 … 1/],
    ["rows that aren't distributions", { probabilities: [0.9, 0.9], labels: [0], classes }, /sum to 1\.8/],
    ["NaN", { probabilities: [0.5, 0.5, Number.NaN, 1], labels: [0, 1], classes }, /of sample 1 is NaN/],
    ["no samples", { probabilities: [], labels: [], classes }, /0 probability values/],
    ["one class", { probabilities: [1], labels: [0], classes: ["a"] }, /nothing to tell apart/],
    ["a positive class beyond the last", { probabilities: [1, 0], labels: [0], classes, positive: 2 }, /is 2/],
  ])("%s", (_, given, message) => expect(() => classScores(given)).toThrow(message));

  test("a metric that needs other scores, or that isn't known", () => {
    const scores = scoresOf(golden.cases[3]);
    expect(() => metricNamed("auc").value(scores)).toThrow("AUC needs classes or multi-label, found regression");
    expect(() => metricNamed("acuracy")).toThrow(/unknown metric/);
    expect(metricNames).toContain("balanced-accuracy");
  });
});
