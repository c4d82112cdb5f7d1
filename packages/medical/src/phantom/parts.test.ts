import type { Tensor } from "@camkit/cam-core/data";
import type { Generator } from "@camkit/cam-train";
import { expect, test } from "vitest";
import { partsOf } from "./parts.ts";

/** Two volumes [4, 6, 8] whose cells hold their own index; the second has a lesion in one cell. */
const lesionAt = (3 * 6 + 4) * 8 + 5; // slice 3, row 4, column 5
const volumes: Generator = {
  count: 2,
  classes: ["normal", "lesion"],
  fields: {
    input: { dtype: "float32", shape: [1, 4, 6, 8] },
    label: { dtype: "int64", shape: [] },
    mask: { dtype: "uint8", shape: [4, 6, 8] },
  },
  labelOf: (index) => index,
  load: (index) => ({
    input: { dtype: "float32", shape: [1, 4, 6, 8], data: Float32Array.from({ length: 192 }, (_, i) => i) },
    label: { dtype: "int64", shape: [], data: BigInt64Array.of(BigInt(index)) },
    mask: {
      dtype: "uint8",
      shape: [4, 6, 8],
      data: Uint8Array.from({ length: 192 }, (_, i) => Number(index === 1 && i === lesionAt)),
    },
  }),
};

test("parts are cut out of the volumes, input and mask alike, with the lesion in them", async () => {
  const parts = partsOf(volumes, [2, 3, 4], 20);
  expect(parts.count).toBe(40);
  expect(parts.fields.input).toEqual({ dtype: "float32", shape: [1, 2, 3, 4] });
  const starts = new Set<number>();
  for (let i = 0; i < 40; i++) {
    const { input, mask, label } = (await parts.load(i)) as Record<string, Tensor>;
    expect([parts.labelOf!(i), Number(label!.data[0]), parts.groupOf!(i)]).toEqual([
      i < 20 ? 0 : 1,
      i < 20 ? 0 : 1,
      i < 20 ? "0" : "1",
    ]);
    const values = [...(input!.data as Float32Array)];
    const first = values[0]!;
    starts.add(first);
    // Slice z, row y, column x of the part is cell first + (z · 6 + y) · 8 + x.
    expect(values).toEqual(
      [0, 1].flatMap((z) => [0, 1, 2].flatMap((y) => [0, 1, 2, 3].map((x) => first + (z * 6 + y) * 8 + x))),
    );
    const inside = [...(mask!.data as Uint8Array)].flatMap((one, at) => (one ? [values[at]] : []));
    expect(inside).toEqual(i < 20 ? [] : [lesionAt]);
  }
  expect(starts.size).toBeGreaterThan(8);
  expect(await parts.load(7)).toEqual(await partsOf(volumes, [2, 3, 4], 20).load(7));
});
