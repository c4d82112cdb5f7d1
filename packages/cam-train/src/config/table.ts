import { CamError } from "@camkit/cam-core";
import type { RunDocument } from "./document.ts";
import type { Unit } from "./units.ts";

/** One training in the table of results. */
export type Row = {
  readonly name: string;
  readonly variant: string;
  readonly settings: Readonly<Record<string, unknown>>;
  /** Why it has no results. */
  readonly error?: string;
  readonly parameters?: number;
  readonly steps?: number;
  readonly bestEpoch?: number;
  readonly seconds?: number;
  /** `test/accuracy` and so on; null where the samples don't determine it. */
  readonly values: Readonly<Record<string, number | null>>;
};

/** Folds of a variant together: mean and standard deviation (over n - 1). */
export type Summary = {
  readonly variant: string;
  readonly folds: number;
  readonly values: Readonly<Record<string, { readonly mean: number; readonly deviation: number }>>;
};

export function rowOf({ name, variant, settings }: Unit, found: RunDocument | CamError): Row {
  if (found instanceof CamError) return { name, variant, settings, error: found.message.split("\n")[0]!, values: {} };
  const finite = (value: number | null) => (value !== null && Number.isFinite(value) ? value : null);
  return {
    ...{ name, variant, settings },
    parameters: found.model.parameters.all,
    steps: found.steps,
    ...(found.best ? { bestEpoch: found.best.epoch } : {}),
    seconds: found.seconds,
    values: Object.fromEntries(
      found.measured.flatMap((part) =>
        part.metrics.map((metric) => [`${part.name}/${metric.name}`, finite(metric.value)]),
      ),
    ),
  };
}

/** One for each variant that has several rows. */
export function summaryOf(rows: readonly Row[]): Summary[] {
  const variants = [...new Set(rows.map(({ variant }) => variant))];
  return variants.flatMap((variant): Summary[] => {
    const members = rows.filter((row) => row.variant === variant && row.error === undefined);
    if (members.length < 2) return [];
    const keys = Object.keys(members[0]!.values);
    const values = keys.map((key) => {
      const found = members.flatMap(({ values }) => values[key] ?? []);
      const mean = found.reduce((sum, value) => sum + value, 0) / found.length;
      const squares = found.reduce((sum, value) => sum + (value - mean) ** 2, 0);
      return [key, { mean, deviation: Math.sqrt(squares / (found.length - 1)) }] as const;
    });
    return [{ variant, folds: members.length, values: Object.fromEntries(values) }];
  });
}

const facts = ["parameters", "steps", "bestEpoch", "seconds", "error"] as const;

export function tableCsv(rows: readonly Row[]): string {
  const keys = union(rows.map(({ settings }) => Object.keys(settings)));
  const metrics = union(rows.map(({ values }) => Object.keys(values)));
  const lines = rows.map((row) => [
    row.name,
    ...keys.map((key) => wordOf(row.settings[key])),
    ...facts.map((fact) => wordOf(row[fact])),
    ...metrics.map((metric) => wordOf(row.values[metric])),
  ]);
  return [["name", ...keys, ...facts, ...metrics], ...lines].map((line) => `${line.map(cell).join(",")}\n`).join("");
}

/** The first metric of every part, and its log loss. */
export function tableMarkdown(rows: readonly Row[], summary: readonly Summary[]): string {
  const metrics = union(rows.map(({ values }) => Object.keys(values)));
  const parts = [...new Set(metrics.map((metric) => metric.slice(0, metric.lastIndexOf("/"))))];
  const shown = parts.flatMap((part) => {
    const own = metrics.filter((metric) => metric.startsWith(`${part}/`));
    return [...new Set([own[0]!, ...own.filter((metric) => metric.endsWith("/log-loss"))])];
  });
  const digits = (value: number | null | undefined) => value?.toFixed(4) ?? "–";
  const line = (cells: readonly string[]) => `| ${cells.map((text) => text.replaceAll("|", "\\|")).join(" | ")} |`;
  const body = rows.map((row) =>
    line([
      row.name || "run",
      row.error ?? `${row.parameters!.toLocaleString("en-US")}`,
      ...shown.map((metric) => digits(row.values[metric])),
    ]),
  );
  const means = summary.map(({ variant, folds, values }) =>
    line([
      `${variant || "all"}, mean ± deviation of ${folds}`,
      "",
      ...shown.map((metric) => `${digits(values[metric]?.mean)} ± ${digits(values[metric]?.deviation)}`),
    ]),
  );
  const head = ["", "parameters", ...shown.map((metric) => metric.replace("/", ": "))];
  return `${[line(head), line(head.map((_, i) => (i === 0 ? "---" : "---:"))), ...body, ...means].join("\n")}\n`;
}

function union(lists: readonly (readonly string[])[]): string[] {
  return [...new Set(lists.flat())];
}

function wordOf(value: unknown): string {
  return value === undefined || value === null ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
}

function cell(text: string): string {
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
