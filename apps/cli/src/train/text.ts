import { join } from "node:path";
import { type CheckDocument, duration, type RunDocument, type UnitsDocument } from "@camkit/cam-train";
import { bytes, quantity, shape, significant } from "../format.ts";
import { facts, table } from "../table.ts";

type Measured = RunDocument["measured"][number];

/** What a finished run says to a person. */
export function runText(document: RunDocument, out: string): string {
  const { name, steps, seconds, best, warnings } = document;
  const chosen = best ? `, best after epoch ${best.epoch}` : "";
  return [
    `${name}: ${steps.toLocaleString("en-US")} steps in ${duration(seconds)}${chosen}`,
    ...document.measured.map(measuredText),
    ...warnings.map((warning) => `  warning: ${warning}`),
    `  ${join(out, "model.onnx")}\n  ${join(out, "report.html")}\n\n  camkit explain ${join(out, "model.onnx")} INPUT`,
  ].join("\n\n");
}

/** Metrics of one set of samples, with their intervals. */
export function measuredText({ name, count, metrics, band, baseline }: Measured): string {
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

/** What a test found. A class table and a confusion matrix are shown where they fit. */
export function testText(measured: readonly Measured[], out: string | undefined, files: readonly string[]): string {
  const parts = measured.flatMap((each) => [measuredText(each), classText(each), confusionText(each)]);
  const written = out === undefined ? "" : files.map((file) => `  ${join(out, file)}`).join("\n");
  return [...parts, written].filter((part) => part !== "").join("\n\n");
}

const mostClasses = 20;

function classText({ perClass }: Measured): string {
  if (!perClass || perClass.length > mostClasses) return "";
  const titles = ["samples", "sensitivity", "specificity", "precision", "F1", "AUC"];
  const columns = [{ title: "class" }, ...titles.map((title) => ({ title, align: "right" as const }))];
  return table(
    columns,
    perClass.map(({ name, support, sensitivity, specificity, precision, f1, auc }) => [
      name,
      support,
      ...[sensitivity, specificity, precision, f1, auc].map(digits),
    ]),
  );
}

function confusionText({ confusion }: Measured): string {
  if (!confusion || confusion.classes.length > mostClasses) return "";
  const columns = [{ title: "is \\ named" }, ...confusion.classes.map((title) => ({ title, align: "right" as const }))];
  return table(
    columns,
    confusion.counts.map((row, i) => [confusion.classes[i]!, ...row]),
  );
}

function digits(value: number | null | undefined): string {
  return value === null || value === undefined || Number.isNaN(value) ? "–" : value.toFixed(4);
}

/** What a run would be. */
export function checkText(document: CheckDocument, out: string): string {
  const { parameters, samples, batch, milliseconds, steps, seconds, memoryBytes, loss, warnings, files } = document;
  return [
    facts([
      ["run", document.name],
      ["classes", document.classes?.join(", ")],
      ["parameters", `${quantity(parameters.all)}, of which ${quantity(parameters.trained)} train`],
      [
        "samples",
        Object.entries(samples)
          .map(([name, count]) => `${name} ${count.toLocaleString("en-US")}`)
          .join(", "),
      ],
      [
        "batch",
        Object.entries(batch)
          .map(([name, each]) => `${name} ${each.dtype} ${shape(each.shape)}`)
          .join(", "),
      ],
      ["first loss", significant(loss, 4)],
      ["a step", `${significant(milliseconds)} ms, ${bytes(memoryBytes)} of memory`],
      ["the run", `${steps.toLocaleString("en-US")} steps, about ${duration(seconds)} without validation`],
      ...files.map((file) => ["pictures", join(out, file)] as const),
    ]),
    ...warnings.map((warning) => `warning: ${warning}`),
    "Nothing was trained.",
  ].join("\n\n");
}

/** What a sweep or folds say: a line each, and where the whole table is. */
export function unitsText({ rows, summary, files }: UnitsDocument, out: string): string {
  const keys = [...new Set(rows.flatMap(({ values }) => Object.keys(values)))];
  const shown = keys.filter((key) => /\/(accuracy|exact-match|mae|log-loss)$/.test(key));
  const columns = [
    { title: "run" },
    ...["parameters", ...shown.map((key) => key.replace("/", " "))].map((title) => ({
      title,
      align: "right" as const,
    })),
    { title: "" },
  ];
  const lines = rows.map((row) => [
    row.name,
    row.parameters === undefined ? "" : quantity(row.parameters),
    ...shown.map((key) => digits(row.values[key])),
    row.error && `failed: ${row.error}`,
  ]);
  const means = summary.map(({ variant, folds, values }) => [
    `${variant || "mean"} of ${folds}`,
    "",
    ...shown.map((key) => `${digits(values[key]?.mean)} ± ${digits(values[key]?.deviation)}`),
  ]);
  return [table(columns, [...lines, ...means]), files.map((file) => `  ${join(out, file)}`).join("\n")].join("\n\n");
}
