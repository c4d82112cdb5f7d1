import { describe, expect, test } from "vitest";
import { float32, type Tensor } from "../tensor.ts";
import { colormap } from "./colormap.ts";
import { renderOverlay } from "./overlay.ts";
import type { Picture } from "./picture.ts";
import { testPicture } from "./test-picture.ts";

const flat = (width: number, height: number, color = [100, 150, 200]): Picture => ({
  width,
  height,
  rgb: Uint8Array.from({ length: width * height * 3 }, (_, i) => color[i % 3]!),
});
const at = (picture: Picture, x: number, y: number) => [
  ...picture.rgb.subarray((y * picture.width + x) * 3, (y * picture.width + x) * 3 + 3),
];
const exact = { minSide: 1 } as const; // no enlarging
const constant = (value: number): Tensor => float32([1, 1], [value]);
const legend = { title: "tabby cat", score: "0.973", detail: "Grad-CAM · /features/18" };

describe("colours", () => {
  test("by hand: hottest is 0.65 of the scale's last colour, coldest is the picture", async () => {
    const hot = await renderOverlay(flat(8, 8), constant(1), exact);
    const last = [252, 254, 164]; // inferno
    expect(at(hot, 3, 3)).toEqual([100, 150, 200].map((value, c) => Math.round(0.35 * value + 0.65 * last[c]!)));
    expect((await renderOverlay(flat(8, 8), constant(0), exact)).rgb).toEqual(flat(8, 8).rgb);
  });

  test("by hand: at a quarter the colour has half its opacity", async () => {
    // smoothstep(0.25 / 0.5) = 0.5; row 64 of inferno is (87, 15, 109)
    const drawn = await renderOverlay(flat(4, 4), constant(0.25), exact);
    expect(at(drawn, 1, 1)).toEqual(
      [100, 150, 200].map((value, c) => Math.round(value + 0.325 * ([87, 15, 109][c]! - value))),
    );
  });

  test("an even veil when asked", async () => {
    const drawn = await renderOverlay(flat(4, 4), constant(0), {
      ...exact,
      followMap: false,
      opacity: 0.5,
      colormap: "jet",
    });
    expect(at(drawn, 0, 0)).toEqual([50, 75, 164]); // (0, 0, 127) by half
  });

  test("heatmap: the scale's own colours", async () => {
    const { table } = colormap("viridis");
    const drawn = await renderOverlay(
      flat(256, 1),
      float32(
        [1, 256],
        Array.from({ length: 256 }, (_, i) => (i + 0.5) / 256),
      ),
      {
        ...exact,
        view: "heatmap",
        colormap: "viridis",
      },
    );
    expect(drawn.rgb).toEqual(table);
  });

  test("a range of its own, and NaN drawn grey without spreading", async () => {
    const map = float32([1, 4], [-3, Number.NaN, 5, 5]);
    const drawn = await renderOverlay(flat(4, 1), map, { ...exact, range: [-3, 5], opacity: 1 });
    expect(at(drawn, 0, 0)).toEqual([100, 150, 200]);
    expect(at(drawn, 1, 0)).toEqual([128, 128, 128]);
    expect(at(drawn, 2, 0)).toEqual([252, 254, 164]);
  });
});

describe("geometry", () => {
  test("the map lies where the model looked, to the pixel", async () => {
    // The model saw 20 x 10 pixels from (5, 4); only the last column of its 4 x 2 map is hot.
    const map = float32([2, 4], [0, 0, 0, 1, 0, 0, 0, 1]);
    const drawn = await renderOverlay(flat(40, 20), map, {
      ...exact,
      placement: { x: 5, y: 4, width: 20, height: 10 },
      opacity: 1,
    });
    const hot = [252, 254, 164];
    expect(at(drawn, 23, 9)).toEqual(hot);
    expect(at(drawn, 8, 9)).toEqual([100, 150, 200]);
    // outside: grey at 0.6 of luma 140.75
    expect(at(drawn, 25, 9)).toEqual([84, 84, 84]);
    expect(at(drawn, 23, 14)).toEqual([84, 84, 84]);
    expect(at(drawn, 4, 9)).toEqual([84, 84, 84]);
    // the frame's first pixel is nearly white
    expect(Math.min(...at(drawn, 5, 4))).toBeGreaterThan(220);
  });

  test("bilinear between cell centres: the middle of 0 and 1 is a half", async () => {
    const grey = await renderOverlay(flat(8, 1), float32([1, 2], [0, 1]), {
      ...exact,
      view: "heatmap",
      colormap: "grey",
    });
    // centres at 2 and 6; pixel x has its centre at x + 0.5: value = (x + 0.5 - 2) / 4
    const expected = [0, 0, 0.125, 0.375, 0.625, 0.875, 1, 1].map((value) => Math.min(255, Math.trunc(value * 256)));
    expect(expected.map((_, x) => at(grey, x, 0)[0])).toEqual(expected);
  });

  test("with padding the map reaches beyond the picture and is cut there", async () => {
    const map = float32([4, 1], [1, 0, 0, 1]); // the hot rows lie in the padding above and below
    const drawn = await renderOverlay(flat(8, 4), map, {
      ...exact,
      placement: { x: 0, y: -2, width: 8, height: 8 },
      opacity: 1,
    });
    expect(at(drawn, 4, 1)).toEqual([100, 150, 200]);
    expect([drawn.width, drawn.height]).toEqual([8, 4]);
  });

  test("small pictures grow by whole numbers, large ones shrink to the cap", async () => {
    const size = async (width: number, height: number) => {
      const drawn = await renderOverlay(flat(width, height), constant(0.5));
      return [drawn.width, drawn.height];
    };
    expect(await size(96, 96)).toEqual([480, 480]);
    expect(await size(32, 16)).toEqual([480, 240]);
    expect(await size(1, 1)).toEqual([480, 480]);
    expect(await size(500, 300)).toEqual([500, 300]);
    expect(await size(2400, 1000)).toEqual([1600, 667]);
  });

  test("up to 64 pixels a side squares stay squares", async () => {
    const drawn = await renderOverlay(testPicture(8, 8), constant(0));
    expect(drawn.width).toBe(480);
    for (const [x, y] of [
      [0, 0],
      [59, 59],
      [60, 60],
      [479, 479],
    ] as const)
      expect(at(drawn, x, y)).toEqual(at(testPicture(8, 8), Math.floor(x / 60), Math.floor(y / 60)));
  });

  test("side by side: the picture as it was at the left, the overlay at the right", async () => {
    const picture = testPicture(500, 80);
    const drawn = await renderOverlay(picture, constant(1), { view: "side-by-side" });
    expect(drawn.width).toBe(500 * 2 + 6);
    expect(at(drawn, 250, 40)).toEqual(at(picture, 250, 40));
    expect(at(drawn, 503, 40)).toEqual([255, 255, 255]);
    expect(at(drawn, 506 + 250, 40)).toEqual(at(await renderOverlay(picture, constant(1)), 250, 40));
  });
});

