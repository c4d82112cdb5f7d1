import { join } from "node:path";
import { encodePicture, type Tensor, writeAtomic } from "@camkit/cam-core";
import { type Feeder, openFeeder } from "../data/feeder.ts";
import { drawMasks } from "../loop/masks.ts";
import { withBatch } from "../network/with-batch.ts";
import { layOut } from "../step/layout.ts";
import { planStep } from "../step/plan.ts";
import { openStepper } from "../step/stepper.ts";
import { sizeOfPart } from "./data.ts";
import type { PreparedRun } from "./recipe.ts";
import { parametersIn } from "./run.ts";

/** What a run would be, found out by making one batch and running it forward and backward. No weight is changed. */
export type CheckDocument = Awaited<ReturnType<typeof checkRun>>;

/** Throws what training would throw in its first step. Writes `augmented.png`, a contact sheet, where batches are pictures. */
export async function checkRun(run: PreparedRun, out: string) {
  const { config, recipe, tests } = run;
  const { batch, seed, trained, train } = recipe;
  const before = process.memoryUsage().rss;
  const feeder = feederOf(run);
  try {
    const plan = planStep({
      ...{ batch, trained, input: recipe.input, statistics: recipe.statistics, loss: recipe.loss },
      graph: typeof recipe.graph.inputs[0]?.shape?.[0] === "number" ? withBatch(recipe.graph, batch) : recipe.graph,
      fields: feeder.fields,
    });
    const layout = layOut(recipe.graph, trained, recipe.decay, recipe.groups);
    const { optimiser, averaging, clip } = recipe;
    const stepper = await openStepper(
      { plan, layout, optimiser, averaging, clip, threads: config.threads },
      recipe.graph,
    );
    try {
      const { fields } = await feeder.batch(0, 0);
      const step = () => stepper.accumulate({ fields, masks: drawMasks(plan.masks, seed, 0) }, 1);
      const { loss } = await step(); // the first run also allocates
      const started = performance.now();
      await step();
      const milliseconds = performance.now() - started;
      const sheet = recipe.input
        ? await contactSheet(fields.input!, recipe.input.channelOrder === "BGR", out)
        : undefined;
      const steps = Math.floor(feeder.stepsPerEpoch / (recipe.accumulate ?? 1)) * recipe.epochs;
      return {
        name: config.name!,
        classes: train.dataset.classes ?? null,
        parameters: parametersIn(run),
        samples: Object.fromEntries([
          ["train", sizeOfPart(train)],
          ...(recipe.validation ? [["validation", sizeOfPart(recipe.validation)]] : []),
          ...tests.map((part) => [part.name, sizeOfPart(part)]),
        ]) as Record<string, number>,
        batch: Object.fromEntries(Object.entries(fields).map(([name, { dtype, shape }]) => [name, { dtype, shape }])),
        ...{ loss, milliseconds, steps },
        seconds: (milliseconds / 1000) * steps * (recipe.accumulate ?? 1),
        memoryBytes: Math.max(0, process.memoryUsage().rss - before),
        warnings: run.warnings,
        files: sheet ? [sheet] : [],
      };
    } finally {
      await stepper.close();
    }
  } finally {
    await feeder.close();
  }
}

function feederOf({ recipe }: PreparedRun): Feeder {
  const { dataset, indices } = recipe.train;
  return openFeeder({
    ...{ dataset, batch: recipe.batch, seed: recipe.seed, shuffle: true, dropLast: true, workers: 0 },
    ...(indices ? { indices } : {}),
    ...(recipe.augment ? { augment: recipe.augment } : {}),
    ...(recipe.mix ? { mix: recipe.mix } : {}),
  });
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
