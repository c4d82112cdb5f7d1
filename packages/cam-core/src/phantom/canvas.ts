/**
 * A square picture drawn at four times its size and averaged down. Each fine sample remembers which shape it shows,
 * so the masks are exact: what is hidden by a later shape is not in them.
 */
import type { Paint, Rgb } from "./paints.ts";
import type { Direction } from "./random.ts";
import type { Inside } from "./shapes.ts";

/** Fine samples per pixel, along each axis. */
export const SAMPLES = 4;

/** Where a shape's frame lies: pixels, x right, y down, the picture's top left corner is (0, 0). */
export interface Placement {
  readonly x: number;
  readonly y: number;
  /** Pixels per unit of the shape's frame. */
  readonly radius: number;
  /** Turns the frame anticlockwise as seen. */
  readonly turn: Direction;
  /** The shape lies within |y| <= this in its frame: what is farther is not looked at. Default 1. */
  readonly halfHeight?: number;
}

export interface Canvas {
  readonly size: number;
  /** [size * SAMPLES, size * SAMPLES, 3], 0 … 255, not rounded. */
  readonly colours: Float32Array;
  /** [size * SAMPLES, size * SAMPLES]: the shape on top, 0 for none. */
  readonly owners: Uint8Array;
}

export function createCanvas(size: number): Canvas {
  const fine = size * SAMPLES;
  return { size, colours: new Float32Array(fine * fine * 3), owners: new Uint8Array(fine * fine) };
}

/** Fills every pixel; `colourAt` sees the pixel's centre as fractions of the picture. */
export function fill(canvas: Canvas, colourAt: (x: number, y: number) => Rgb): void {
  const { size, colours, owners } = canvas;
  const fine = size * SAMPLES;
  owners.fill(0);
  for (let row = 0; row < size; row++) {
    const line = row * SAMPLES * fine * 3;
    for (let column = 0; column < size; column++) {
      const [red, green, blue] = colourAt((column + 0.5) / size, (row + 0.5) / size);
      for (let i = 0; i < SAMPLES; i++) {
        const at = line + (column * SAMPLES + i) * 3;
        colours[at] = red;
        colours[at + 1] = green;
        colours[at + 2] = blue;
      }
    }
    for (let i = 1; i < SAMPLES; i++) colours.copyWithin(line + i * fine * 3, line, line + fine * 3);
  }
}

/**
 * Draws a shape over what is there.
 *
 * @param owner   1 … 255 to find it again with `visibleMask`; 0 for what nobody asks about (it still hides others)
 * @param opacity 0 … 1
 */
export function draw(canvas: Canvas, inside: Inside, paint: Paint, place: Placement, owner: number, opacity = 1): void {
  const { size, colours, owners } = canvas;
  const fine = size * SAMPLES;
  const first = (centre: number): number => Math.max(0, Math.floor((centre - place.radius) * SAMPLES));
  const last = (centre: number): number => Math.min(fine - 1, Math.ceil((centre + place.radius) * SAMPLES));
  const { cos, sin } = place.turn;
  const { halfHeight = 1 } = place;
  for (let row = first(place.y); row <= last(place.y); row++) {
    const dy = (place.y - (row + 0.5) / SAMPLES) / place.radius; // y up in the shape's frame
    // |cos dy - sin dx| <= halfHeight, a sample wider against rounding: thin lines are a small part of their square.
    const [middle, reach] = Math.abs(sin) < 1e-6 ? [0, 2] : [(cos * dy) / sin, halfHeight / Math.abs(sin)];
    const at = (dx: number): number => (place.x + dx * place.radius) * SAMPLES;
    const begin = Math.max(first(place.x), Math.floor(at(middle - reach)) - 1);
    const end = Math.min(last(place.x), Math.ceil(at(middle + reach)) + 1);
    for (let column = begin; column <= end; column++) {
      const dx = ((column + 0.5) / SAMPLES - place.x) / place.radius;
      const x = cos * dx + sin * dy;
      const y = cos * dy - sin * dx;
      if (!inside(x, y)) continue;
      const colour = paint(x, y);
      const at = row * fine + column;
      owners[at] = owner;
      for (let channel = 0; channel < 3; channel++) {
        const under = colours[at * 3 + channel]!;
        colours[at * 3 + channel] = under + opacity * (colour[channel]! - under);
      }
    }
  }
}

/** Averages the fine samples of each pixel, adds `noise()` to each channel and rounds. HWC, RGB. */
export function develop(canvas: Canvas, noise: () => number): Uint8Array {
  const { size, colours } = canvas;
  const fine = size * SAMPLES;
  const image = new Uint8Array(size * size * 3); // [H, W, 3]
  for (let row = 0; row < size; row++)
    for (let column = 0; column < size; column++)
      for (let channel = 0; channel < 3; channel++) {
        let sum = 0;
        for (let i = 0; i < SAMPLES; i++)
          for (let j = 0; j < SAMPLES; j++)
            sum += colours[((row * SAMPLES + i) * fine + column * SAMPLES + j) * 3 + channel]!;
        const value = Math.round(sum / (SAMPLES * SAMPLES) + noise());
        image[(row * size + column) * 3 + channel] = Math.min(255, Math.max(0, value));
      }
  return image;
}

/**
 * 1 where most of a pixel's samples show this shape, else 0. [H, W] Exactly half counts if the sample right and below of
 * the pixel's centre is one of them, so no pixel belongs to two shapes and areas are neither widened nor shrunk.
 */
export function visibleMask(canvas: Canvas, owner: number): Uint8Array {
  const { size, owners } = canvas;
  const fine = size * SAMPLES;
  const half = (SAMPLES * SAMPLES) / 2;
  const mask = new Uint8Array(size * size);
  for (let row = 0; row < size; row++)
    for (let column = 0; column < size; column++) {
      const corner = row * SAMPLES * fine + column * SAMPLES;
      let count = 0;
      for (let i = 0; i < SAMPLES; i++)
        for (let j = 0; j < SAMPLES; j++) if (owners[corner + i * fine + j] === owner) count++;
      const isCentre = owners[corner + (SAMPLES / 2) * (fine + 1)] === owner;
      if (count > half || (count === half && isCentre)) mask[row * size + column] = 1;
    }
  return mask;
}
