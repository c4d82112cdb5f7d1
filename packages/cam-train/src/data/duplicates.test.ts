import { join } from "node:path";
import { encodeNpy } from "@camkit/cam-core/data";
import { expect, test } from "vitest";
import { folderOf, input, picture } from "../../test/pictures.ts";
import { findDuplicates, leaked } from "./duplicates.ts";
import { openDataset } from "./open.ts";

test("twins within a set and across two are found by their bytes", async () => {
  const [one, two, three, four] = [1, 2, 3, 4].map((seed) => picture(8, 8, seed)) as [never, never, never, never];
  const train = await folderOf({ "a/1.png": one, "a/2.png": two, "b/1 again.png": one, "b/4.png": four });
  const test = await folderOf({ "a/3.png": three, "b/2.png": two, "b/1.png": one });
  const sets = [train, test].map((path) => openDataset({ kind: "folder", path }, { input }));
  const duplicates = await findDuplicates(await Promise.all(sets));
  expect(duplicates).toEqual([
    [
      { dataset: 0, index: 0 },
      { dataset: 0, index: 2 },
      { dataset: 1, index: 1 },
    ],
    [
      { dataset: 0, index: 1 },
      { dataset: 1, index: 2 },
    ],
  ]);
  expect(leaked(duplicates)).toEqual([1, 2]);
});

test("arrays are compared row by row", async () => {
  const root = await folderOf({
    "x.npy": encodeNpy({ dtype: "float32", shape: [3, 2], data: Float32Array.of(1, 2, 3, 4, 1, 2) }),
    "y.npy": encodeNpy({ dtype: "int32", shape: [3], data: Int32Array.of(0, 1, 1) }),
  });
  const dataset = await openDataset({ kind: "npy", inputs: join(root, "x.npy"), labels: join(root, "y.npy") });
  expect(await findDuplicates([dataset])).toEqual([
    [
      { dataset: 0, index: 0 },
      { dataset: 0, index: 2 },
    ],
  ]);
  await expect(findDuplicates([dataset], AbortSignal.abort())).rejects.toMatchObject({ code: "aborted" });
});
