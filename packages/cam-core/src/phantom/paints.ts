/** What a shape is filled with: a plain colour, or two colours in a pattern that turns with the shape. */
import type { Rng } from "./random.ts";

export type Rgb = readonly [red: number, green: number, blue: number]; // 0 … 255

/** The colour at a point of the shape's own frame (x right, y up, unit circle). */
export type Paint = (x: number, y: number) => Rgb;

export type ColourName =
  | "red"
  | "blue"
  | "green"
  | "yellow"
  | "purple"
  | "orange"
  | "teal"
  | "pink"
  | "grey"
  | "white"
  | "dark";

const colours: Readonly<Record<ColourName, Rgb>> = {
  red: [214, 45, 48],
  blue: [40, 104, 216],
  green: [44, 158, 82],
  yellow: [248, 204, 46],
  purple: [142, 68, 196],
  orange: [238, 128, 36],
  teal: [34, 172, 178],
  pink: [242, 138, 178],
  grey: [132, 134, 138],
  white: [236, 235, 230],
  dark: [54, 58, 70],
};

const lights: readonly ColourName[] = ["white", "yellow", "pink"];
const darks: readonly ColourName[] = ["dark", "blue", "purple", "red", "green"];

export type PatternName = "striped" | "checkered" | "dotted";
export type PaintName = ColourName | PatternName;

type Pattern = (size: number, first: Rgb, second: Rgb) => Paint;
const odd = (cell: number): boolean => Math.abs(Math.floor(cell)) % 2 === 1;

/** Patterns; `size` is the width of one stripe, cell or half a dot pitch, as a fraction of the shape's radius. */
const patterns: Readonly<Record<PatternName, Pattern>> = {
  // Moved by half a stripe, so that a square of half-width 0.7 shows whole stripes on both sides.
  striped: (size, first, second) => (_x, y) => (odd(y / size + 0.5) ? first : second),
  checkered: (size, first, second) => (x, y) => (odd(x / size) !== odd(y / size) ? first : second),
  dotted: (size, first, second) => (x, y) => {
    const pitch = 2 * size;
    const dx = x / pitch - Math.round(x / pitch);
    const dy = y / pitch - Math.round(y / pitch);
    return dx * dx + dy * dy < 0.095 ? first : second;
  },
};

export const colourNames: readonly ColourName[] = Object.keys(colours) as ColourName[];
export const patternNames: readonly PatternName[] = Object.keys(patterns) as PatternName[];

const isPattern = (name: PaintName): name is PatternName => Object.hasOwn(patterns, name);

/** A named colour, each channel moved by up to 12 of 255, so that no class is one exact value. */
function jittered(rng: Rng, name: ColourName): Rgb {
  const [red, green, blue] = colours[name];
  const move = (channel: number): number => Math.min(255, Math.max(0, channel + rng.integer(-12, 12)));
  return [move(red), move(green), move(blue)];
}

/** Draws the colours and the scale of a paint. A pattern has one light and one dark colour, in either role. */
export function mixPaint(rng: Rng, name: PaintName): Paint {
  if (!isPattern(name)) {
    const colour = jittered(rng, name);
    return () => colour;
  }
  const pair = rng.shuffle([jittered(rng, rng.pick(lights)), jittered(rng, rng.pick(darks))]);
  return patterns[name](rng.uniform(0.26, 0.32), pair[0]!, pair[1]!);
}
