import { expect, test } from "vitest";
import { at, ctInstances, smallGeometry } from "../../test/ct-instances.ts";
import { ctImage } from "../write/ct-series.ts";
import { part10 } from "../write/part10.ts";
import { readHeader } from "./header.ts";
import type { Instance } from "./instance.ts";
import { type ScanOptions, scanOf } from "./scan-of.ts";
import { seriesOf } from "./series.ts";

function scan(instances: readonly Instance[], options?: ScanOptions) {
  const { series } = seriesOf(instances);
  expect(series).toHaveLength(1);
  return scanOf(series[0]!, options);
}

/** z of slices in order. */
const atHeights = (heights: readonly number[]) =>
  ctInstances(heights.length, { edit: (dataset, k) => at(dataset, [-10, -20, heights[k]!]) });
const refusal = (kind: string, message: RegExp) =>
  expect.objectContaining({ code: "irregular-series", kind, message: expect.stringMatching(message) });

test("slices in any order, with any name and number, are one and the same scan", () => {
  const inOrder = ctInstances(7);
  const scrambled = inOrder.map((instance, k) => ({
    ...instance,
    name: `x${(k * 3) % 7}`,
    instanceNumber: (k * 5) % 7,
  }));
  const shuffled = [3, 0, 6, 2, 5, 1, 4].map((k) => scrambled[k]!);
  const { scan: expected } = scan(inOrder);
  const { scan: found } = scan(shuffled);
  expect(found.geometry).toEqual(expected.geometry);
  expect(found.geometry).toEqual(smallGeometry(7));
  expect(found.slices.map((slice) => slice.sopInstanceUid)).toEqual(
    expected.slices.map((slice) => slice.sopInstanceUid),
  );
  expect(found.remapped).toEqual([]);
});

test("an oblique, anisotropic scan whose slices are stored from the head down", () => {
  const half = Math.SQRT1_2;
  const geometry = {
    ...smallGeometry(4),
    directions: [
      [0, -half, half],
      [0, half, half],
      [1, 0, 0],
    ] as const,
  };
  const { scan: found } = scan(ctInstances(4, { geometry }).reverse());
  for (const axis of [0, 1, 2])
    for (const i of [0, 1, 2])
      expect(found.geometry.directions[axis]![i]).toBeCloseTo(geometry.directions[axis]![i]!, 9);
  expect(found.geometry.spacingMm[0]).toBeCloseTo(2.5, 9);
  expect(found.geometry.originMm).toEqual([-10, -20, 30]);
});

test("uneven spacing is refused with the distances, or resampled", () => {
  const instances = atHeights([0, 2.5, 5, 9, 11.5]);
  expect(() => scan(instances)).toThrow(
    refusal("uneven", /^slice spacing is not constant: 2\.5 mm between IM0 and IM1, 4 mm between IM2 and IM3$/),
  );
  const { scan: found, resampling } = scan(instances, { allowIrregular: true });
  // 11.5 mm in steps as near to 2.5 as can be: five of 2.3.
  expect(found.geometry).toMatchObject({ shape: [6, 4, 5], originMm: [-10, -20, 0] });
  expect(found.geometry.spacingMm[0]).toBeCloseTo(2.3, 12);
  expect(resampling!.slices[4]).toEqual({ below: 3, above: 4, weight: expect.closeTo(0.08, 12) }); // 9.2 between 9 and 11.5
  expect(found).toMatchObject({ resampled: true, notes: [expect.stringMatching(/^resampled: slice spacing/)] });
  expect(found.slices[4]!.name).toBe("IM3");
});

test("a gap is refused with what is missing, or filled; all other slices stay what they are", () => {
  const instances = ctInstances(8, { edit: (dataset, k) => (k === 3 || k === 4 ? undefined : dataset) });
  expect(() => scan(instances)).toThrow(
    refusal("gap", /^2 slices are missing: 7\.5 mm between IM2 and IM5, 2\.5 mm elsewhere$/),
  );
  const { scan: found, resampling } = scan(instances, { allowIrregular: true });
  expect(found.geometry).toEqual(smallGeometry(8));
  expect(resampling!.slices.map(({ below, above, weight }) => [below, above, Number(weight.toFixed(9))])).toEqual([
    [0, 0, 0],
    [1, 1, 0],
    [2, 2, 0],
    [2, 3, 0.333333333],
    [2, 3, 0.666666667],
    [3, 3, 0],
    [4, 4, 0],
    [5, 5, 0],
  ]);
});

