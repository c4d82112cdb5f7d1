import { join } from "node:path";
import { encodePicture, type Tensor, writeAtomic } from "@camkit/cam-core";
import { drawMasks } from "../loop/masks.ts";
import { openSteps } from "../loop/open-steps.ts";
import { sizeOfPart } from "./data.ts";
import { parametersIn, partsOf } from "./document.ts";
import type { PreparedRun } from "./recipe.ts";

/** What a run would be, found out by making one batch and stepping on it twice; what that teaches is thrown away. */
export type CheckDocument = Awaited<ReturnType<typeof checkRun>>;

/** Throws what training would throw in its first step. Writes `augmented.png`, a contact sheet, where batches are pictures. */
export async function checkRun(run: PreparedRun, out: string) {
  const { config, recipe } = run;
  const { train, input, seed, epochs, accumulate = 1 } = recipe;
  const before = process.memoryUsage().rss;
  const { feeder, plan, stepper, close } = await openSteps(recipe, { workers: 0, threads: config.threads });
  try {
    const { fields } = await feeder.batch(0, 0);
    const step = async () => {
      const { loss } = await stepper.accumulate({ fields, masks: drawMasks(plan.masks, seed, 0) }, 1);
      await stepper.update(1, recipe.rate);
      return loss;
    };
    const loss = await step(); // the first run also allocates
    const started = performance.now();
    await step();
    const milliseconds = performance.now() - started;
    const steps = Math.floor(feeder.stepsPerEpoch / accumulate) * epochs;
    return {
      name: config.name!,
      classes: train.dataset.classes ?? null,
      parameters: parametersIn(run),
      samples: Object.fromEntries(partsOf(run).map((part) => [part.name, sizeOfPart(part)])),
      batch: Object.fromEntries(Object.entries(fields).map(([name, { dtype, shape }]) => [name, { dtype, shape }])),
      ...{ loss, milliseconds, steps },
      seconds: (milliseconds / 1000) * steps * accumulate,
      memoryBytes: Math.max(0, process.memoryUsage().rss - before),
      warnings: run.warnings,
      files: input ? [await contactSheet(fields.input!, input.channelOrder === "BGR", out)] : [],
    };
  } finally {
    await close();
  }
}

/** Pixels between pictures, and the width that a sheet should have about. */
const gap = 2;
const sheetWidth = 960;

/** The pictures of a batch, uint8 [N, H, W, C], as training sees them, side by side; small ones enlarged. */
async function contactSheet({ shape, data }: Tensor, isBgr: boolean, out: string): Promise<string> {
  const [count, height, width, channels] = shape as [number, number, number, number];
  const shown = Math.min(count, 32);
  const columns = Math.min(8, shown);
  const times = Math.max(1, Math.floor(sheetWidth / columns / width));
  const [wide, high] = [width * times + gap, height * times + gap];
  const sheet = { width: columns * wide, height: Math.ceil(shown / columns) * high };
  const rgb = new Uint8Array(sheet.width * sheet.height * 3).fill(255);
  const pixels = data as Uint8Array;
  for (let n = 0; n < shown; n++)
    for (let y = 0; y < height * times; y++)
      for (let x = 0; x < width * times; x++) {
        const from = ((n * height + Math.floor(y / times)) * width + Math.floor(x / times)) * channels;
        const to = ((Math.floor(n / columns) * high + y) * sheet.width + (n % columns) * wide + x) * 3;
        for (let c = 0; c < 3; c++) rgb[to + c] = pixels[from + (channels === 1 ? 0 : isBgr ? 2 - c : c)]!;
      }
  await writeAtomic(join(out, "augmented.png"), await encodePicture({ ...sheet, rgb }));
  return "augmented.png";
}
