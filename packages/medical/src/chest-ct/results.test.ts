import { expect, test } from "vitest";
import { bootstrapMeans } from "./bootstrap.ts";
import { accuracyOf, meanAims, type PhantomCase } from "./measure.ts";
import { aimsBySize, phantomResults } from "./results.ts";

const one = (label: number, says: number, lesionCells: number, pointing: number, energy = 0.5): PhantomCase => ({
  label,
  logits: [0, 1, 2].map((index) => (index === says ? 3 : -1)),
  lesionCells,
  chance: lesionCells / 1000,
  aims:
    lesionCells === 0
      ? undefined
      : {
          way: { pointing, averagePrecision: pointing / 2, energy },
          paper: { pointing: 0, averagePrecision: 0.1, energy },
        },
});

/** Two normal ones, one of them named wrongly; six with lesions of 10 to 60 cells, the two smallest missed. */
const cases = [
  one(0, 0, 0, 0),
  one(0, 1, 0, 0),
  one(1, 1, 20, 0),
  one(2, 2, 60, 1),
  one(1, 1, 10, 0, Number.NaN), // a map that is 0 everywhere
  one(2, 1, 40, 1),
  one(1, 1, 30, 0.5),
  one(2, 2, 50, 1),
];

test("means count phantoms with lesions alone, and an empty map as no energy", () => {
  expect(accuracyOf(cases)).toBe(6 / 8);
  const found = meanAims(cases, "way");
  expect(found).toMatchObject({ pointing: 3.5 / 6, cases: 6 });
  expect(found.chance).toBeCloseTo(0.035, 12);
  expect(found.energy).toBeCloseTo(2.5 / 6, 12);
});

test("by size: thirds, from the smallest lesions on", () => {
  expect(aimsBySize(cases, "way")).toEqual([
    { lesionCells: [10, 20], pointing: 0, chance: expect.closeTo(0.015, 12) },
    { lesionCells: [30, 40], pointing: 0.75, chance: expect.closeTo(0.035, 12) },
    { lesionCells: [50, 60], pointing: 1, chance: expect.closeTo(0.055, 12) },
  ]);
});

test("a manifest's results: value, interval, and what chance earns", () => {
  const results = phantomResults(cases, { way: "way", paper: "paper", data: "8 scans", command: "c" });
  expect(results.accuracy).toMatchObject({ value: 0.75, baseline: 0.375, data: "8 scans", command: "c" });
  expect(results["pointing-game"]).toMatchObject({ value: 0.5833, baseline: 0.035 });
  expect(results["paper-cam-pointing-game"]).toMatchObject({ value: 0, interval: [0, 0] });
  const { value, interval } = results.accuracy!;
  expect(interval![0]).toBeLessThan(value);
  expect(interval![1]).toBeGreaterThan(value);
});

test("bootstrap: the interval of a mean is the normal one's where there are many values", () => {
  const values = Array.from({ length: 400 }, (_, i) => i % 2); // mean 1/2, standard error 0.025
  const { mean, low, high } = bootstrapMeans(values, 4000);
  expect(mean).toBe(0.5);
  expect(low).toBeCloseTo(0.5 - 1.96 * 0.025, 2);
  expect(high).toBeCloseTo(0.5 + 1.96 * 0.025, 2);
});
