import { expect, test } from "vitest";
import { input, picture, twoClasses } from "../../test/pictures.ts";
import { openDataset } from "./open.ts";
import { augmentedSheet } from "./sheet.ts";

test("originals stand above what a feeder makes of them", async () => {
  const path = await twoClasses(2);
  for (const channelOrder of ["RGB", "BGR"] as const) {
    const dataset = await openDataset({ kind: "folder", path }, { input: { ...input, channelOrder } });
    const options = { dataset, batch: 64, shuffle: true, augment: [{ kind: "flip", horizontal: 1 }] } as const;
    const { width, height, rgb } = await augmentedSheet(options, 2, 1);
    // 8 pixels twelve times enlarged make 96; two columns and two rows, with gaps of 6.
    expect([width, height]).toEqual([210, 210]);
    const at = (x: number, y: number) => Array.from(rgb.subarray((y * width + x) * 3, (y * width + x) * 3 + 3));
    const [first, second] = [picture(8, 8, 0).rgb, picture(8, 8, 1).rgb];
    const pixel = (of: Uint8Array, x: number, y: number) =>
      Array.from(of.subarray((y * 8 + x) * 3, (y * 8 + x) * 3 + 3));
    expect(at(0, 0)).toEqual([255, 255, 255]);
    expect(at(6, 6)).toEqual(pixel(first, 0, 0));
    expect(at(6 + 95, 6 + 95)).toEqual(pixel(first, 7, 7));
    expect(at(108 + 12, 6 + 24)).toEqual(pixel(second, 1, 2));
    expect(at(108 + 12, 108 + 24)).toEqual(pixel(second, 6, 2)); // mirrored
  }
});

test("finished tensors can't be shown", async () => {
  const code = `export default { count: 1, fields: { input: { dtype: "float32", shape: [1] }, label: { dtype: "int64", shape: [] } }, load() {} }`;
  const dataset = await openDataset({ kind: "module", url: `data:text/javascript,${encodeURIComponent(code)}` });
  await expect(augmentedSheet({ dataset, batch: 1 })).rejects.toThrow("only pictures");
});
