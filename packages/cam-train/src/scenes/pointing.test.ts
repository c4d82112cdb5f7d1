import { loadModel, sceneLabels } from "@camkit/cam-core";
import { expect, test } from "vitest";
import { draw } from "./drawings.ts";
import { measureScenes } from "./measure.ts";
import { aimOf, enlarge } from "./pointing.ts";
import { sceneResults } from "./results.ts";

test("a map's peak and its energy, by hand", () => {
  const mask = Uint8Array.from([0, 1, 1, 0, 0, 0]);
  // Sum 10, inside 3 + 4.
  expect(aimOf(Float32Array.from([2, 3, 4, 0, 1, 0]), mask)).toEqual({ hit: true, energy: 0.7, chance: 2 / 6 });
  expect(aimOf(Float32Array.from([5, 3, 2, 0, 0, 0]), mask)).toEqual({ hit: false, energy: 0.5, chance: 2 / 6 });
  // Equal maxima: the first, which lies outside. Nothing at all points nowhere.
  expect(aimOf(Float32Array.from([4, 4, 0, 0, 0, 0]), mask).hit).toBe(false);
  expect(aimOf(new Float32Array(6), Uint8Array.from([1, 1, 0, 0, 0, 0]))).toMatchObject({ hit: false, energy: 0 });
});

test("enlarging is bilinear between the centres of cells, constant outside", () => {
  // Columns: 0, 1/4, 3/4, 1 of the way from left to right; rows of 3 from 1: all alike.
  expect([...enlarge(Float32Array.from([0, 4]), 1, 2, 3, 4)]).toEqual([0, 1, 3, 4, 0, 1, 3, 4, 0, 1, 3, 4]);
  // torch 2.13: interpolate([[1, 2, 4], [3, -1, 0]], size=(3, 4), mode="bilinear", align_corners=False)
  const expected = [1, 1.625, 2.75, 4, 2, 1.0625, 1.0625, 2, 3, 0.5, -0.625, 0];
  const found = enlarge(Float32Array.from([1, 2, 4, 3, -1, 0]), 2, 3, 3, 4);
  expected.forEach((value, i) => {
    expect(found[i]).toBeCloseTo(value, 6);
  });
});

test("the shipped model answers and points as its manifest says", async () => {
  const model = await loadModel(new URL("../../../../models/scenes/model.onnx", import.meta.url).pathname);
  const scenes = Array.from({ length: 60 }, (_, n) => draw(3_000_000 + n)); // the first of the test seeds
  const found = await measureScenes(model, scenes, { threads: 1 });
  const objects = scenes.map(({ classes }) => sceneLabels.filter((_, c) => classes.includes(c + 1)).length);
  expect(found.aims.length).toBe(objects.reduce((a, b) => a + b));
  const results = await sceneResults(found, { data: "60 scenes", command: "" });
  // What 60 scenes say lies within about two of their 95 % intervals of what 4000 say.
  for (const [name, { value, interval }] of Object.entries(results)) {
    const stated = model.manifest!.results![name]!.value;
    const reach = Math.max(0.06, 2 * (interval![1] - interval![0]));
    expect(Math.abs(value - stated), name).toBeLessThan(reach);
  }
});
