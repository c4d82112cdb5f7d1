import { expect, test } from "vitest";
import { bootstrap } from "./bootstrap.ts";
import { metricNamed } from "./index.ts";
import { classScores } from "./scores.ts";

const classes = ["a", "b"];
const accuracy = metricNamed("accuracy");

/** 200 samples of class 0, of which every tenth is called 1: an accuracy of 0.9. */
const labels = new Array(200).fill(0);
const probabilities = labels.flatMap((_, i) => (i % 10 === 0 ? [0.2, 0.8] : [0.7, 0.3]));
const scores = classScores({ probabilities, labels, classes });

test("resampled accuracy is binomial, so its quantiles are known", async () => {
  // scipy 1.17: binom(200, 0.9).ppf([0.025, 0.975]) / 200 = 0.855, 0.94; one step is 0.005
  const [interval] = await bootstrap(scores, [accuracy], { seed: 1, resamples: 2000 });
  expect(Math.abs(interval!.low - 0.855)).toBeLessThanOrEqual(0.005);
  expect(Math.abs(interval!.high - 0.94)).toBeLessThanOrEqual(0.005);
});

test("the same seed draws the same, another one differs, whatever else is measured", async () => {
  const alone = (await bootstrap(scores, [accuracy], { seed: 5, resamples: 100 }))[0];
  const beside = (await bootstrap(scores, [metricNamed("brier"), accuracy], { seed: 5, resamples: 100 }))[1];
  expect(beside).toEqual(alone);
  expect((await bootstrap(scores, [metricNamed("brier")], { seed: 6, resamples: 100 }))[0]).not.toEqual(
    (await bootstrap(scores, [metricNamed("brier")], { seed: 5, resamples: 100 }))[0],
  );
});

test("groups are drawn whole: 20 patients whose pictures agree are 20 answers, not 200", async () => {
  // patients 0 and 10 are all wrong: an accuracy of 18/20. scipy: binom(20, 0.9).ppf([0.025, 0.975]) / 20 = 0.75, 1
  const groups = labels.map((_, i) => `patient ${i % 20}`);
  const [interval] = await bootstrap(scores, [accuracy], { seed: 1, groups });
  expect(interval).toEqual({ low: 0.75, high: 1, resamples: 1000 });
  await expect(bootstrap(scores, [accuracy], { seed: 1, groups: [1] })).rejects.toThrow("1 groups for 200 samples");
});

test("a resample that lacks a class is left out and counted", async () => {
  // 1 of 8 samples is positive: a resample has none with (7/8)⁸ = 34 %
  const rare = classScores({
    probabilities: [0.1, 0.9, ...new Array(7).fill([0.6, 0.4]).flat()],
    labels: [1, 0, 0, 0, 0, 0, 0, 0],
    classes,
  });
  const [interval] = await bootstrap(rare, [metricNamed("auc")], { seed: 2 });
  expect(interval!.resamples).toBeGreaterThan(600);
  expect(interval!.resamples).toBeLessThan(720);
  expect([interval!.low, interval!.high]).toEqual([1, 1]);
});
