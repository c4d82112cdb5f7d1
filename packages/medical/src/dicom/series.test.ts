import { expect, test } from "vitest";
import { at, ctInstances } from "../../test/ct-instances.ts";
import { seriesOf } from "./series.ts";

const sizes = (instances: Parameters<typeof seriesOf>[0]) =>
  seriesOf(instances).series.map(({ slices, splitBy }) => [slices.length, splitBy]);

test("series with their own UIDs are series of their own", () => {
  expect(sizes([...ctInstances(3, { key: "a" }), ...ctInstances(4, { key: "b" })])).toEqual([
    [3, []],
    [4, []],
  ]);
});

test.each([
  ["frame of reference", { FrameOfReferenceUID: "1.2.3" }],
  ["orientation", { ImageOrientationPatient: ["1", "0", "0", "0", "0", "-1"] }],
  ["spacing", { PixelSpacing: ["0.81", "0.6"] }],
  ["size", { Rows: 5, Columns: 4 }],
])("one DICOM series is split by %s", (name, change) => {
  const instances = ctInstances(10, { edit: (dataset, k) => (k < 4 ? { ...dataset, ...change } : dataset) });
  expect(sizes(instances).sort()).toEqual([
    [4, [name]],
    [6, [name]],
  ]);
});

test("one series UID under two patients is two series", () => {
  const instances = ctInstances(5, { edit: (dataset, k) => ({ ...dataset, PatientID: k < 2 ? "A" : "B" }) });
  expect(sizes(instances)).toEqual([
    [2, []],
    [3, []],
  ]);
});

test("spacing that is rounded differently doesn't split", () => {
  const instances = ctInstances(4, {
    edit: (dataset, k) => (k % 2 === 0 ? { ...dataset, PixelSpacing: ["0.80001", "0.6"] } : dataset),
  });
  expect(sizes(instances)).toEqual([[4, []]]);
});

test.each([
  ["AcquisitionNumber 2", { AcquisitionNumber: "2" }],
  ["TemporalPositionIdentifier 2", { TemporalPositionIdentifier: "2" }],
  ["ConvolutionKernel B70", { ConvolutionKernel: "B70" }],
])("places that occur twice are told apart by %s", (name, change) => {
  const again = ctInstances(3, { edit: (dataset, k) => ({ ...dataset, ...change, SOPInstanceUID: `1.2.${k + 1}` }) });
  const found = sizes([...ctInstances(3), ...again]);
  expect(found.map(([length]) => length)).toEqual([3, 3]);
  expect(found.map(([, by]) => by)).toContainEqual([name]);
});

test("acquisitions among each other, each even by itself, are scans of their own; those after one another are not", () => {
  const acquisition = (number: number, from: number) =>
    ctInstances(4, {
      edit: (dataset, k) => ({
        ...at(dataset, [-10, -20, from + 2.5 * k]),
        AcquisitionNumber: String(number),
        SOPInstanceUID: `1.${number}.${k}`,
      }),
    });
  expect(sizes([...acquisition(1, 30), ...acquisition(2, 30.7)])).toEqual([
    [4, ["AcquisitionNumber 1"]],
    [4, ["AcquisitionNumber 2"]],
  ]);
  // Evenly among each other: the odd and the even slices of one scan.
  expect(sizes([...acquisition(1, 30), ...acquisition(2, 31.25)])).toEqual([[8, []]]);
  expect(sizes([...acquisition(1, 30), ...acquisition(2, 45)])).toEqual([[8, []]]);
});

test("localizers, odd planes and what is no image are set aside, each with its reason", () => {
  const scan = ctInstances(14);
  const localizer = ctInstances(1, {
    edit: (dataset) => ({ ...dataset, ImageType: ["ORIGINAL", "PRIMARY", "LOCALIZER"] }),
  });
  const odd = ctInstances(1, {
    edit: (dataset) => ({ ...dataset, ImageOrientationPatient: ["0", "1", "0", "0", "0", "-1"] }),
  });
  const report = ctInstances(1, {
    edit: (dataset) => ({ ...dataset, SOPClassUID: "1.2.840.10008.5.1.4.1.1.88.33", PixelData: undefined }),
  });
  const named = (name: string, [instance]: typeof scan) => ({ ...instance!, name });
  const { series, setAside } = seriesOf([
    named("localizer", localizer),
    ...scan,
    named("odd", odd),
    named("report", report),
    named(
      "segmentation",
      scan.map((one) => ({ ...one, sopClassUid: "1.2.840.10008.5.1.4.1.1.66.4" })),
    ),
  ]);
  expect(series.map(({ slices }) => slices.length)).toEqual([14]);
  expect(setAside).toEqual([
    { name: "localizer", reason: "a localizer (ImageType ORIGINAL\\PRIMARY\\LOCALIZER)" },
    { name: "report", reason: "a structured report" },
    { name: "segmentation", reason: "a segmentation" },
    {
      name: "odd",
      reason: "turned by 90.0° from the 14 other slices of its series: a localizer, it seems",
    },
  ]);
});

test("series without a UID are told apart by patient and number", () => {
  const nameless = (number: string, from: number) =>
    ctInstances(3, {
      edit: (dataset, k) => ({
        ...at(dataset, [0, 0, from + k]),
        SeriesInstanceUID: "",
        SeriesNumber: number,
        FrameOfReferenceUID: "",
      }),
    });
  expect(sizes([...nameless("1", 0), ...nameless("2", 0)])).toEqual([
    [3, []],
    [3, []],
  ]);
});
