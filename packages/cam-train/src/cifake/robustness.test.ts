import { expect, test } from "vitest";
import { area } from "./pictures.ts";
import { conditions, measureRobustness } from "./robustness.ts";
import { robustnessTable } from "./tables.ts";
import { colourModel, disc, picturesOf } from "./test-models.ts";

test("every condition gives a picture of the same size and leaves what it was given as it is", async () => {
  const data = disc([16, 16], [200, 40, 40], [60, 140, 60]);
  const before = data.slice();
  for (const { name, apply } of conditions) {
    const changed = await apply({ width: 32, height: 32, channels: 3, data });
    expect(changed.data.length, name).toBe(area * 3);
    expect(data, name).toEqual(before);
    if (name !== "as stored") expect(changed.data, name).not.toEqual(before);
  }
});

test("the middle enlarged is 28 / 32 of what it was, in the middle", async () => {
  const { apply } = conditions.find(({ name }) => name.startsWith("the middle"))!;
  const data = new Uint8Array(area * 3);
  for (let i = 0; i < area; i++) data.fill(8 * (i % 32), 3 * i, 3 * i + 3); // 8 per pixel from left to right
  const { data: found } = await apply({ width: 32, height: 32, channels: 3, data });
  // Pixel x of 32 looks at 2 + (x + 1/2) · 28 / 32 − 1/2 of the whole.
  for (const x of [1, 7, 16, 30]) expect(found[3 * x]! / 8).toBeCloseTo(2 + (x + 0.5) * (28 / 32) - 0.5, 0.5);
});

test("accuracy, each side and what is answered, by hand", async () => {
  // Scores 0.8 · red − 0.8 · blue of 1: +0.8, +0.4, −0.8 and, wrongly, +0.4; of probabilities 0.69, 0.599 only the first pass 0.65.
  const even = (red: number, blue: number) => disc([16, 16], [red, 0, blue], [red, 0, blue]);
  const pictures = picturesOf([
    [1, even(255, 0)],
    [1, even(255, 128)],
    [0, even(0, 255)],
    [0, even(255, 127)],
  ]);
  const detector = colourModel([[1.6], [0], [-1.6]], { calibration: { temperature: 2, answerAbove: 0.65 } });
  const rows = await measureRobustness(detector, pictures);
  expect(rows[0]).toMatchObject({
    condition: "as stored",
    accuracy: 0.75,
    fakeRecall: 0.5,
    realRecall: 1,
    answered: { coverage: 0.5, accuracy: 1 },
  });
  expect(rows).toHaveLength(conditions.length);
  expect(robustnessTable(rows)).toContain("| as stored | 75.0 % | 0.750 | 50.0 % | 100.0 % | 50.0 % | 100.0 % |");
});
