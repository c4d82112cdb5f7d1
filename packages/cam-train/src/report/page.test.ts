import { expect, test } from "vitest";
import { metricNamed } from "../metrics/index.ts";
import { measure } from "../metrics/measure.ts";
import { confidences } from "../metrics/reliability.ts";
import { classScores, multiLabelScores, regressionScores } from "../metrics/scores.ts";
import { chooseBand } from "../metrics/selective.ts";
import { type Report, reportPage } from "./page.ts";
import { madeUpLog } from "./test-log.ts";

const scores = classScores({
  probabilities: [0.6, 0.4, 0.2, 0.8, 0.2, 0.8, 0.1, 0.9],
  labels: [0, 0, 1, 1],
  classes: ["FAKE", "<REAL>"],
});
const { confidence, correct } = confidences(scores);

const report: Report = {
  title: 'cifake & "co"',
  lead: "Trained on four samples.",
  generator: "camkit 0.1.0",
  time: "2026-02-03 12:00",
  notes: ["378 test images are byte-identical to training images."],
  tiles: [{ value: "75.00 %", label: "accuracy", note: "of four" }],
  training: { log: madeUpLog(3, 20, 2), metric: metricNamed("accuracy") },
  tests: [
    {
      title: "All",
      measurement: await measure(scores, { seed: 1, resamples: 20 }),
      band: chooseBand(confidence, correct, 0.75),
    },
  ],
  recipe: "optimiser: <adam>\n",
  environment: [["Node", "22.4.0"]],
};

test("one page with everything in it, which fetches nothing and is the same every time", async () => {
  const page = reportPage(report);
  expect(reportPage(report)).toBe(page);
  expect(page.replaceAll("http://www.w3.org/2000/svg", "")).not.toMatch(/https?:|src=|href=|url\(|@import|<script/);
  expect(page.match(/<figure class="plot">/g)?.length).toBe(4); // curve, confusion matrix, reliability, risk
  expect(page).toContain("<title>cifake &amp; &quot;co&quot;</title>");
  expect(page).toContain("Positive is &lt;REAL&gt;.");
  expect(page).toContain("optimiser: &lt;adam&gt;");
  expect(page).not.toMatch(/<REAL>|<adam>|NaN|undefined/);
});

test("numbers as they were measured", async () => {
  const page = reportPage(report).replace(/<svg.*?<\/svg>/gs, "");
  expect(page).toContain("<tr><th>AUC</th><td>0.8750</td>");
  expect(page).toContain("<tr><th>log loss</th><td>0.6122</td>"); // −(ln .6 + ln .2 + ln .8 + ln .9) / 4
  // sensitivity 1, precision 2/3, specificity 1/2, F1 4/5, AUC 7/8, average precision 5/6
  const row = "<td>0.6667</td><td>0.5000</td><td>0.8000</td><td>0.8750</td><td>0.8333</td></tr>";
  expect(page).toMatch(new RegExp(`&lt;REAL&gt;</th><td>2</td><td>1.0000</td>.*${row}`));
});

test("other kinds of tests leave out what they don't have; what isn't determined is a dash", async () => {
  const { training: _, recipe: __, ...bare } = report;
  const labels = await measure(multiLabelScores({ probabilities: [0.9, 0.1], labels: [1, 0], classes: ["a", "b"] }));
  const values = await measure(regressionScores({ predictions: [1, 2, 4], targets: [1, 2, 3], outputs: ["ml"] }));
  const page = reportPage({
    ...bare,
    tests: [
      { title: "labels", measurement: labels },
      { title: "values", measurement: values },
    ],
  });
  expect(page).not.toMatch(/<figure|<pre>|NaN|undefined/);
  expect(page).toContain("<tr><th>AUC</th><td>–</td>"); // one sample: nothing to rank
  expect(page).toContain("<tr><th>root mean squared error</th><td>0.5774</td>");
});

test("a thousand classes: the page says why there is no matrix", async () => {
  const classes = Array.from({ length: 101 }, (_, k) => `class ${k}`);
  const probabilities = classes.map((_, k) => (k === 7 ? 1 : 0));
  const page = reportPage({
    ...report,
    tests: [{ title: "t", measurement: await measure(classScores({ probabilities, labels: [7], classes })) }],
  });
  expect(page).toContain("The confusion matrix of 101 classes is too large");
});
