import { expect, test } from "vitest";
import { ctInstances, smallGeometry } from "../../test/ct-instances.ts";
import { selectSeries } from "./selection.ts";
import { readSelectionRules } from "./selection-rules.ts";
import { seriesOf } from "./series.ts";

const coronal = {
  ...smallGeometry(9),
  directions: [
    [0, -1, 0],
    [0, 0, -1],
    [1, 0, 0],
  ] as const,
};
const described = (key: string, slices: number, change: object) =>
  ctInstances(slices, { key, edit: (dataset) => ({ ...dataset, SeriesDescription: key, ...change }) });

const study = seriesOf([
  ...described("Thick lung", 4, { SliceThickness: "5", SeriesNumber: "2", ConvolutionKernel: "B70f" }),
  ...described("Thin lung", 6, { SliceThickness: "1", SeriesNumber: "4", ConvolutionKernel: "B70f" }),
  ...described("Thin soft", 6, {
    SliceThickness: "2",
    SeriesNumber: "3",
    ConvolutionKernel: "B30f",
    ImageType: ["DERIVED", "SECONDARY", "AXIAL"],
  }),
  ...ctInstances(9, {
    key: "Coronal",
    geometry: coronal,
    edit: (dataset) => ({ ...dataset, SeriesDescription: "Coronal" }),
  }),
  ...described("MR", 12, { Modality: "MR" }),
]).series;

const chosen = (conditions: unknown) =>
  selectSeries(study, readSelectionRules({ selections: [{ name: "s", conditions }] })).series.identity
    .SeriesDescription;

test("by default, the axial CT with the most slices, the thinnest of several; of the others it is said why not", () => {
  for (const order of [study, [...study].reverse()]) {
    const { series, others } = selectSeries(order);
    expect(series.identity.SeriesDescription).toBe("Thin lung");
    expect(Object.fromEntries(others.map(({ series, reason }) => [series.identity.SeriesDescription, reason]))).toEqual(
      {
        "Thick lung": "it has 4 slices, fewer than 6",
        "Thin soft": "its slices are 2 mm thick, more than 1",
        Coronal: "it is coronal, not axial",
        MR: "its modality is MR, not CT",
      },
    );
  }
});

test.each([
  [{ SeriesDescription: "(?i)^THIN", ConvolutionKernel: "B30" }, "Thin soft"],
  [{ SliceThickness: 5 }, "Thick lung"],
  [{ Modality: "CT", SliceThickness: [2, 4], ImageOrientationPatient: "Axial" }, "Thin soft"],
  [{ Modality: "CT", SliceThickness: [2, ">"], ImageOrientationPatient: "axial" }, "Thick lung"],
  [
    { SliceThickness: [2, "<="], NumberOfSlices: [6, "<="], ImageType: ["AXIAL", "!secondary"], Modality: "CT" },
    "Thin lung",
  ],
  [{ ImageOrientationPatient: "Coronal" }, "Coronal"],
  [[{ SeriesDescription: "nothing" }, { Modality: "MR" }], "MR"],
])("%j: %s", (conditions, expected) => {
  expect(chosen(conditions)).toBe(expected);
});

test("selections are tried in their order", () => {
  const rules = readSelectionRules({
    selections: [
      { name: "none", conditions: { SeriesDescription: "nothing" } },
      { name: "MR", conditions: { Modality: "MR" } },
    ],
  });
  expect(selectSeries(study, rules)).toMatchObject({ reason: 'fits the selection "MR"' });
});

test("where nothing fits, each series says why", () => {
  expect(() => chosen({ SliceThickness: [7, 9] })).toThrow(
    expect.objectContaining({
      code: "no-series",
      message: expect.stringContaining(
        '"Thin lung" (CT, 6 slices of 4 × 5): "s": SliceThickness is 1, asked for [7,9]',
      ),
    }),
  );
  expect(() => selectSeries(study.filter(({ modality }) => modality === "MR"))).toThrow(
    'no axial CT series among:\n  series 1 "MR" (MR, 12 slices of 4 × 5): its modality is MR, not CT',
  );
});

test.each([
  [{ selections: [] }, /Too small|selections/],
  [{ selections: [{ conditions: { SliceThicknes: 1 } }] }, /"SliceThicknes" is nothing that series are chosen by/],
  [{ selections: [{ conditions: { Modality: "(" } }] }, /"\(" is no regular expression/],
  [{ selections: [{ conditions: { SliceThickness: [1, "~"] } }] }, /conditions/],
])("rules that aren't: %j", (rules, message) => {
  expect(() => readSelectionRules(rules)).toThrow(
    expect.objectContaining({ code: "selection-rules", message: expect.stringMatching(message) }),
  );
});
