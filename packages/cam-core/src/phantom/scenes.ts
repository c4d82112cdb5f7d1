/**
 * Synthetic scenes with known truth: one to three objects of eight classes on clutter, each with its exact mask.
 *
 * A class is a shape *and* a paint. Distractors share one of the two ("red square", "striped disc", "grey star"), so
 * neither colour nor outline nor texture alone tells the classes apart: a map that points at the object has had to see it.
 * Everything follows from the integer seed of the scene, on every platform (see random.ts).
 */
import { drawBackdrop } from "./backdrop.ts";
import { createCanvas, develop, draw, type Placement, visibleMask } from "./canvas.ts";
import { colourNames, mixPaint, type PaintName, patternNames } from "./paints.ts";
import { createRng, type Rng } from "./random.ts";
import { type ShapeName, shapeNames, shapes } from "./shapes.ts";

/** What makes a thing what it is, before it has a place. */
export interface Kind {
  readonly shape: ShapeName;
  readonly paint: PaintName;
}

export type SceneLabel =
  | "red disc"
  | "blue drop"
  | "green triangle"
  | "yellow star"
  | "purple cross"
  | "striped square"
  | "checkered disc"
  | "dotted hexagon";

const kinds: Readonly<Record<SceneLabel, Kind>> = {
  "red disc": { shape: "disc", paint: "red" },
  "blue drop": { shape: "drop", paint: "blue" },
  "green triangle": { shape: "triangle", paint: "green" },
  "yellow star": { shape: "star", paint: "yellow" },
  "purple cross": { shape: "cross", paint: "purple" },
  "striped square": { shape: "square", paint: "striped" },
  "checkered disc": { shape: "disc", paint: "checkered" },
  "dotted hexagon": { shape: "hexagon", paint: "dotted" },
};

/** The classes, in the order of the shipped model's outputs. */
export const sceneLabels: readonly SceneLabel[] = Object.keys(kinds) as SceneLabel[];

export interface SceneOptions {
  /** Width and height in pixels; the same seed shows the same scene at any size. Default 96. */
  readonly size?: number;
  /** Exactly these objects. Default: one to three different classes, drawn from the seed. */
  readonly labels?: readonly SceneLabel[];
  /** How many shapes of no class. Default: one to four, drawn from the seed. */
  readonly distractors?: number;
  /** Largest change of a pixel's channel by noise, of 255. Default 6. */
  readonly noise?: number;
}

