import { expect, test } from "vitest";
import { ctInstances } from "../../test/ct-instances.ts";
import type { Dataset } from "../write/part10.ts";
import { scanOf } from "./scan-of.ts";
import { seriesOf } from "./series.ts";

const notes = (edit: (dataset: Dataset, k: number) => Dataset) =>
  scanOf(seriesOf(ctInstances(3, { edit })).series[0]!).scan.notes;

test("values that aren't HU are told", () => {
  const without = { RescaleSlope: undefined, RescaleIntercept: undefined, RescaleType: undefined };
  expect(notes((dataset) => dataset)).toEqual([]);
  // PS3.3, C.8.2.1.1: the type may be missing where it is HU.
  expect(notes((dataset) => ({ ...dataset, RescaleType: undefined }))).toEqual([]);
  expect(notes((dataset) => ({ ...dataset, RescaleType: "US" }))).toEqual([
    '3 slices of rescale type "US": the values are not HU',
  ]);
  expect(notes((dataset, k) => (k === 0 ? { ...dataset, ...without } : dataset))).toEqual([
    "1 slice without rescale slope and intercept: stored values are taken for HU",
  ]);
  expect(notes((dataset) => ({ ...dataset, ...without, Modality: "MR" }))).toEqual([]);
});
