import { ConfigError } from "../errors.ts";
import { keyed } from "../random.ts";
import type { Dataset } from "./dataset.ts";

export type SplitOptions = {
  /** Samples of one group (a patient) stay together. */
  readonly byGroup?: boolean;
  /** Every class has the same share in each part, as far as groups allow. */
  readonly stratified?: boolean;
};

/** Sample numbers in ascending order. */
export type Split = { readonly train: readonly number[]; readonly held: readonly number[] };

/**
 * Holds out a fraction of the samples: of n samples (of each class, when stratified) round(n · fraction), groups permitting.
 * The same seed gives the same parts. Throws ConfigError for a fraction outside 0..1, groups or classes that aren't known,
 * and a part that would be empty.
 */
export function holdOut(dataset: Dataset, fraction: number, seed: number, options: SplitOptions = {}): Split {
  if (!(fraction > 0 && fraction < 1))
    throw new ConfigError(`can't hold out ${fraction} of the samples: expected 0 to 1`);
  const [held, train] = parts(dataset, [fraction, 1 - fraction], seed, options) as [number[], number[]];
  return { train, held };
}

/** k splits; every sample is held out in exactly one of them. Throws ConfigError as `holdOut` does. */
export function kFold(dataset: Dataset, k: number, seed: number, options: SplitOptions = {}): readonly Split[] {
  if (!Number.isSafeInteger(k) || k < 2) throw new ConfigError(`${k} folds: expected a whole number from 2`);
  const folds = parts(dataset, new Array<number>(k).fill(1 / k), seed, options);
  return folds.map((held) => {
    const out = new Set(held);
    return { train: Array.from({ length: dataset.count }, (_, i) => i).filter((i) => !out.has(i)), held };
  });
}

/** Samples that stay together, and how many of them each class has. */
type Unit = { readonly indices: readonly number[]; readonly counts: ReadonlyMap<number, number> };

/**
 * Deals units to parts that are to have these shares of every class: each unit in turn goes where most is missing of its
 * classes. Large units and rare classes come first, while there is room to balance them.
 */
function parts(dataset: Dataset, shares: readonly number[], seed: number, options: SplitOptions): number[][] {
  const classesAt = options.stratified ? classReader(dataset) : () => [0];
  const units = unitsOf(dataset, classesAt, options.byGroup ?? false);
  const totals = new Map<number, number>();
  for (const { counts } of units) for (const [label, n] of counts) totals.set(label, (totals.get(label) ?? 0) + n);
  const weight = ({ counts }: Unit) => sum([...counts].map(([label, n]) => n / totals.get(label)!));
  const order = keyed(seed, "split").shuffle(units.map((unit) => ({ unit, weight: weight(unit) })));
  order.sort((a, b) => b.weight - a.weight); // stable: equals stay shuffled

  const found = shares.map((share) => ({ share, indices: [] as number[], have: new Map<number, number>() }));
  for (const { unit } of order) {
    const missing = found.map(({ share, have, indices }) => ({
      ofClasses: sum([...unit.counts].map(([label, n]) => n * (share - (have.get(label) ?? 0) / totals.get(label)!))),
      ofAll: share - indices.length / dataset.count,
    }));
    // Where several parts lack as much of the classes (leftovers of many small ones), the emptiest takes it.
    let best = 0;
    for (let p = 1; p < found.length; p++) {
      const more = missing[p]!.ofClasses - missing[best]!.ofClasses;
      if (more > 1e-12 || (more > -1e-12 && missing[p]!.ofAll > missing[best]!.ofAll)) best = p;
    }
    const part = found[best]!;
    for (const index of unit.indices) part.indices.push(index);
    for (const [label, n] of unit.counts) part.have.set(label, (part.have.get(label) ?? 0) + n);
  }
  if (found.some(({ indices }) => indices.length === 0))
    throw new ConfigError(
      `${units.length} ${options.byGroup ? "groups" : "samples"} don't fill ${shares.length} parts`,
    );
  return found.map(({ indices }) => indices.sort((a, b) => a - b));
}

function classReader({ labelKind, labelOf }: Dataset): (index: number) => number[] {
  if (labelKind === "values") throw new ConfigError("a split by class needs classes; the labels are values");
  return (index) => {
    const label = labelOf(index);
    if (typeof label === "number") return [label];
    // A sample without any label is a class of its own.
    const present = label.flatMap((value, k) => (value > 0 ? [k] : []));
    return present.length > 0 ? present : [-1];
  };
}

function unitsOf(dataset: Dataset, classesAt: (index: number) => number[], byGroup: boolean): Unit[] {
  const byName = new Map<string, number[]>();
  for (let index = 0; index < dataset.count; index++) {
    const group = byGroup ? dataset.groupOf(index) : `${index}`;
    if (group === undefined)
      throw new ConfigError(`a split by group needs groups; ${dataset.idOf(index)} has none`, {
        hint: "Lists have a column for them, arrays a file of groups, generators groupOf(index).",
      });
    const members = byName.get(group);
    if (members) members.push(index);
    else byName.set(group, [index]);
  }
  return [...byName.values()].map((indices) => {
    const counts = new Map<number, number>();
    for (const label of indices.flatMap(classesAt)) counts.set(label, (counts.get(label) ?? 0) + 1);
    return { indices, counts };
  });
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