test("duplicates are refused; with the same pixels, the first is kept on demand", () => {
  const copy = (instance: Instance) => ({ ...instance, name: `${instance.name} copy` });
  const instances = ctInstances(5);
  const doubled = [...instances, copy(instances[2]!)];
  expect(() => scan(doubled)).toThrow(refusal("duplicates", /^slices lie at one place: IM2 and IM2 copy at 35 mm$/));
  const { scan: found } = scan(doubled, { allowIrregular: true });
  expect(found.geometry).toEqual(smallGeometry(5));
  expect(found).toMatchObject({ notes: ["1 duplicate left out, IM2 copy for one"] });
  expect(found.resampled).toBeUndefined();
});

test("duplicates with other pixels are refused whatever is asked for", () => {
  const [other] = ctInstances(1, {
    edit: (dataset) => ({
      ...at(dataset, [-10, -20, 35]),
      SOPInstanceUID: "1.2.3",
      PixelData: new Int16Array(20).fill(7).buffer,
    }),
  });
  const doubled = [...ctInstances(5), { ...other!, name: "other" }];
  expect(() => scan(doubled, { allowIrregular: true })).toThrow(refusal("duplicates", /have different pixels/));
});

test("a tilted gantry is refused with its angle, or sheared away", () => {
  // 0.5 mm toward the back for each 2.5 mm up: atan(0.2) = 11.31°.
  const instances = ctInstances(6, { edit: (dataset, k) => at(dataset, [-10, -20 + 0.5 * k, 30 + 2.5 * k]) });
  expect(() => scan(instances)).toThrow(
    refusal(
      "tilt",
      /^the slices are tilted by 11\.31° \(gantry tilt\): IM5 lies 2\.5 mm beside the normal through IM0, over 12\.5 mm$/,
    ),
  );
  const { scan: found, resampling } = scan(instances, { allowIrregular: true });
  // 2.5 mm are 3.125 rows: four more.
  expect(found.geometry).toMatchObject({ shape: [6, 8, 5], originMm: [-10, -20, 30] });
  expect(resampling!.offsetsPx[5]).toEqual([expect.closeTo(3.125, 9), expect.closeTo(0, 9)]);
  expect(resampling!.slices.every(({ weight }) => weight === 0)).toBe(true);
});

test("a slice that lies beside the others is refused", () => {
  const instances = ctInstances(5, { edit: (dataset, k) => at(dataset, [k === 2 ? -7 : -10, -20, 30 + 2.5 * k]) });
  expect(() => scan(instances)).toThrow(refusal("shift", /^slices are shifted in their planes: IM2 lies 3 mm beside/));
});

test("slices turned by little are refused as one series, or left out", () => {
  const angle = (2 * Math.PI) / 180;
  const turned = [Math.cos(angle), Math.sin(angle), 0, -Math.sin(angle), Math.cos(angle), 0].map((x) => x.toFixed(8));
  const instances = ctInstances(6, {
    edit: (dataset, k) => (k === 5 ? { ...dataset, ImageOrientationPatient: turned } : dataset),
  });
  expect(() => scan(instances)).toThrow(
    refusal("mixed-orientation", /1 of 6 by more than 0\.1° from IM0, IM5 by 2\.00°/),
  );
  const { scan: found } = scan(instances, { allowIrregular: true });
  expect(found.geometry.shape[0]).toBe(5);
  expect(found.notes[0]).toBe("1 slice turned by 2.00° left out, IM5 for one");
});

test("what rounding to two decimals does to positions is even", () => {
  const rounded = Array.from({ length: 20 }, (_, k) => Number((k * 1.2345).toFixed(2)));
  expect(scan(atHeights(rounded)).scan.geometry.spacingMm[0]).toBeCloseTo(1.2345, 3);
});

