import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { decodePicture } from "../../image/decode.ts";
import { methodNames } from "../../methods/index.ts";
import { decodeNpy } from "../../npy.ts";
import { rng } from "../rng.ts";
import { damagedArray } from "./damaged-arrays.ts";
import { type Damaged, damagedBytes, damagedModel } from "./damaged-models.ts";
import { damagedPicture } from "./damaged-pictures.ts";
import { ended, journey, type Outcome } from "./journey.ts";

/** What became of one damaged file. `story`: what it was and what was done to it. */
export type CaseResult = { readonly story: string; readonly outcomes: readonly Outcome[] };

/** Kinds of damaged files: each makes file number `seed` in a folder of its own and takes it the whole way. */
export const cases: Readonly<Record<string, (seed: number, folder: string) => Promise<CaseResult>>> = {
  models: (seed, folder) => modelCase(damagedModel(seed), seed, folder),
  bytes: (seed, folder) => modelCase(damagedBytes(seed), seed, folder),
  pictures: async (seed) => {
    const { bytes, story } = await damagedPicture(seed);
    return { story, outcomes: [await ended("decode", () => decodePicture(bytes, "damaged"))] };
  },
  arrays: async (seed) => {
    const { bytes, story } = damagedArray(seed);
    return { story, outcomes: [await ended("decode", () => decodeNpy(bytes, "damaged.npy"))] };
  },
};

async function modelCase(damaged: Damaged, seed: number, folder: string): Promise<CaseResult> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const path = join(folder, "model.onnx");
  writeFileSync(path, damaged.bytes);
  for (const [name, content] of damaged.files)
    if (content instanceof Uint8Array) writeFileSync(join(folder, name), content);
    else symlinkSync(content.link, join(folder, name));
  const method = seed % 4 > 0 ? "grad-cam" : methodNames[(seed / 4) % methodNames.length]!;
  return { story: damaged.story, outcomes: await journey(path, damaged.feeds, rng(seed), method) };
}
