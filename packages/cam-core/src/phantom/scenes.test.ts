import { expect, test } from "vitest";
import { drawScene, labelsOfScene, type Scene, type SceneLabel, sceneLabels } from "./scenes.ts";

/** FNV-1a, 32 bits. */
function checksum(scene: Scene): string {
  let hash = 0x811c9dc5;
  for (const bytes of [scene.image, ...scene.objects.map((object) => object.mask)])
    for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}

test("a seed is a scene: these bytes on every platform", () => {
  // If this changes, the shipped model's training data changed: train it again (models/scenes/train.yaml).
  expect([1, 2, 3_000_000].map((seed) => checksum(drawScene(seed)))).toEqual(["3175ce71", "18cc8177", "4ad0440c"]);
  expect(checksum(drawScene(1))).toBe(checksum(drawScene(1)));
});

test("a thousand scenes: every object visible, inside, of another class, in its box", () => {
  const counts = new Map<SceneLabel, number>(sceneLabels.map((label) => [label, 0]));
  const sizes = [0, 0, 0, 0];
  for (let seed = 0; seed < 1000; seed++) {
    const { objects, width, height, image } = drawScene(seed);
    expect(image.length).toBe(width * height * 3);
    expect(new Set(objects.map((object) => object.label)).size).toBe(objects.length);
    sizes[objects.length]!++;
    const owned = new Uint8Array(width * height);
    for (const { classIndex, label, mask, box } of objects) {
      expect(sceneLabels[classIndex]).toBe(label);
      counts.set(label, counts.get(label)! + 1);
      let area = 0;
      mask.forEach((inside, at) => {
        if (inside === 0) return;
        area++;
        owned[at]!++;
        const [x, y] = [at % width, Math.floor(at / width)];
        if (x < box.x || y < box.y || x >= box.x + box.width || y >= box.y + box.height)
          throw new Error("outside its box");
      });
      // The smallest class is the star: radius 0.12 * 96, area 1.47 r² = 195; at most a little of it is hidden.
      expect(area).toBeGreaterThan(140);
      expect(box.x >= 0 && box.y >= 0 && box.x + box.width <= width && box.y + box.height <= height).toBe(true);
    }
    if (owned.some((owners) => owners > 1)) throw new Error(`seed ${seed}: a pixel in two masks`);
  }
  expect(sizes[0]).toBe(0);
  for (const n of sizes.slice(1)) expect(Math.abs(n - 333)).toBeLessThan(60); // 4 standard deviations
  for (const n of counts.values()) expect(Math.abs(n - 250)).toBeLessThan(60);
});

const plainColours: [SceneLabel, [number, number, number]][] = [
  ["red disc", [214, 45, 48]],
  ["blue drop", [40, 104, 216]],
  ["green triangle", [44, 158, 82]],
  ["yellow star", [248, 204, 46]],
  ["purple cross", [142, 68, 196]],
];

test.each(plainColours)("the mask of a %s has its colour, and nothing outside has", (label, colour) => {
  const { image, objects, width } = drawScene(11, { labels: [label], distractors: 0, noise: 0 });
  const mask = objects[0]!.mask;
  const distance = (at: number): number =>
    Math.max(...colour.map((value, channel) => Math.abs(value - image[at * 3 + channel]!)));
  let outline = 0;
  mask.forEach((inside, at) => {
    const whole = [-width - 1, -width, -width + 1, -1, 1, width - 1, width, width + 1].every(
      (step) => (mask[at + step] ?? 0) === inside,
    );
    if (!whole) outline++;
    else if (inside === 1)
      expect(distance(at)).toBeLessThanOrEqual(13); // the class's colour may be moved by 12
    else expect(distance(at)).toBeGreaterThan(13);
  });
  expect(outline).toBeGreaterThan(0);
});

test("what is in a scene can be told without drawing it", () => {
  for (let seed = -3; seed < 20; seed++)
    expect(labelsOfScene(seed)).toEqual(drawScene(seed).objects.map((object) => object.label));
});

test("asked-for objects come in that order, and the rest of the scene stays", () => {
  const labels: SceneLabel[] = ["yellow star", "striped square"];
  expect(drawScene(5, { labels }).objects.map((object) => object.label)).toEqual(labels);
  const own = drawScene(5);
  const again = drawScene(5, { labels: own.objects.map((object) => object.label) });
  expect(checksum(again)).toBe(checksum(own));
});

test("all eight classes fit into one scene", () => {
  const { objects } = drawScene(3, { labels: sceneLabels, distractors: 0 });
  expect(objects.map((object) => object.classIndex)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  for (const { box } of objects) expect(box.width * box.height).toBeGreaterThan(0);
});

test("a scene without objects has none", () => {
  expect(drawScene(1, { labels: [] }).objects).toEqual([]);
});

test("the same seed shows the same scene at any size", () => {
  const small = drawScene(9);
  const large = drawScene(9, { size: 192 });
  expect(large.objects.map((object) => object.label)).toEqual(small.objects.map((object) => object.label));
  small.objects.forEach(({ mask }, index) => {
    const area = (bytes: Uint8Array): number => bytes.reduce((sum, value) => sum + value, 0);
    expect(area(large.objects[index]!.mask) / area(mask)).toBeCloseTo(4, 0);
  });
});

test("too small a picture is refused", () => {
  expect(() => drawScene(1, { size: 8 })).toThrow(/at least 16 pixels wide, found 8/);
});
