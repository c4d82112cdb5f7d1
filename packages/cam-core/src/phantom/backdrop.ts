/** The clutter behind a scene: a gradient of two muted colours, soft blobs, and thin lines. */
import { type Canvas, draw, fill } from "./canvas.ts";
import type { Rgb } from "./paints.ts";
import type { Rng } from "./random.ts";

interface Blob {
  readonly x: number;
  readonly y: number;
  readonly reach: number;
  readonly colour: Rgb;
  readonly strength: number;
}

/** A colour whose channels lie close together: it may be light or dark, never as vivid as a class. */
function muted(rng: Rng, low: number, high: number): Rgb {
  const grey = rng.uniform(low, high);
  return [grey + rng.uniform(-20, 20), grey + rng.uniform(-16, 16), grey + rng.uniform(-20, 20)];
}

const mix = (from: Rgb, to: Rgb, t: number): Rgb => [
  from[0] + (to[0] - from[0]) * t,
  from[1] + (to[1] - from[1]) * t,
  from[2] + (to[2] - from[2]) * t,
];

export function drawBackdrop(canvas: Canvas, rng: Rng): void {
  const from = muted(rng, 70, 220);
  const to = muted(rng, 70, 220);
  const along = rng.direction();
  const blobs: Blob[] = Array.from({ length: rng.integer(3, 7) }, () => ({
    x: rng.unit(),
    y: rng.unit(),
    reach: rng.uniform(0.12, 0.4),
    colour: muted(rng, 40, 235),
    strength: rng.uniform(0.25, 0.7),
  }));

  fill(canvas, (x, y) => {
    let colour = mix(from, to, 0.5 + 0.7 * ((x - 0.5) * along.cos + (y - 0.5) * along.sin));
    for (const blob of blobs) {
      const dx = (x - blob.x) / blob.reach;
      const dy = (y - blob.y) / blob.reach;
      const fade = 1 - dx * dx - dy * dy; // a bump without an exponential
      if (fade > 0) colour = mix(colour, blob.colour, blob.strength * fade * fade);
    }
    return colour;
  });

  for (let count = rng.integer(2, 6); count > 0; count--) {
    const colour = muted(rng, 40, 235);
    const thickness = rng.uniform(0.012, 0.05);
    draw(
      canvas,
      (x, y) => Math.abs(y) <= thickness && Math.abs(x) <= 1,
      () => colour,
      {
        x: rng.unit() * canvas.size,
        y: rng.unit() * canvas.size,
        radius: rng.uniform(0.2, 0.6) * canvas.size,
        turn: rng.direction(),
        halfHeight: thickness,
      },
      0,
      rng.uniform(0.3, 0.8),
    );
  }
}
