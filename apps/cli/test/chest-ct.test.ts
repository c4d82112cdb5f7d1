import { phantomClasses, pointing, readNifti, thoraxGeometry, writePhantom } from "@camkit/medical";
import { expect, test } from "vitest";
import { camkit, workspace } from "./support.ts";

const at = workspace();

test("the shipped chest-CT model is listed, as a demonstration", async () => {
  const said = await camkit(["models", "--json"]);
  const found = said.json().models.find(({ name }: { name: string }) => name === "chest-ct");
  expect(found.intendedUse).toMatch(/^Demonstrations/);
});

// Series of other sizes than those that the model was trained on; the seeds are of its test set.
test.each([
  [4_000_004, { size: 256, slices: 60 }],
  [4_000_003, { size: 160, slices: 120 }],
])("phantom %i, %o: its class, and the map's maximum in a lesion, without naming a model", async (seed, grid) => {
  const { thorax } = await writePhantom(seed, at(String(seed)), { geometry: thoraxGeometry(seed, grid) });
  const out = at(String(seed), "out");
  const run = await camkit(["ct", at(String(seed), "series"), "--out", out, "--json"]);
  expect(run.code).toBe(0);
  const { explained, model } = run.json();
  expect(model.name).toBe("chest-ct");
  expect(explained.label).toBe(phantomClasses[seed % 3]);
  expect(model.limits[0]).toMatch(/^A demonstration/);
  const map = await readNifti(at(String(seed), "out/map.nii.gz"));
  expect(pointing(map.data as Float32Array, thorax.lesionMask)).toBe(1);
});
