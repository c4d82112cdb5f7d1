import type { Picture, Tensor } from "@camkit/cam-core/data";
import { ConfigError } from "../errors.ts";
import { keyed } from "../random.ts";
import type { Batch } from "./batch.ts";
import { type FeederOptions, openFeeder } from "./feeder.ts";

/** Cells are enlarged by whole numbers to at least this, so that single pixels can be seen. */
const leastCell = 96;
const gap = 6;
const paper = 255;

/**
 * What the network will see: a column for each of `samples` samples drawn from the data, the picture itself on top, below it
 * what it becomes in the first `epochs` epochs, the very bytes that a feeder with these options gives. Where there are masks,
 * what lies outside is darkened. Encode it with `encodePicture`.
 * Throws ConfigError when the inputs aren't pictures; DataError as a feeder does.
 */
export async function augmentedSheet(options: FeederOptions, samples = 8, epochs = 3): Promise<Picture> {
  const { dataset } = options;
  const [height, width, channels] = dataset.fields.input?.shape ?? [];
  if (dataset.fields.input?.dtype !== "uint8" || (channels !== 1 && channels !== 3))
    throw new ConfigError("only pictures can be shown on a sheet");
  const all = options.indices ?? Array.from({ length: dataset.count }, (_, index) => index);
  const count = Math.min(samples, all.length);
  // Drawn, not every n-th: file names count through classes and would line up with that.
  const drawn = keyed(options.seed ?? 0, "sheet")
    .shuffle(all)
    .slice(0, count);
  const indices = drawn.sort((a, b) => a - b);

  const same = { dataset, indices, batch: count, workers: 0 };
  const changed = openFeeder({ ...options, ...same, shuffle: false });
  const rows = [await openFeeder(same).batch(0, 0)];
  for (let epoch = 0; epoch < epochs; epoch++) rows.push(await changed.batch(epoch, 0));

  const size = { width: width!, height: height!, channels };
  const isBgr = dataset.source.input?.channelOrder === "BGR";
  return laidOut(rows, count, size, isBgr);
}

type Size = { width: number; height: number; channels: number };

function laidOut(rows: readonly Batch[], columns: number, { width, height, channels }: Size, isBgr: boolean): Picture {
  const zoom = Math.max(1, Math.ceil(leastCell / Math.min(width, height)));
  const [cellWidth, cellHeight] = [width * zoom + gap, height * zoom + gap];
  const sheet = { width: columns * cellWidth + gap, height: rows.length * cellHeight + gap };
  const rgb = new Uint8Array(sheet.width * sheet.height * 3).fill(paper);
  const channelAt = channels === 1 ? [0, 0, 0] : isBgr ? [2, 1, 0] : [0, 1, 2];
  for (const [row, { fields }] of rows.entries()) {
    const pixels = fields.input!.data as Uint8Array; // [N, H, W, C]
    for (let y = 0; y < height * zoom; y++)
      for (let x = 0; x < columns * width * zoom; x++) {
        const [column, inCell] = [Math.floor(x / (width * zoom)), x % (width * zoom)];
        const pixel = (column * height + Math.floor(y / zoom)) * width + Math.floor(inCell / zoom);
        const to = ((gap + row * cellHeight + y) * sheet.width + gap + column * cellWidth + inCell) * 3;
        const light = isInside(fields.mask, pixel) ? 1 : 0.35;
        for (let c = 0; c < 3; c++) rgb[to + c] = light * pixels[pixel * channels + channelAt[c]!]!;
      }
  }
  return { ...sheet, rgb };
}

function isInside(mask: Tensor | undefined, pixel: number): boolean {
  return mask === undefined || mask.data[pixel] === 1;
}