describe("legend", () => {
  /** Rows of the strip that hold ink darker than this. */
  const inkRows = (drawn: Picture, from: number, darkness = 120) =>
    Array.from({ length: drawn.height - from }, (_, i) => i + from).filter((y) => {
      for (let x = 0; x < drawn.width * 0.5; x++) if (at(drawn, x, y)[0]! < darkness) return true;
      return false;
    });

  test("a white strip below; the picture above is untouched", async () => {
    const picture = flat(500, 100);
    const plain = await renderOverlay(picture, constant(0.5));
    const drawn = await renderOverlay(picture, constant(0.5), { legend });
    expect(drawn.height).toBeGreaterThan(140);
    expect(drawn.rgb.subarray(0, plain.rgb.length)).toEqual(plain.rgb);
    expect(at(drawn, 2, 102)).toEqual([255, 255, 255]);
    expect(inkRows(drawn, 100).length).toBeGreaterThan(15);
  });

  test("the bar runs from the coldest to the hottest colour", async () => {
    const drawn = await renderOverlay(flat(600, 50), constant(0.5), { legend });
    const { table } = colormap("inferno");
    const row = Array.from({ length: drawn.height - 50 }, (_, i) => i + 50).find(
      (y) => at(drawn, 598 - 24, y)[2]! < 200,
    ) as number;
    const colours = Array.from({ length: 600 }, (_, x) => at(drawn, x, row + 5)).slice(460, 586);
    // every colour of the strip's right part is on the scale (or its frame or the white ground), in rising order
    const indices = colours.flatMap((colour) => {
      const distances = Array.from({ length: 256 }, (_, i) =>
        Math.max(...colour.map((value, c) => Math.abs(value - table[i * 3 + c]!))),
      );
      const best = distances.indexOf(Math.min(...distances));
      return distances[best]! <= 3 ? [best] : [];
    });
    expect(indices.length).toBeGreaterThan(100);
    expect(indices).toEqual([...indices].sort((a, b) => a - b));
    expect(indices[0]).toBeLessThan(8);
    expect(indices.at(-1)).toBeGreaterThan(247);
  });

  test("a narrow picture gets a canvas wide enough to read", async () => {
    const drawn = await renderOverlay(flat(60, 600), constant(0.5), { legend });
    expect(drawn.width).toBe(300);
    expect(at(drawn, 10, 300)).toEqual([255, 255, 255]);
    expect(at(drawn, 150, 300)).not.toEqual([255, 255, 255]);
  });

  test("a note adds its lines", async () => {
    const short = await renderOverlay(flat(600, 50), constant(0.5), { legend });
    const noted = await renderOverlay(flat(600, 50), constant(0.5), {
      legend: { ...legend, note: "Research use only." },
    });
    expect(noted.height).toBeGreaterThan(short.height + 8);
    expect(inkRows(noted, 50, 140).at(-1)!).toBeGreaterThan(inkRows(short, 50, 140).at(-1)! + 8);
  });
});

test("refused by name", async () => {
  const picture = flat(8, 8);
  await expect(renderOverlay(picture, float32([2, 2, 2], new Array(8).fill(0)))).rejects.toThrow(
    /a map to draw is \[h, w\], found \[2, 2, 2\]/,
  );
  await expect(renderOverlay(picture, constant(1.5))).rejects.toThrow(
    /a map value of 1.5 lies outside the range 0 to 1/,
  );
  await expect(
    renderOverlay(picture, constant(0), { placement: { x: 100, y: 0, width: 5, height: 5 } }),
  ).rejects.toThrow(/outside the picture/);
  expect((await renderOverlay(picture, float32([1, 1, 2, 2], [0, 1, 1, 0]), exact)).width).toBe(8); // leading ones are fine
});
