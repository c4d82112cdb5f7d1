import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseManifest } from "../model/manifest.ts";
import type { Session } from "../runtime/runtime.ts";
import { openBytes } from "../runtime/session.ts";
import { drawScene, type SceneLabel, sceneLabels } from "./scenes.ts";

// models/scenes was trained on the scenes that this folder draws: here the two meet.
const path = (name: string): string => new URL(`../../../../models/scenes/${name}`, import.meta.url).pathname;
const model = readFileSync(path("model.onnx"));
const manifest = parseManifest(JSON.parse(readFileSync(path("model.camkit.json"), "utf8")), path("model.camkit.json"));

let session: Session;
beforeAll(async () => {
  session = await openBytes(path("model.onnx"), { device: "cpu", threads: 1 });
});
afterAll(() => session.close());

/** Logits of scenes, [N, 8] row by row. The manifest's range: pixel 0 … 255 becomes −1 … 1. */
async function classify(images: readonly Uint8Array[]): Promise<Float32Array> {
  const plane = 96 * 96;
  const data = new Float32Array(images.length * 3 * plane); // [N, 3, H, W]
  images.forEach((image, n) => {
    for (let at = 0; at < plane; at++)
      for (let channel = 0; channel < 3; channel++)
        data[(n * 3 + channel) * plane + at] = image[at * 3 + channel]! / 127.5 - 1;
  });
  const { logits } = await session.run({ image: { dtype: "float32", shape: [images.length, 3, 96, 96], data } });
  expect(logits!.shape).toEqual([images.length, sceneLabels.length]);
  return logits!.data as Float32Array;
}

test("the manifest is about this file and these classes", () => {
  expect(manifest.sha256).toBe(createHash("sha256").update(model).digest("hex"));
  expect(manifest.classes).toEqual(sceneLabels);
  expect(manifest.inputs!.image!.range).toEqual([-1, 1]);
  expect(session.inputs).toEqual(Object.keys(manifest.inputs!));
  expect(session.outputs).toEqual([manifest.output!.name]);
  expect(model.length).toBeLessThan(300_000);
});

test("the scenes as drawn here are answered as well as the manifest says", async () => {
  const count = 200;
  const scenes = Array.from({ length: count }, (_, n) => drawScene(3_000_000 + n)); // the first of the test seeds
  const logits = await classify(scenes.map((scene) => scene.image));
  const exact = scenes.filter(({ objects }, n) => {
    const present = new Set(objects.map((object) => object.classIndex));
    return sceneLabels.every((_, c) => logits[n * sceneLabels.length + c]! > 0 === present.has(c));
  });
  const expected = manifest.results!["exact-match"]!.value;
  // The mean of 200 lies within four standard deviations of the mean of 4000.
  const slack = 4 * Math.sqrt((expected * (1 - expected)) / count);
  expect(Math.abs(exact.length / count - expected)).toBeLessThan(slack);
});

test.each(sceneLabels)("one %s on clutter is found", async (label: SceneLabel) => {
  const scenes = Array.from({ length: 20 }, (_, n) => drawScene(4_000_000 + n, { labels: [label], distractors: 0 }));
  const logits = await classify(scenes.map((scene) => scene.image));
  const index = sceneLabels.indexOf(label);
  const found = scenes.filter((_, n) => logits[n * sceneLabels.length + index]! > 0);
  expect(found.length).toBeGreaterThanOrEqual(18);
});
