import { expect, test } from "vitest";
import { fitText, textPath, textWidth, wrapText } from "./text.ts";

const style = { x: 0, y: 0, size: 2048, fill: "#000" };

test("widths are Inter's: 2048 units an em", () => {
  // fontTools: hmtx of "a" is 1150 in the regular file and 1176 in the semi-bold one
  expect(textWidth("a", 2048)).toBe(1150);
  expect(textWidth("a", 2048, 600)).toBe(1176);
  expect(textWidth("aa", 2048)).toBe(2 * 1150);
  expect(textWidth("a", 20)).toBeCloseTo((1150 * 20) / 2048, 10);
  expect(textWidth("label", 20, 600)).toBeGreaterThan(textWidth("label", 20, 400));
  expect(textWidth("", 20)).toBe(0);
});

test("anchors move a line by its width", () => {
  const firstX = (anchor: "start" | "middle" | "end") =>
    Number(/M([-\d.]+)/.exec(textPath("I", { ...style, anchor }))?.[1]);
  const width = textWidth("I", 2048);
  expect(firstX("start") - firstX("middle")).toBeCloseTo(width / 2, 1);
  expect(firstX("start") - firstX("end")).toBeCloseTo(width, 1);
});

test("no coordinate is NaN, wherever a line is put (opentype.js's own toPathData writes some)", () => {
  for (let step = 0; step < 200; step++) {
    const path = textPath("manifest. 0.973", { ...style, x: 14 + step * 0.01, y: 60 + step * 1.35, size: 12.04 });
    expect(path).not.toMatch(/NaN|undefined|Infinity/);
  }
});

test("Latin, Greek and Cyrillic have glyphs of their own; what Inter lacks is the empty box", () => {
  const outline = (text: string) => textPath(text, style);
  const box = outline("中");
  for (const char of "éłµΩλПя−–…·×“”ẽ") expect(outline(char), char).not.toBe(box);
  expect(outline("A → B ≥ C")).toBe(outline("A -> B >= C"));
  expect(outline("文")).toBe(box);
  expect(textWidth("中", 20)).toBeGreaterThan(0);
});

test("text that doesn't fit is cut where asked, to the last letter that fits", () => {
  const layer = "/features/features.18/Clip_output_0";
  const width = textWidth(layer, 12);
  expect(fitText(layer, width, 12)).toBe(layer);
  const end = fitText(layer, width / 2, 12);
  expect(end).toMatch(/^\/features.*…$/);
  expect(textWidth(end, 12)).toBeLessThanOrEqual(width / 2);
  expect(textWidth(`${layer.slice(0, end.length)}…`, 12)).toBeGreaterThan(width / 2);
  const middle = fitText(layer, width / 2, 12, 400, "middle");
  expect(middle).toMatch(/^\/fea.*….*put_0$/);
  expect(fitText(layer, 0, 12)).toBe("…");
});

test("lines break at spaces and lose no word", () => {
  const note = "Preprocessing was assumed: the model has no manifest.";
  const lines = wrapText(note, 120, 12);
  expect(lines.length).toBeGreaterThan(2);
  expect(lines.join(" ")).toBe(note);
  for (const line of lines) expect(textWidth(line, 12)).toBeLessThanOrEqual(120);
  expect(wrapText("", 100, 12)).toEqual([]);
});

test("characters that mean something in XML or paths are only shapes", () =>
  expect(textPath('<a href="x">&', style)).toMatch(/^<path fill="#000" d="[MLQCZ\d\s.-]+"\/>$/));
