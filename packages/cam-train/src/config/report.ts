import { join } from "node:path";
import { writeAtomic } from "@camkit/cam-core";
import { runFiles } from "../loop/train.ts";
import { metricNamed } from "../metrics/index.ts";
import type { Metric } from "../metrics/metric.ts";
import { drawCurve } from "../report/curve.ts";
import { duration } from "../report/eta.ts";
import { type LogEntry, readLog } from "../report/log.ts";
import { type Report, reportPage } from "../report/page.ts";
import { png } from "../report/plot/svg.ts";
import { sizeOfPart } from "./data.ts";
import { environmentOf, type Finished, written } from "./document.ts";
import type { PreparedRun } from "./recipe.ts";
import type { Measured } from "./results.ts";

/** Writes curve.svg, curve.png and report.html. */
export async function writeReport(run: PreparedRun, finished: Finished, recipe: string): Promise<void> {
  const { out, measured, trained, warnings, generator, time } = finished;
  const log = await readLog(join(out, runFiles.log));
  const metric = curveMetric(run.config.monitor, log);
  const chosenBy = run.config.monitor === "loss" ? ("loss" as const) : ("metric" as const);
  const shown = metric ? { metric, chosenBy } : {};
  const curve = drawCurve(log, { title: run.config.name!, ...shown });
  await writeAtomic(join(out, written.curve.svg), curve.svg);
  await writeAtomic(join(out, written.curve.png), await png(curve, { software: generator, time }));
  const { train } = run.recipe;
  const report: Report = {
    title: run.config.name!,
    lead: `${train.dataset.classes?.join(", ") ?? "Values"}: learned from ${sizeOfPart(train).toLocaleString("en-US")} samples in ${trained.steps.toLocaleString("en-US")} steps.`,
    ...{ generator, time, recipe, notes: warnings },
    tiles: [...measured.map(tileOf), { value: duration(trained.seconds), label: "training" }],
    training: { log, ...shown },
    tests: measured.map(({ name, measurement, band }) => ({
      title: name === "validation" ? "Validation" : `Test: ${name}`,
      ...(name === "validation" ? { lead: "Watched during training: these numbers are a little too good." } : {}),
      measurement,
      ...(band ? { band } : {}),
    })),
    environment: Object.entries(environmentOf(run.config)).map(([name, value]) => [name, String(value)] as const),
  };
  await writeAtomic(join(out, written.report), reportPage(report));
}

/** What is watched; where that is the loss, the first metric that validation has. */
function curveMetric(monitor: string, log: readonly LogEntry[]): Metric | undefined {
  const last = log.findLast((entry) => entry.kind === "epoch");
  const measured = last?.kind === "epoch" ? Object.keys(last.validation?.metrics ?? {}) : [];
  if (measured.length === 0) return undefined;
  return metricNamed(monitor !== "loss" && measured.includes(monitor) ? monitor : measured[0]!);
}

function tileOf({ name, measurement: { metrics, count } }: Measured): Report["tiles"][number] {
  const { title, value, interval } = metrics[0]!;
  const range = interval ? `${interval.low.toFixed(3)} to ${interval.high.toFixed(3)}, ` : "";
  return {
    value: value.toFixed(4),
    label: `${title}, ${name}`,
    note: `${range}${count.toLocaleString("en-US")} samples`,
  };
}
