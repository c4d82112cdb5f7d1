import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { decodePicture } from "../../image/decode.ts";
import { methodNames } from "../../methods/index.ts";
import { decodeNpy } from "../../npy.ts";
import { rng } from "../rng.ts";
import { arrayWays, damagedArray } from "./damaged-arrays.ts";
import {
  type Damaged,
  damagedBytes,
  damagedModel,
  damagedOperator,
  mutations,
  operatorMutations,
} from "./damaged-models.ts";
import { damagedPicture, pictureWays } from "./damaged-pictures.ts";
import { ended, type Goal, journey, type Outcome } from "./journey.ts";
import { byteMutations } from "./mutations/bytes.ts";

/** One damaged file: what it was made from, what was done to it, what it would be good for, and the way it goes. */
export type Case = {
  readonly base: string;
  readonly ways: readonly string[];
  readonly goal: Goal;
  readonly go: () => Promise<Outcome[]>;
};

/** Kinds of damaged files: each makes file number `seed`, models in a folder of their own. */
export const cases: Readonly<Record<string, (seed: number, folder: string) => Promise<Case>>> = {
  models: async (seed, folder) => modelCase(damagedModel(seed), "explain", seed, folder),
  operators: async (seed, folder) => modelCase(damagedOperator(seed), "gradient", seed, folder),
  bytes: async (seed, folder) => modelCase(damagedBytes(seed), "explain", seed, folder),
  pictures: async (seed) => {
    const { bytes, ...what } = await damagedPicture(seed);
    return { ...what, goal: "decode", go: async () => [await ended("decode", () => decodePicture(bytes, "damaged"))] };
  },
  arrays: async (seed) => {
    const { bytes, ...what } = damagedArray(seed);
    return { ...what, goal: "decode", go: async () => [await ended("decode", () => decodeNpy(bytes, "damaged.npy"))] };
  },
};

/** Every way in which a kind of files is damaged. */
export const waysOf: Readonly<Record<string, readonly string[]>> = {
  models: Object.keys(mutations),
  operators: Object.keys(operatorMutations),
  bytes: Object.keys(byteMutations),
  pictures: [...Object.keys(byteMutations), ...pictureWays],
  arrays: [...Object.keys(byteMutations), ...arrayWays],
};

function modelCase(damaged: Damaged, goal: Goal, seed: number, folder: string): Case {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const path = join(folder, "model.onnx");
  writeFileSync(path, damaged.bytes);
  for (const [name, content] of damaged.files)
    if (content instanceof Uint8Array) writeFileSync(join(folder, name), content);
    else symlinkSync(content.link, join(folder, name));
  const method = seed % 4 > 0 ? "grad-cam" : methodNames[(seed / 4) % methodNames.length]!;
  const { base, ways, feeds } = damaged;
  return { base, ways, goal, go: () => journey(path, feeds, rng(seed), method) };
}
