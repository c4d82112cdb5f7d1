import { expect, test } from "vitest";
import { ctInstances } from "../../test/ct-instances.ts";
import { scanOf } from "./scan-of.ts";
import { seriesOf } from "./series.ts";
import { derivedUid, isUid } from "./uids.ts";

const guid = "896911bf-1143-4c8d-8f04-f3cd1a7f6204";
const scan = (instances: Parameters<typeof seriesOf>[0]) => scanOf(seriesOf(instances).series[0]!).scan;

/** As the sample of COVID-CT-MD has them. */
const broken = () =>
  ctInstances(3, {
    edit: (dataset) => ({
      ...dataset,
      StudyInstanceUID: guid,
      SeriesInstanceUID: "1.02.3",
      FrameOfReferenceUID: "",
      SOPInstanceUID: "",
    }),
  });

test("illegal and missing UIDs are replaced, listed, and the same every time", () => {
  const { identity, frameOfReferenceUid, slices, remapped } = scan(broken());
  expect(remapped.map(({ keyword, old }) => [keyword, old])).toEqual([
    ["StudyInstanceUID", guid],
    ["SeriesInstanceUID", "1.02.3"],
    ["FrameOfReferenceUID", ""],
    ["SOPInstanceUID", ""],
    ["SOPInstanceUID", ""],
    ["SOPInstanceUID", ""],
  ]);
  expect(identity.StudyInstanceUID).toBe(derivedUid("StudyInstanceUID", guid));
  expect(remapped.map(({ uid }) => uid)).toEqual([
    identity.StudyInstanceUID,
    identity.SeriesInstanceUID,
    frameOfReferenceUid,
    ...slices.map(({ sopInstanceUid }) => sopInstanceUid),
  ]);
  expect(new Set(remapped.map(({ uid }) => uid)).size).toBe(6);
  for (const { uid } of remapped) expect(isUid(uid)).toBe(true);
  expect(scan(broken().reverse()).remapped).toEqual(remapped);
});

test("an illegal instance UID is derived from itself, within its series", () => {
  const named = (series: string) =>
    scan(ctInstances(1, { edit: (dataset) => ({ ...dataset, SeriesInstanceUID: series, SOPInstanceUID: "slice-1" }) }));
  const [a, b] = [named("1.2.3"), named("1.2.4")].map(({ slices }) => slices[0]!.sopInstanceUid);
  expect(a).toBe(derivedUid("SOPInstanceUID", "1.2.3", "slice-1"));
  expect(b).not.toBe(a);
});

test("without any name, the hash of the first slice's file is one", () => {
  const nameless = () =>
    ctInstances(2, { edit: (dataset) => ({ ...dataset, SeriesInstanceUID: "", StudyInstanceUID: "" }) });
  const { identity } = scan(nameless());
  expect(identity.SeriesInstanceUID).toBe(derivedUid("SeriesInstanceUID", "", nameless()[0]!.hash()));
  expect(isUid(identity.StudyInstanceUID)).toBe(true);
});

test("two slices under one SOP Instance UID get names of their own, and it is told", () => {
  const twins = ctInstances(3, {
    edit: (dataset, k) => (k < 2 ? { ...dataset, SOPInstanceUID: "1.2.3.4" } : dataset),
  });
  const { slices, remapped, notes } = scan(twins);
  expect(new Set(slices.map(({ sopInstanceUid }) => sopInstanceUid)).size).toBe(3);
  expect(remapped.map(({ old }) => old)).toEqual(["1.2.3.4", "1.2.3.4"]);
  expect(notes).toEqual([
    "2 slices of different content under SOP Instance UIDs of others: IM0 and IM1 for one have 1.2.3.4",
  ]);
});
