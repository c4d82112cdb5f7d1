import { expect, test } from "vitest";
import { smallGeometry } from "../../test/ct-instances.ts";
import { ctImage } from "../write/ct-series.ts";
import { part10 } from "../write/part10.ts";
import { readHeader } from "./header.ts";
import { isRadiograph, radiographOf } from "./radiograph.ts";

function radiograph(change: object) {
  const data = Int16Array.from({ length: 20 }, (_, i) => i * 10);
  const bytes = part10({
    ...ctImage({ geometry: smallGeometry(1), data }, 0, { key: "x", patientId: "P" }),
    SOPClassUID: "1.2.840.10008.5.1.4.1.1.1.1",
    Modality: "DX",
    ImagePositionPatient: undefined,
    ImageOrientationPatient: undefined,
    FrameOfReferenceUID: undefined,
    PixelSpacing: undefined,
    SliceThickness: undefined,
    WindowCenter: "95.5",
    WindowWidth: "191",
    ...change,
  });
  return readHeader("chest.dcm", { bytes });
}

test("a radiograph in MONOCHROME1, with the spacing of its detector", async () => {
  const instance = radiograph({ PhotometricInterpretation: "MONOCHROME1", ImagerPixelSpacing: ["0.143", "0.139"] });
  expect(isRadiograph(instance)).toBe(true);
  const { values, picture, scan } = await radiographOf(instance);
  // LINEAR from 0 to 190, turned over: the first pixel is white, the last black.
  values.forEach((value, i) => {
    expect(value).toBeCloseTo(1 - i / 19, 6);
  });
  expect([picture.width, picture.height]).toEqual([5, 4]);
  expect([...picture.rgb.subarray(0, 6)]).toEqual([255, 255, 255, 242, 242, 242]); // 255 · 18/19 = 241.6
  expect(scan).toMatchObject({
    modality: "DX",
    geometry: { shape: [1, 4, 5], spacingMm: [1, 0.143, 0.139], originMm: [0, 0, 0] },
    remapped: [],
    notes: ["pixel spacing at the detector: the patient is smaller by the magnification"],
  });
  expect(scan.frameOfReferenceUid).toBeUndefined();
  expect(scan.slices).toEqual([
    expect.objectContaining({ name: "chest.dcm", sopInstanceUid: instance.sopInstanceUid }),
  ]);
});

test("without any spacing lengths are in pixels, which is said; a captured colour picture keeps its colours", async () => {
  const instance = radiograph({
    SOPClassUID: "1.2.840.10008.5.1.4.1.1.7",
    Modality: "OT",
    PhotometricInterpretation: "RGB",
    SamplesPerPixel: 3,
    PlanarConfiguration: 0,
    Rows: 1,
    Columns: 2,
    BitsAllocated: 8,
    BitsStored: 8,
    HighBit: 7,
    PixelRepresentation: 0,
    PixelData: Uint8Array.of(255, 0, 0, 10, 20, 30).buffer,
    _vrMap: { PixelData: "OB" },
  });
  expect(isRadiograph(instance)).toBe(true);
  const { picture, values, scan } = await radiographOf(instance);
  expect([...picture.rgb]).toEqual([255, 0, 0, 10, 20, 30]);
  expect(values[0]).toBeCloseTo(76 / 255, 6); // 0.299 · 255
  expect(scan.notes).toEqual([
    "a picture in colour: its luma was taken for grey",
    "no pixel spacing: lengths are in pixels, as if of 1 mm",
  ]);
});

test("slices of a CT and cines are no radiographs", async () => {
  expect(isRadiograph(radiograph({ Modality: "CT", SOPClassUID: "1.2.840.10008.5.1.4.1.1.2" }))).toBe(false);
  expect(isRadiograph(radiograph({ ImagePositionPatient: ["0", "0", "0"] }))).toBe(false);
  const cine = radiograph({ NumberOfFrames: "2", PixelData: new Int16Array(40).buffer });
  await expect(radiographOf(cine)).rejects.toThrow("has 2 frames, expected a single picture");
});
