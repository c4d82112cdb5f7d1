import { constants, mkdirSync, openSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import { drawScene, sceneLabels, sha256Hex } from "@camkit/cam-core/data";

/** A scene as it is trained on. */
export type Drawing = {
  readonly image: Uint8Array; // [96, 96, 3]
  /** Which object each pixel shows: its class + 1, or 0. */
  readonly classes: Uint8Array; // [96, 96]
};

const pixels = 96 * 96;
/** Image, classes, and a last byte that is 1: a record that was cut off hasn't got it. */
const record = 4 * pixels + 1;

export function draw(seed: number): Drawing {
  const { image, objects } = drawScene(seed);
  const classes = new Uint8Array(pixels);
  for (const { classIndex, mask } of objects)
    mask.forEach((inside, at) => {
      if (inside === 1) classes[at] = classIndex + 1;
    });
  return { image, classes };
}

/**
 * Drawing with a memory: what was drawn once lies in a file of `folder` (37 kB a scene), for later epochs and runs and for
 * every thread. Two that draw the same scene at once write the same bytes. The file's name holds a digest of its first scene,
 * so that what another version drew is left alone.
 */
export function drawKept(folder: string, first: number): (seed: number) => Drawing {
  mkdirSync(folder, { recursive: true });
  const version = sha256Hex(drawScene(first).image).slice(0, 8);
  const path = join(folder, `scenes-${sceneLabels.length}-${first}-${version}.bin`);
  const file = openSync(path, constants.O_RDWR | constants.O_CREAT);
  // Open as long as its thread lives: Node closes what a worker has opened.
  return (seed) => {
    const bytes = new Uint8Array(record);
    const position = (seed - first) * record;
    const length = readSync(file, bytes, 0, record, position);
    if (length < record || bytes[record - 1] !== 1) {
      const { image, classes } = draw(seed);
      bytes.set(image);
      bytes.set(classes, image.length);
      bytes[record - 1] = 1;
      writeSync(file, bytes, 0, record, position);
    }
    return { image: bytes.subarray(0, 3 * pixels), classes: bytes.subarray(3 * pixels, 4 * pixels) };
  };
}
