import type { MeasuredResult } from "@camkit/cam-core";
import { bootstrapMeans } from "./bootstrap.ts";
import { type Aim, meanAims, type PhantomCase } from "./measure.ts";

const resamples = 2000;

/** Maps of phantoms with lesions, by how much of the scan those fill: a third of the cases each, from the smallest on. */
export function aimsBySize(
  cases: readonly PhantomCase[],
  way: string,
): {
  readonly lesionCells: readonly [least: number, most: number];
  readonly pointing: number;
  readonly chance: number;
}[] {
  const aimed = cases.filter(({ aims }) => aims !== undefined).sort((a, b) => a.lesionCells - b.lesionCells);
  return [0, 1, 2].map((third) => {
    const part = aimed.slice(Math.round((third * aimed.length) / 3), Math.round(((third + 1) * aimed.length) / 3));
    const { pointing, chance } = meanAims(part, way);
    return { lesionCells: [part[0]!.lesionCells, part.at(-1)!.lesionCells], pointing, chance };
  });
}

/**
 * What the manifest says of answers and maps on phantoms that were never trained on, each number with a 95 % interval (percentile
 * bootstrap over phantoms) and beside what chance earns.
 *
 * @param way the one that is shipped; `paper`: CovidNet3D's own, the CAM at the last layer
 */
export function phantomResults(
  cases: readonly PhantomCase[],
  { way, paper, data, command }: { way: string; paper: string; data: string; command: string },
): Record<string, MeasuredResult> {
  const right = cases.map(({ label, logits }) => Number(logits.indexOf(Math.max(...logits)) === label));
  const commonest =
    Math.max(...[0, 1, 2].map((label) => cases.filter((one) => one.label === label).length)) / cases.length;
  const accuracy = measured(right, {
    baseline: commonest,
    data,
    command,
    note: "the likeliest class is the phantom's",
  });
  const aims = (name: string, key: keyof Aim, note: string): MeasuredResult => {
    const aimed = cases.filter((one) => one.aims !== undefined);
    const values = aimed.map((one) => {
      const value = one.aims![name]![key];
      return Number.isNaN(value) ? 0 : value;
    });
    return measured(values, {
      baseline: meanAims(cases, name).chance,
      data: `${aimed.length} phantoms with lesions of ${data}`,
      command,
      note,
    });
  };
  const pointed =
    "the map's maximum lies in a lesion (tied cells count by share; the explained class is the answer, right or wrong); baseline: the lesions' share of the cells";
  return {
    accuracy,
    "pointing-game": aims(way, "pointing", `${way}: ${pointed}`),
    "average-precision": aims(
      way,
      "averagePrecision",
      `${way}: area under precision over recall of the lesions' cells`,
    ),
    "energy-in-lesions": aims(way, "energy", `${way}: share of the map's sum inside the lesions`),
    "paper-cam-pointing-game": aims(paper, "pointing", `${paper}, as the paper has it: ${pointed}`),
    "paper-cam-average-precision": aims(paper, "averagePrecision", `${paper}, as the paper has it`),
  };
}

function measured(values: readonly number[], told: Omit<MeasuredResult, "value" | "interval">): MeasuredResult {
  const { mean, low, high } = bootstrapMeans(values, resamples);
  const round = (value: number) => Math.round(value * 1e4) / 1e4;
  return { value: round(mean), interval: [round(low), round(high)], ...told, baseline: round(told.baseline!) };
}
