import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

/*
 * Text as outlines: the glyphs of Inter (OFL-1.1, in node_modules) become SVG paths, so a legend is the same on every
 * machine, also in a container without fontconfig or a single font.
 */

export type Weight = 400 | 600;

/** The files Inter is cut into, tried in this order for each character. */
const subsets = ["latin", "latin-ext", "greek", "cyrillic", "cyrillic-ext", "vietnamese"] as const;

/** The part of opentype.js used here. (@types/opentype.js describes 1.3 and pulls the DOM into every file.) */
type Command = {
  type: "M" | "L" | "Q" | "C" | "Z";
  x1?: number;
  y1?: number;
  x2?: number;
  y2?: number;
  x?: number;
  y?: number;
};
type Glyph = {
  readonly advanceWidth: number;
  getPath(x: number, y: number, fontSize: number): { readonly commands: readonly Command[] };
};
type Font = {
  readonly unitsPerEm: number;
  charToGlyphIndex(char: string): number;
  charToGlyph(char: string): Glyph;
};

const require = createRequire(import.meta.url);
const opentype = require("opentype.js") as { parse(buffer: ArrayBuffer): Font };
const fonts = new Map<string, Font>();

function font(subset: (typeof subsets)[number], weight: Weight): Font {
  const file = `@fontsource/inter/files/inter-${subset}-${weight}-normal.woff`;
  const known = fonts.get(file);
  if (known !== undefined) return known;
  const bytes = readFileSync(require.resolve(file));
  const parsed = opentype.parse(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer);
  fonts.set(file, parsed);
  return parsed;
}

/** Signs Inter's web files lack, in letters they have. */
const spelled: Readonly<Record<string, string>> = {
  "→": "->",
  "←": "<-",
  "↔": "<->",
  "≥": ">=",
  "≤": "<=",
  "≠": "!=",
  "≈": "~",
};

type Placed = { glyph: Glyph; x: number };

/** Glyphs side by side, left to right; a character no subset has becomes the font's empty box. */
function layOut(text: string, size: number, weight: Weight): { placed: Placed[]; width: number } {
  const placed: Placed[] = [];
  let x = 0;
  const plain = text
    .normalize("NFC")
    .replace(/\s/gu, " ")
    .replace(/[→←↔≥≤≠≈]/gu, (sign) => spelled[sign] as string);
  for (const char of plain) {
    const subset = subsets.find((name) => font(name, weight).charToGlyphIndex(char) !== 0) ?? "latin";
    const face = font(subset, weight);
    const glyph = face.charToGlyph(char);
    placed.push({ glyph, x });
    x += (glyph.advanceWidth * size) / face.unitsPerEm;
  }
  return { placed, width: x };
}

/** How wide a line is, in pixels. `size` is the height of the em square in pixels. */
export function textWidth(text: string, size: number, weight: Weight = 400): number {
  return layOut(text, size, weight).width;
}

/**
 * The text, or as much of it as fits `maxWidth` pixels with "…" for the rest: at the end, or in the middle (paths and tensor
 * names differ at the end).
 */
export function fitText(
  text: string,
  maxWidth: number,
  size: number,
  weight: Weight = 400,
  cut: "end" | "middle" = "end",
): string {
  if (textWidth(text, size, weight) <= maxWidth) return text;
  const chars = [...text];
  const shortened = (kept: number) => {
    const head = cut === "end" ? kept : Math.ceil(kept / 2);
    return `${chars.slice(0, head).join("").trimEnd()}…${chars
      .slice(chars.length - (kept - head))
      .join("")
      .trimStart()}`;
  };
  let [fits, tooLong] = [0, chars.length];
  while (tooLong - fits > 1) {
    const middle = (fits + tooLong) >> 1;
    if (textWidth(shortened(middle), size, weight) <= maxWidth) fits = middle;
    else tooLong = middle;
  }
  return shortened(fits);
}

/** The text in lines of at most `maxWidth` pixels, broken at spaces; a word wider than that is cut with "…". */
export function wrapText(text: string, maxWidth: number, size: number, weight: Weight = 400): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/u).filter(Boolean)) {
    const longer = lines.length > 0 ? `${lines.at(-1)} ${word}` : word;
    if (lines.length > 0 && textWidth(longer, size, weight) <= maxWidth) lines[lines.length - 1] = longer;
    else lines.push(fitText(word, maxWidth, size, weight));
  }
  return lines;
}

export type TextStyle = {
  x: number;
  y: number;
  size: number;
  fill: string;
  weight?: Weight;
  anchor?: "start" | "middle" | "end";
};

/** One line as an SVG `<path>`; (x, y) is a point of the baseline in pixels. */
export function textPath(text: string, { x, y, size, fill, weight = 400, anchor = "start" }: TextStyle): string {
  const { placed, width } = layOut(text, size, weight);
  const left = x - { start: 0, middle: width / 2, end: width }[anchor];
  const outline = placed
    .map(({ glyph, x: at }) =>
      glyph
        .getPath(left + at, y, size)
        .commands.map(pathData)
        .join(""),
    )
    .join("");
  return `<path fill="${fill}" d="${outline}"/>`;
}

/** opentype.js has `toPathData` for this, but 2.0.0 writes NaN for a coordinate a hair above a whole number. */
function pathData({ type, x1, y1, x2, y2, x, y }: Command): string {
  const numbers = [x1, y1, x2, y2, x, y].filter((value) => value !== undefined);
  return type + numbers.map((value) => Math.round(value * 100) / 100).join(" ");
}
