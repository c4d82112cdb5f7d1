import type { Ending } from "./run.ts";

/** What became of the files that were damaged in one way: how many there are, still good, and refused with which code. */
export type Tally = {
  readonly way: string;
  readonly files: number;
  readonly good: number;
  /** By code, the most frequent first. */
  readonly refused: readonly (readonly [code: string, count: number])[];
};

/**
 * Endings by way of damage, in the order of `ways`, one with 0 files for a way that none was damaged in. A file that was damaged in
 * several ways counts in each.
 */
export function tallyByWay(endings: readonly Ending[], ways: readonly string[]): Tally[] {
  return ways.map((way) =>
    tally(
      way,
      endings.filter((ending) => ending.ways.includes(way)),
    ),
  );
}

export function tally(way: string, endings: readonly Ending[]): Tally {
  const counts = new Map<string, number>();
  for (const { code } of endings) counts.set(code, (counts.get(code) ?? 0) + 1);
  const good = counts.get("ok") ?? 0;
  counts.delete("ok");
  return { way, files: endings.length, good, refused: [...counts].sort((a, b) => b[1] - a[1]) };
}
