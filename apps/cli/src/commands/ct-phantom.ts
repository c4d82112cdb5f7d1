import { join, resolve } from "node:path";
import { AbortedError, InputError } from "@camkit/cam-core";
import { classOf, leaning, type PhantomClass, phantomClasses, thoraxGeometry, writePhantom } from "@camkit/medical";
import { defineCommand, option, positional } from "../command.ts";
import { UsageError } from "../errors.ts";
import { breathe } from "../io.ts";
import { startProgress } from "../progress.ts";
import { table } from "../table.ts";

export default defineCommand({
  summary: "Draw synthetic chest CTs and write them as DICOM series, with their exact truth.",
  description:
    "No patient was ever scanned: anatomy, lesions, slice distance and noise follow from the seed. Beside each series lie truth.json and masks of lungs and lesions.",
  parameters: {
    seeds: positional.many("SEED", "whole numbers; FIRST-LAST for several"),
    out: option.textOr("DIR", "the folder to write to; with several seeds a folder each", "phantom"),
    class: option.text("NAME", `instead of the seed's own: ${phantomClasses.join(", ")}`),
    size: option.count("N", "rows and columns", 512),
    slices: option.count("N", "instead of the seed's own"),
    lean: option.number("DEG", "turns the slices about the patient's left-right axis, for an oblique series", 0),
  },
  examples: ["camkit ct phantom 7 --out phantom", "camkit ct phantom 1-20 --size 256 --slices 60 --out phantoms"],
  run: async ({ seeds: given, out, class: label, size, slices, lean }, io) => {
    const seeds = given.flatMap(seedsIn);
    if (label !== undefined && !(phantomClasses as readonly string[]).includes(label))
      throw new UsageError(`"${label}" is none of ${phantomClasses.join(", ")}`);
    if (Math.abs(lean) > 45) throw new UsageError(`--lean is at most 45 degrees, found ${lean}`);
    const progress = startProgress(io, seeds.length, "phantom");
    const written: Written[] = [];
    try {
      for (const seed of seeds) {
        await breathe();
        if (io.signal.aborted) throw new AbortedError();
        const axial = thoraxGeometry(seed, { size: size!, ...(slices === undefined ? {} : { slices }) });
        const geometry = lean === 0 ? axial : leaning(axial, 0, Math.tan((lean * Math.PI) / 180));
        const folder = seeds.length > 1 ? join(out, String(seed)) : out;
        const chosen = (label as PhantomClass | undefined) ?? classOf(seed);
        const { thorax, files } = await writePhantom(seed, folder, { geometry, label: chosen });
        written.push({ seed, folder: resolve(folder), label: chosen, slices: files.length, lesions: thorax.lesions });
        progress.step();
      }
    } finally {
      progress.stop();
    }
    return { document: { phantoms: written }, text: () => textOf(written) };
  },
});

function seedsIn(text: string): number[] {
  const [, first, last] = /^(\d+)(?:-(\d+))?$/.exec(text) ?? [];
  if (first === undefined) throw new UsageError(`a seed is a whole number, or FIRST-LAST; found "${text}"`);
  const [from, to] = [Number(first), Number(last ?? first)];
  if (to < from || to - from >= 100_000) throw new InputError(`"${text}" is no range of at most 100,000 seeds`);
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

type Written = {
  seed: number;
  folder: string;
  label: string;
  slices: number;
  lesions: readonly { diameterMm: number }[];
};

function textOf(written: readonly Written[]): string {
  return table(
    [
      { title: "seed" },
      { title: "class" },
      { title: "slices", align: "right" },
      { title: "lesions" },
      { title: "folder" },
    ],
    written.map(({ seed, label, slices, lesions, folder }) => [
      seed,
      label,
      slices,
      lesions.map(({ diameterMm }) => `${diameterMm.toFixed(0)} mm`).join(", ") || "none",
      folder,
    ]),
  );
}
