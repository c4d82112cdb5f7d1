import { decodePicture } from "@camkit/cam-core";
import { expect, test } from "vitest";
import { drawConfusion } from "./confusion.ts";
import { ink, png } from "./plot/svg.ts";

/** The cells' colours, row by row. */
function cells(svg: string, classes: number): string[] {
  return [...svg.matchAll(/<rect x="[^"%]+" y="[^"]+" width="[^"]+" height="[^"]+" fill="([^"]+)"/g)]
    .slice(0, classes ** 2)
    .map(([, fill]) => fill!);
}

const classes = ["FAKE", "REAL"];

test("colours are shares of the row: a rare class looks as a frequent one", () => {
  const { svg } = drawConfusion({
    classes,
    counts: [
      [900, 100],
      [1, 9],
    ],
  });
  const [a, b, c, d] = cells(svg, 2);
  expect([a, b]).toEqual([d, c]);
});

test("matplotlib's magma, read from its light end; nothing is pale", async () => {
  // matplotlib 3.11: colormaps["magma"](i, bytes=True), i = trunc(256 · (0.985 − 0.765 · share)): 154 and 56
  const drawn = drawConfusion({
    classes,
    counts: [
      [5, 5],
      [0, 7],
    ],
  });
  expect(cells(drawn.svg, 2)).toEqual(["rgb(222,74,103)", "rgb(222,74,103)", ink.empty, "rgb(67,15,117)"]);
  const [, x, y] = /<rect x="([^"%]+)" y="([^"]+)" width="131"/.exec(drawn.svg)!;
  const { width, height, rgb } = await decodePicture(await png(drawn));
  expect([width, height]).toEqual([drawn.width, drawn.height]);
  const at = ((Number(y) + 5) * width + Math.round(Number(x)) + 5) * 3;
  expect([...rgb.subarray(at, at + 3)].join(",")).toBe("222,74,103");
});

test("darker is always more", () => {
  const luminance = (share: number) => {
    const [fill] = cells(
      drawConfusion({
        classes,
        counts: [
          [share, 1000 - share],
          [0, 1],
        ],
      }).svg,
      2,
    );
    const [r, g, b] = /\d+,\d+,\d+/.exec(fill!)![0].split(",").map(Number) as [number, number, number];
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const steps = Array.from({ length: 50 }, (_, i) => luminance(20 * (i + 1)));
  expect(steps.every((value, i) => i === 0 || value < steps[i - 1]!)).toBe(true);
});

test("names of any length and number fit; a class without samples is pale and not NaN", async () => {
  for (const count of [3, 10, 21, 43, 100]) {
    const names = Array.from({ length: count }, (_, k) =>
      k === 0 ? "adenocarcinoma in situ, lepidic pattern" : `class ${k}`,
    );
    const drawn = drawConfusion({
      classes: names,
      counts: names.map((_, i) => names.map((_, k) => (i === 1 ? 0 : i * k))),
    });
    expect(drawn.svg).not.toMatch(/NaN|undefined/);
    expect(cells(drawn.svg, count).slice(count, 2 * count)).toEqual(new Array(count).fill(ink.empty));
    expect(drawn.width).toBeLessThan(1800);
  }
});

test("a thousand classes are refused: nobody could read them", () => {
  const names = new Array(1000).fill("class");
  expect(() => drawConfusion({ classes: names, counts: [] })).toThrow(
    /of 1000 classes can't be read, 100 are the most/,
  );
});