test("direction cosines that differ from slice to slice by rounding, far from the origin, move none of them", () => {
  // 0.0002 rad over 250 mm would be 0.05 mm, five times what is even, were each slice measured along its own normal.
  const instances = ctInstances(20, {
    edit: (dataset, k) => ({
      ...at(dataset, [-250, -250, 300 + k]),
      ImageOrientationPatient: ["1", "0", "0", "0", "1", k % 2 === 0 ? "0" : "0.0002"],
    }),
  });
  const { scan: found } = scan(instances.toReversed());
  expect(found.geometry.spacingMm[0]).toBeCloseTo(1, 9);
  expect(found.slices.map(({ name }) => name)).toEqual(instances.map(({ name }) => name));
});

test("a drift that no two neighbours show is refused", () => {
  const drifting = Array.from({ length: 30 }, (_, k) => k + 0.0001 * k * k);
  expect(() => scan(atHeights(drifting))).toThrow(refusal("uneven", /^slice spacing drifts: from 1 to 1\.01 mm$/));
});

test("one and two slices", () => {
  const one = scan(ctInstances(1, { edit: (dataset) => ({ ...dataset, SliceThickness: "4" }) })).scan;
  expect(one.geometry.spacingMm).toEqual([4, 0.8, 0.6]);
  expect(one.notes).toEqual(["a single slice: its thickness, 4 mm, stands for the spacing"]);
  expect(scan(ctInstances(1, { edit: (dataset) => ({ ...dataset, SliceThickness: "" }) })).scan).toMatchObject({
    geometry: { spacingMm: [1, 0.8, 0.6] },
    notes: ["a single slice without a thickness: 1 mm is assumed"],
  });
  expect(scan(ctInstances(2)).scan.geometry).toEqual(smallGeometry(2));
});

test.each(["PixelSpacing", "ImagePositionPatient", "ImageOrientationPatient"])(
  "without %s there is no scan",
  (keyword) => {
    const instances = ctInstances(3, {
      edit: (dataset, k) => (k === 1 ? dataset : { ...dataset, [keyword]: undefined }),
    });
    const { series } = seriesOf(instances);
    const incomplete = series.find(({ slices }) => slices.length === 2) ?? series[0]!;
    expect(() => scanOf(incomplete)).toThrow(
      expect.objectContaining({
        code: "missing-geometry",
        message: expect.stringMatching(new RegExp(`^${keyword} \\(.{9}\\) is missing in 2 of . slices`)),
      }),
    );
  },
);

test("the frames of an enhanced CT are slices", () => {
  const plane = (z: number) => ({ PlanePositionSequence: [{ ImagePositionPatient: ["-10", "-20", String(z)] }] });
  const image = ctImage({ geometry: smallGeometry(1), data: new Int16Array(20) }, 0, { key: "e", patientId: "P" });
  const instance = readHeader("enhanced.dcm", {
    bytes: part10({
      ...image,
      SOPClassUID: "1.2.840.10008.5.1.4.1.1.2.1",
      NumberOfFrames: "3",
      ImagePositionPatient: undefined,
      ImageOrientationPatient: undefined,
      PixelSpacing: undefined,
      RescaleSlope: undefined,
      RescaleIntercept: undefined,
      PixelData: new Int16Array(60).buffer,
      SharedFunctionalGroupsSequence: [
        {
          PlaneOrientationSequence: [{ ImageOrientationPatient: ["1", "0", "0", "0", "1", "0"] }],
          PixelMeasuresSequence: [{ PixelSpacing: ["0.8", "0.6"], SliceThickness: "3" }],
          PixelValueTransformationSequence: [{ RescaleSlope: "1", RescaleIntercept: "-1024", RescaleType: "HU" }],
        },
      ],
      PerFrameFunctionalGroupsSequence: [
        plane(35),
        {
          ...plane(30),
          PixelValueTransformationSequence: [{ RescaleSlope: "2", RescaleIntercept: "-1000", RescaleType: "HU" }],
        },
        plane(32.5),
      ],
    }),
  });
  const { scan: found, source } = scan([instance]);
  expect(found.geometry).toEqual(smallGeometry(3));
  expect(found.slices.map(({ frame, sliceThicknessMm }) => [frame, sliceThicknessMm])).toEqual([
    [2, 3],
    [3, 3],
    [1, 3],
  ]);
  expect(source.slices.map(({ frame }) => instance.frames[frame]!.rescaleIntercept)).toEqual([-1000, -1024, -1024]);
});
