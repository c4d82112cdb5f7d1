import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import dicomParser from "dicom-parser";
import { afterAll, expect, test } from "vitest";
import type { Geometry } from "../volume/geometry.ts";
import { decimal, writeCtSeries } from "./ct-series.ts";

const folder = mkdtempSync(join(tmpdir(), "camkit-ct-"));
afterAll(() => rmSync(folder, { recursive: true }));

const geometry: Geometry = {
  shape: [2, 3, 4],
  spacingMm: [2.5, 0.7, 0.6],
  originMm: [-10, -20, 30],
  directions: [
    [0, 0, 1],
    [0, 1, 0],
    [1, 0, 0],
  ],
};

test("a slice holds its pixels and its place", async () => {
  const data = Int16Array.from({ length: 24 }, (_, i) => i - 1000);
  const paths = await writeCtSeries({ geometry, data }, folder, { key: "a", patientId: "P" });
  expect(paths).toHaveLength(2);
  const file = dicomParser.parseDicom(readFileSync(paths[1]!));
  expect(file.string("x00200032")).toBe("-10\\-20\\32.5");
  expect(file.string("x00280030")).toBe("0.7\\0.6");
  const { dataOffset, length } = file.elements.x7fe00010!;
  expect(length).toBe(24);
  expect(new DataView(file.byteArray.buffer, file.byteArray.byteOffset + dataOffset).getInt16(0, true)).toBe(-988);
});

test("a decimal string has at most 16 characters", () => {
  expect(decimal(-0)).toBe("0");
  expect(decimal(0.1 + 0.2).length).toBeLessThanOrEqual(16);
  expect(Number(decimal(-123.4567890123456))).toBeCloseTo(-123.456789012, 9);
  expect(decimal(-1.23456789012345e-7).length).toBeLessThanOrEqual(16);
});
