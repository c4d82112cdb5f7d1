import { join } from "node:path";
import { duration, type RunDocument } from "@camkit/cam-train";
import { table } from "../table.ts";

type Measured = RunDocument["measured"][number];

/** What a finished run says to a person. */
export function runText(document: RunDocument, out: string): string {
  const { name, steps, seconds, best, warnings } = document;
  const chosen = best ? `, best after epoch ${best.epoch}` : "";
  return [
    `${name}: ${steps.toLocaleString("en-US")} steps in ${duration(seconds)}${chosen}`,
    ...document.measured.map(measuredText),
    ...warnings.map((warning) => `  warning: ${warning}`),
    `  ${join(out, "model.onnx")}\n  ${join(out, "report.html")}\n\n  camkit explain ${join(out, "model.onnx")} PICTURE`,
  ].join("\n\n");
}

/** Metrics of one set of samples, with their intervals. */
export function measuredText({ name, count, metrics, band, baseline }: Measured): string {
  const digits = (value: number | null) => (value === null || Number.isNaN(value) ? "–" : value.toFixed(4));
  const rows = metrics.map(({ title, name: metric, value, interval }) => [
    title,
    digits(value),
    interval ? `${digits(interval.low)} to ${digits(interval.high)}` : "",
    metric === "accuracy" && baseline !== undefined ? `always the commonest class: ${digits(baseline)}` : "",
  ]);
  const columns = [
    { title: `${name}: ${count.toLocaleString("en-US")} samples` },
    { title: "", align: "right" as const },
    { title: "95 %" },
    { title: "" },
  ];
  const sure = band
    ? `\n  where it is at least ${(band.threshold * 100).toFixed(1)} % sure it answers ${(band.coverage * 100).toFixed(1)} %, ${(band.accuracy * 100).toFixed(1)} % of that rightly`
    : "";
  return `${table(columns, rows)}${sure}`;
}
