import { join } from "node:path";
import { AbortedError, CamError, FileError, writeAtomic } from "@camkit/cam-core";
import { RunError } from "../errors.ts";
import type { RunDocument } from "./document.ts";
import { type RunOptions, type RunResult, resultIn, runConfig, stateOf } from "./run.ts";
import { type Row, rowOf, type Summary, summaryOf, tableCsv, tableMarkdown } from "./table.ts";
import type { Unit } from "./units.ts";

export type UnitsOptions = RunOptions & { readonly onUnit?: (unit: Unit, index: number, count: number) => void };

/** How several trainings ended. */
export type UnitsResult = {
  readonly state: "finished" | "interrupted";
  readonly out: string;
  readonly done: number;
  readonly document: UnitsDocument;
};

export type UnitsDocument = {
  readonly generator: string;
  readonly command: "train";
  readonly time: string;
  readonly rows: readonly Row[];
  /** Means over the folds of each variant. */
  readonly summary: readonly Summary[];
  readonly files: readonly string[];
};

const files = ["results.csv", "results.md", "result.json"] as const;

/**
 * Runs one training after the other, each in its own folder, and keeps a table of their results that grows with each. One that
 * fails (it diverged, its layers don't fit) has its reason in the table and doesn't stop the others. With `resume`, those that
 * are finished are left alone and the one that was stopped goes on.
 *
 * Throws RunError where one of the folders holds a run already, without `resume`, and where the outermost holds a run of one.
 */
export async function runUnits(units: readonly Unit[], options: UnitsOptions): Promise<UnitsResult> {
  const { out, resume = false, signal, generator, time } = options;
  for (const folder of [out, ...units.map(({ name }) => join(out, name))]) {
    const state = stateOf(folder);
    if (state !== "new" && !resume) throw new RunError(folder, state);
  }
  const outermost = stateOf(out);
  if (outermost === "begun" || (outermost === "finished" && !("rows" in (await resultIn(out)))))
    throw new RunError(out, "other");
  const rows: Row[] = [];
  const write = async (): Promise<UnitsDocument> => {
    const document: UnitsDocument = { generator, command: "train", time, rows, summary: summaryOf(rows), files };
    await writeAtomic(join(out, files[0]), tableCsv(rows));
    await writeAtomic(join(out, files[1]), tableMarkdown(rows, document.summary));
    await writeAtomic(join(out, files[2]), `${JSON.stringify(document, null, 2)}\n`);
    return document;
  };
  for (const [i, unit] of units.entries()) {
    if (signal?.aborted) return { state: "interrupted", out, done: i, document: await write() };
    options.onUnit?.(unit, i, units.length);
    const found = await attempt(unit, { ...options, out: join(out, unit.name) });
    if (found === "interrupted") return { state: "interrupted", out, done: i, document: await write() };
    rows.push(rowOf(unit, found));
    await write();
  }
  return { state: "finished", out, done: units.length, document: await write() };
}

async function attempt(unit: Unit, options: RunOptions): Promise<RunDocument | CamError | "interrupted"> {
  let result: RunResult;
  try {
    result = await runConfig(unit.config, { ...options, ...(unit.fold === undefined ? {} : { fold: unit.fold }) });
  } catch (error) {
    if (error instanceof AbortedError) return "interrupted";
    // A full disk or another run's folder would fail for each.
    if (!(error instanceof CamError) || error instanceof FileError || error instanceof RunError) throw error;
    return error;
  }
  return result.state === "interrupted" ? "interrupted" : result.document;
}
