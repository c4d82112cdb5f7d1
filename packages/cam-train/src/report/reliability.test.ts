import { expect, test } from "vitest";
import type { ReliabilityBin } from "../metrics/reliability.ts";
import { riskCoverage, selectAt } from "../metrics/selective.ts";
import { ink, png } from "./plot/svg.ts";
import { drawReliability, drawRiskCoverage } from "./reliability.ts";

const empty = (low: number): ReliabilityBin => ({
  low,
  high: low + 0.5,
  count: 0,
  confidence: Number.NaN,
  accuracy: Number.NaN,
});

/** Frames are 446 pixels wide; the upper one of a reliability diagram is 290 high. */
const boxes = (svg: string, color: string) =>
  [
    ...svg.matchAll(new RegExp(`<rect x="([^"]+)" y="([^"]+)" width="([^"]+)" height="([^"]+)" fill="${color}"`, "g")),
  ].map((found) => found.slice(1).map(Number));

test("bars are accuracies, the gap reaches to the mean confidence, heights below are shares", async () => {
  const bins = [empty(0), { low: 0.5, high: 1, count: 4, confidence: 0.8, accuracy: 0.6 }];
  const drawn = drawReliability(bins);
  const inFrame = (color: string) => boxes(drawn.svg, color).filter(([, , width]) => width === 223 - 2); // not the legend's
  expect(inFrame(ink.bar)).toEqual([[224, 290 * 0.4, 221, 290 * 0.6]]);
  expect(inFrame(ink.gap)).toEqual([[224, 290 * 0.2, 221, 290 * 0.2]]);
  expect(inFrame(ink.ideal)).toEqual([[224, 0, 221, 82]]); // all samples: the whole height
  expect(drawn.svg).not.toContain("NaN");
  await png(drawn);
});

test("the chosen band lies on the curve", async () => {
  const confidence = Float64Array.of(0.99, 0.9, 0.8, 0.6);
  const correct = [true, true, false, true];
  const drawn = drawRiskCoverage(riskCoverage(confidence, correct), selectAt(confidence, correct, 0.8));
  // errors: 0, 0, 1/3, 1/4 at coverages of quarters; the axis ends at 0.4 and the frame is 420 high
  const y = (risk: number) => Math.round(420 * (1 - risk / 0.4) * 100) / 100;
  expect(drawn.svg).toContain(`d="M111.5 420L223 420L334.5 ${y(1 / 3)}L446 ${y(1 / 4)}" fill="none"`);
  expect(drawn.svg).toContain(`cx="334.5" cy="${y(1 / 3)}" r="6.5"`);
  await png(drawn);
});

test("a model without an error has a flat curve", () =>
  expect(drawRiskCoverage(riskCoverage(Float64Array.of(0.9, 0.8), [true, true])).svg).not.toMatch(/NaN|Infinity/));
