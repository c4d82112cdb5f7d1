import { join } from "node:path";
import { writeAtomic } from "@camkit/cam-core";
import { predictionsCsv, reportPage, type Tested } from "@camkit/cam-train";
import { toJson } from "../output.ts";

/** Files of a test, in the order of its result. */
export const testFiles = ["result.json", "report.html", "predictions.csv"] as const;

/** Writes what a test found into a folder: the numbers, a page with the pictures of them, and every answer. */
export async function writeTest(
  out: string,
  { measured, judged }: Tested,
  about: { title: string; generator: string; time: string; document: object; environment: readonly [string, string][] },
): Promise<void> {
  const { title, generator, time, document, environment } = about;
  const page = reportPage({
    ...{ title, generator, time, environment },
    lead: `Measured on ${judged.map(({ part }) => `${part.name} (${part.dataset.count.toLocaleString("en-US")})`).join(", ")}.`,
    tiles: measured.map(({ name, measurement: { metrics, count } }) => ({
      value: metrics[0]!.value.toFixed(4),
      label: `${metrics[0]!.title}, ${name}`,
      note: `${count.toLocaleString("en-US")} samples`,
    })),
    tests: measured.map(({ name, measurement, band }) => ({ title: name, measurement, ...(band ? { band } : {}) })),
  });
  await writeAtomic(join(out, testFiles[1]), page);
  await writeAtomic(join(out, testFiles[2]), predictionsCsv(judged));
  await writeAtomic(join(out, testFiles[0]), `${toJson(document)}\n`);
}