/** Pixels; x right, y down; the box holds columns x … x + width − 1. */
export interface PixelBox {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface SceneObject {
  readonly classIndex: number;
  readonly label: SceneLabel;
  /** 1 where the pixel shows this object (most of its samples do), else 0; no pixel shows two. [H, W] */
  readonly mask: Uint8Array;
  /** The smallest box round the mask. */
  readonly box: PixelBox;
}

export interface Scene {
  /** RGB, [H, W, 3]. */
  readonly image: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** In the order they were asked for. */
  readonly objects: readonly SceneObject[];
}

// One stream per subject: more clutter in a later version leaves the objects of a seed where they are.
const STREAM = { content: 1, place: 2, paint: 3, backdrop: 4, noise: 5 } as const;

const OBJECT_RADIUS: Range = [0.12, 0.2];
const DISTRACTOR_RADIUS: Range = [0.09, 0.17];
type Range = readonly [low: number, high: number]; // fractions of the picture

export function drawScene(seed: number, options: SceneOptions = {}): Scene {
  const size = options.size ?? 96;
  if (!Number.isInteger(size) || size < 16) throw new RangeError(`a scene is at least 16 pixels wide, found ${size}`);
  const content = createRng(seed, STREAM.content);
  // Both are always drawn, so that fixing one of them leaves the other as it was.
  const drawnLabels = drawLabels(content);
  const drawnCount = content.integer(1, 4);
  const labels = options.labels ?? drawnLabels;
  const distractors = Array.from({ length: options.distractors ?? drawnCount }, () => drawDistractor(content));

  const canvas = createCanvas(size);
  drawBackdrop(canvas, createRng(seed, STREAM.backdrop));

  const placed = placeAll(createRng(seed, STREAM.place), labels.length, distractors.length);
  const paintRng = createRng(seed, STREAM.paint);
  const layers = [...labels.map((label) => kinds[label]), ...distractors].map((kind: Kind, index) => ({
    inside: shapes[kind.shape],
    paint: mixPaint(paintRng, kind.paint),
    place: placed[index],
    owner: index < labels.length ? index + 1 : 0,
  }));
  for (const { inside, paint, place, owner } of paintRng.shuffle(layers)) {
    if (place === undefined) continue; // a distractor that found no room
    const { x, y, radius, turn } = place;
    draw(canvas, inside, paint, { x: x * size, y: y * size, radius: radius * size, turn }, owner);
  }

  const objects = labels.map((label, index): SceneObject => {
    const mask = visibleMask(canvas, index + 1);
    return { classIndex: sceneLabels.indexOf(label), label, mask, box: boxOf(mask, size) };
  });
  const noiseRng = createRng(seed, STREAM.noise);
  const amplitude = options.noise ?? 6;
  // The mean of two uniform numbers: a tent, cheap and close enough to a sensor's noise.
  const image = develop(canvas, () => (noiseRng.unit() + noiseRng.unit() - 1) * amplitude);
  return { image, width: size, height: size, objects };
}

/** The labels that `drawScene(seed)` shows, in the order of its objects, without drawing it. */
export function labelsOfScene(seed: number): readonly SceneLabel[] {
  return drawLabels(createRng(seed, STREAM.content));
}

function drawLabels(rng: Rng): readonly SceneLabel[] {
  return rng.shuffle(sceneLabels).slice(0, rng.integer(1, 3));
}

/** A thing of no class: usually a class with one of its two traits exchanged, at times anything. */
function drawDistractor(rng: Rng): Kind {
  for (;;) {
    const near = kinds[rng.pick(sceneLabels)];
    const shape = rng.pick(shapeNames);
    const paint = rng.pick(rng.unit() < 0.3 ? patternNames : colourNames);
    const roll = rng.unit();
    const kind: Kind =
      roll < 0.4 ? { shape: near.shape, paint } : roll < 0.8 ? { shape, paint: near.paint } : { shape, paint };
    if (!sceneLabels.some((label) => kinds[label].shape === kind.shape && kinds[label].paint === kind.paint))
      return kind;
  }
}

/**
 * Finds room for every object, then for as many distractors as there is room for. Fractions of the picture.
 * Bounding circles stay inside the picture and may overlap by a tenth of the sum of their radii.
 */
function placeAll(rng: Rng, objects: number, distractors: number): (Placement | undefined)[] {
  const taken: Placement[] = [];
  const place = ([low, high]: Range): Placement | undefined => {
    const turn = rng.direction();
    for (let attempt = 0; attempt < 40; attempt++) {
      const radius = rng.uniform(low, high);
      const x = rng.uniform(radius, 1 - radius);
      const y = rng.uniform(radius, 1 - radius);
      const isFree = taken.every((other) => {
        const reach = 0.9 * (radius + other.radius);
        return (x - other.x) * (x - other.x) + (y - other.y) * (y - other.y) >= reach * reach;
      });
      if (isFree) return { x, y, radius, turn };
    }
    return undefined;
  };

  return Array.from({ length: objects + distractors }, (_, index) => {
    const isObject = index < objects;
    let range = isObject ? OBJECT_RADIUS : DISTRACTOR_RADIUS;
    let found = place(range);
    // An object that was asked for is drawn: smaller, if the scene is full.
    while (isObject && found === undefined) {
      range = [range[0] * 0.9, range[1] * 0.9];
      found = place(range);
    }
    if (found !== undefined) taken.push(found);
    return found;
  });
}

function boxOf(mask: Uint8Array, size: number): PixelBox {
  let [left, top, right, bottom] = [size, size, -1, -1];
  for (let row = 0; row < size; row++)
    for (let column = 0; column < size; column++) {
      if (mask[row * size + column] === 0) continue;
      left = Math.min(left, column);
      right = Math.max(right, column);
      top = Math.min(top, row);
      bottom = Math.max(bottom, row);
    }
  return right < 0
    ? { x: 0, y: 0, width: 0, height: 0 }
    : { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
}
