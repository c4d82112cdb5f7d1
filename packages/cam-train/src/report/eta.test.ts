import { expect, test } from "vitest";
import { advancePace, duration, estimate, startPace } from "./eta.ts";

test("a steady run: the rate is exact from the first step on", () => {
  let pace = startPace(0, 100);
  expect(estimate(pace, 50)).toBeUndefined();
  for (let done = 1; done <= 10; done++) {
    pace = advancePace(pace, done, 100 + done / 4);
    expect(estimate(pace, 50)!.rate).toBeCloseTo(4, 12);
    expect(estimate(pace, 50)!.remaining).toBeCloseTo((50 - done) / 4, 12);
  }
});

test("a run that slows down: by hand, and forgotten with time", () => {
  // 60 steps in 30 s, then 10 steps in 30 s: (60/e + 10) / (30/e + 30)
  const first = advancePace(startPace(0, 0), 60, 30);
  const second = advancePace(first, 70, 60);
  const fade = Math.exp(-1);
  expect(estimate(second, 100)!.rate).toBeCloseTo((60 * fade + 10) / (30 * fade + 30), 12);
  const later = advancePace(second, 170, 360); // 100 steps in 300 s
  expect(estimate(later, 200)!.rate).toBeCloseTo(1 / 3, 3);
});

test("how often the pace is asked doesn't change it much", () => {
  let often = startPace(0, 0);
  for (let i = 1; i <= 200; i++) often = advancePace(often, i, i * 0.1);
  expect(estimate(often, 400)!.rate).toBeCloseTo(estimate(advancePace(startPace(0, 0), 200, 20), 400)!.rate, 12);
});

test("a resumed run counts only its own steps; a clock set back is no progress; nothing remains at the end", () => {
  const resumed = advancePace(startPace(900, 0), 950, 10);
  expect(estimate(resumed, 1000)).toEqual({ rate: 5, remaining: 10 });
  expect(estimate(advancePace(startPace(0, 50), 1, 20), 10)).toBeUndefined();
  expect(estimate(advancePace(startPace(0, 0), 12, 3), 10)!.remaining).toBe(0);
});

test.each([
  [0.42, "0.4 s"],
  [9.96, "10 s"],
  [59.4, "59 s"],
  [59.6, "1 min 00 s"],
  [200, "3 min 20 s"],
  [3599.7, "1 h 00 min"],
  [7500, "2 h 05 min"],
  [273_600, "3 d 4 h"],
])("%f s reads as %s", (seconds, text) => expect(duration(seconds)).toBe(text));
