import { loadModel, sceneLabels } from "@camkit/cam-core";
import { expect, test } from "vitest";
import { draw } from "./drawings.ts";
import { measureAim } from "./measure-aim.ts";
import { aimOf, enlarge } from "./pointing.ts";

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

test("the shipped model points as well as its manifest says", async () => {
  const model = await loadModel(new URL("../../../../models/scenes/model.onnx", import.meta.url).pathname);
  const scenes = Array.from({ length: 60 }, (_, n) => draw(3_000_000 + n)); // the first of the test seeds
  const found = await measureAim(model, scenes, { threads: 1 });
  const objects = scenes.map(({ classes }) => sceneLabels.filter((_, c) => classes.includes(c + 1)).length);
  expect(found.length).toBe(objects.reduce((a, b) => a + b));
  const mean = (of: (aim: (typeof found)[number]) => number) => found.reduce((a, aim) => a + of(aim), 0) / found.length;
  const { results } = model.manifest!;
  // Shares of some 120 objects lie within four standard deviations of those of 8000; energy varies by 0.15 between objects.
  const pointing = results!["pointing-game"]!.value;
  const slack = 4 * Math.sqrt((pointing * (1 - pointing)) / found.length);
  expect(Math.abs(mean(({ hit }) => Number(hit)) - pointing)).toBeLessThan(slack);
  expect(Math.abs(mean(({ energy }) => energy) - results!["energy-in-mask"]!.value)).toBeLessThan(0.055);
});
