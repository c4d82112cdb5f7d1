import { readFile } from "node:fs/promises";
import { fileError, InputError } from "@camkit/cam-core";
import { describeSeries, readSelectionRules, type Selected, type Series, selectSeries } from "@camkit/medical";
import { UsageError } from "../errors.ts";

/**
 * The series that the command line asks for: by its UID, by a file of rules, or the one that is taken by default.
 * Throws UsageError, InputError where there is none at all, NoSeriesError, SelectionRulesError, FileError.
 */
export async function chooseSeries(
  all: readonly Series[],
  { series: uid, select }: { readonly series: string | undefined; readonly select: string | undefined },
): Promise<Selected> {
  if (uid !== undefined && select !== undefined) throw new UsageError("--series and --select both choose a series");
  if (all.length === 0)
    throw new InputError("there is no DICOM series in the inputs", {
      hint: "Images of CT, CR, DX or MG are read; `camkit ct series` lists what is there and what is set aside.",
    });
  if (uid === undefined) return selectSeries(all, select === undefined ? undefined : await rulesIn(select));
  const named = all.filter(({ identity }) => identity.SeriesInstanceUID === uid);
  if (named.length === 0)
    throw new UsageError(`there is no series ${uid}`, {
      hint: `Found: ${all.map((one) => `${one.identity.SeriesInstanceUID} ${describeSeries(one)}`).join("; ") || "none"}.`,
    });
  if (named.length === 1)
    return {
      series: named[0]!,
      reason: "named",
      others: all.filter((one) => one !== named[0]).map((one) => ({ series: one, reason: "another was named" })),
    };
  return selectSeries(named);
}

async function rulesIn(path: string) {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    throw fileError(path, cause);
  }
  try {
    return readSelectionRules(JSON.parse(text));
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new UsageError(`${path} is not JSON: ${cause.message}`);
  }
}
