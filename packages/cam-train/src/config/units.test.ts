import { expect, test } from "vitest";
import type { RunDocument } from "./document.ts";
import { checkConfig } from "./read.ts";
import { rowOf, summaryOf, tableCsv, tableMarkdown } from "./table.ts";
import { type Unit, unitsOf } from "./units.ts";

const base = { network: { preset: "cifake" }, data: { train: "photos" } };
const unitsIn = (more: object): Unit[] =>
  unitsOf(checkConfig({ ...base, ...more }, "run", "."), ({ config, name }) => ({ ...config, name }));

test("one training, unless more are asked for", () =>
  expect(unitsIn({})).toMatchObject([{ name: "", variant: "", fold: undefined, config: { name: "run" } }]));

test("every combination of a sweep's values", () => {
  const units = unitsIn({ sweep: { "network.filters": [16, 32], rate: [0.1, 1e30] } });
  expect(units.map(({ name }) => name)).toEqual([
    "filters-16_rate-0.1",
    "filters-16_rate-1e+30",
    "filters-32_rate-0.1",
    "filters-32_rate-1e+30",
  ]);
  expect(units[2]!.config).toMatchObject({ network: { filters: 32 }, rate: 0.1 });
  expect(units[2]!.config.sweep).toBeUndefined();
});

test("a list of settings is taken as it is", () => {
  const units = unitsIn({ sweep: [{ rate: 0.1 }, { "network.convs": 1, optimiser: { sgd: { momentum: 0.9 } } }] });
  expect(units.map(({ name }) => name)).toEqual(["rate-0.1", "convs-1_optimiser-sgd-momentum-0.9"]);
});

test("folds of each variant", () => {
  const units = unitsIn({ data: { train: "photos", folds: 2 }, sweep: { rate: [0.1, 0.2] } });
  expect(units.map(({ name, fold }) => [name, fold])).toEqual([
    ["rate-0.1/fold-1", 0],
    ["rate-0.1/fold-2", 1],
    ["rate-0.2/fold-1", 0],
    ["rate-0.2/fold-2", 1],
  ]);
});

test("a variant that is no configuration, or has another's name, is refused before anything runs", () => {
  expect(() => unitsIn({ sweep: { rate: [0.1, -1] } })).toThrow(/sweep, rate--1: rate: Too small/);
  expect(() => unitsIn({ sweep: { "network.filters": [1], nosuch: [1] } })).toThrow(/nosuch: unknown key/);
  expect(() => unitsIn({ sweep: [{ rate: 0.1 }, { rate: 0.1 }] })).toThrow(/"rate-0.1" is there twice/);
});

test("the table: means and deviations by hand, and what a spreadsheet reads", () => {
  const document = (accuracy: number) =>
    ({
      model: { parameters: { all: 84001, trained: 84001 } },
      ...{ steps: 10, seconds: 2, best: { epoch: 3, value: accuracy } },
      measured: [
        {
          name: "held out",
          metrics: [
            { name: "accuracy", value: accuracy },
            { name: "auc", value: null },
          ],
        },
      ],
    }) as unknown as RunDocument;
  const units = unitsIn({ data: { train: "photos", folds: 3 } });
  const rows = units.map((unit, i) => rowOf(unit, document([0.7, 0.8, 0.96][i]!)));
  const [summary] = summaryOf(rows);
  // mean 0.82; squares 0.0144 + 0.0004 + 0.0196 = 0.0344, over 2: 0.0172
  expect(summary!.values["held out/accuracy"]!.mean).toBeCloseTo(0.82, 12);
  expect(summary!.values["held out/accuracy"]!.deviation).toBeCloseTo(Math.sqrt(0.0172), 12);
  expect(tableCsv(rows).split("\n").slice(0, 2)).toEqual([
    "name,parameters,steps,bestEpoch,seconds,error,held out/accuracy,held out/auc",
    "fold-1,84001,10,3,2,,0.7,",
  ]);
  expect(tableMarkdown(rows, [summary!])).toContain("| all, mean ± deviation of 3 |  | 0.8200 ± 0.1311 |");
});

test("a variant without settings has a name, and long values that begin alike don't share one", () => {
  expect(unitsIn({ sweep: [{}, { rate: 0.1 }] }).map(({ name }) => name)).toEqual(["base", "rate-0.1"]);
  const path = (end: string) => ({ "data.train": `${"folder/".repeat(8)}${end}` });
  const names = unitsIn({ sweep: [path("a"), path("b")] }).map(({ name }) => name);
  expect(new Set(names).size).toBe(2);
});
