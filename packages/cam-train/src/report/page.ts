import { escapeHtml, factsHtml, htmlPage, sectionHtml, type Tile } from "@camkit/cam-core/page";
import type { ClassRow, Measurement } from "../metrics/measure.ts";
import type { Selection } from "../metrics/selective.ts";
import { drawConfusion, mostDrawnClasses } from "./confusion.ts";
import { type CurveOptions, drawCurve } from "./curve.ts";
import type { LogEntry } from "./log.ts";
import type { Drawing } from "./plot/svg.ts";
import { drawReliability, drawRiskCoverage } from "./reliability.ts";
import { css } from "./style.ts";

/** What a finished run, or a test, has to say. Plain data. */
export type Report = {
  readonly title: string;
  /** One sentence: what was trained or tested, on what. */
  readonly lead: string;
  /** "camkit 0.1.0". */
  readonly generator: string;
  readonly time: string;
  /** What must be said before the numbers are read: duplicates between training and test, a class without samples. */
  readonly notes?: readonly string[];
  /** The numbers that say it in a glance. */
  readonly tiles: readonly Tile[];
  readonly training?: Omit<CurveOptions, "title"> & { readonly log: readonly LogEntry[] };
  readonly tests: readonly TestReport[];
  /** The configuration, as text. */
  readonly recipe?: string;
  readonly environment: readonly (readonly [name: string, value: string])[];
};

export type TestReport = {
  readonly title: string;
  readonly lead?: string;
  readonly measurement: Measurement;
  /** How the band that was chosen on held-out data does here. */
  readonly band?: Selection;
};

/** One HTML page that opens from disk and fetches nothing; the same report gives the same bytes. */
export function reportPage(report: Report): string {
  const { title, lead, generator, time, notes = [], tiles, training, tests, recipe, environment } = report;
  const sections = [
    ...(training ? [sectionHtml("Training", "", plots([drawCurve(training.log, { ...training, title })]))] : []),
    ...tests.map(testHtml),
    ...(recipe === undefined ? [] : [sectionHtml("Recipe", "", `<pre>${escapeHtml(recipe)}</pre>`)]),
    sectionHtml("Environment", "", factsHtml(environment)),
  ];
  const footer = `<p>Made by ${escapeHtml(generator)} on ${escapeHtml(time)}.</p>`;
  return htmlPage({ title, lead, generator, notes, tiles, css, main: sections.join("\n"), footer });
}

function testHtml({ title, lead = "", measurement, band }: TestReport): string {
  const { perClass, confusion, reliability, riskCoverage } = measurement;
  const calibration = [
    ...(reliability ? [drawReliability(reliability)] : []),
    ...(riskCoverage ? [drawRiskCoverage(riskCoverage, band)] : []),
  ];
  const matrix = !confusion
    ? ""
    : confusion.classes.length <= mostDrawnClasses
      ? figure(drawConfusion(confusion))
      : `<p class="lead">The confusion matrix of ${confusion.classes.length} classes is too large to be read as a picture.</p>`;
  return sectionHtml(
    title,
    lead,
    `<div class="plots">${metricTable(measurement)}${matrix}</div>` +
      (perClass ? `<h3>Each class against all others</h3>${classTable(perClass)}` : "") +
      (calibration.length > 0 ? `<h3>How far its sureness can be trusted</h3>${plots(calibration)}` : ""),
  );
}

function metricTable({ metrics, count, positive, perClass }: Measurement): string {
  const hasIntervals = metrics.some(({ interval }) => interval);
  const rows = metrics.map(({ title, better, value, interval }) => {
    const range = interval ? `${digits(interval.low)} to ${digits(interval.high)}` : "";
    return `<tr><th>${escapeHtml(title)}</th><td>${digits(value)}</td>${hasIntervals ? `<td class="soft">${range}</td>` : ""}<td class="soft">${better}</td></tr>`;
  });
  const averaging = positive
    ? `Positive is ${escapeHtml(positive)}.`
    : "What is said of one class, from AUC to F1, is the mean over classes.";
  const head = `<tr><th>${count.toLocaleString("en-US")} samples</th><th></th>${hasIntervals ? "<th>95 % interval</th>" : ""}<th>better</th></tr>`;
  return `<div class="sheet metrics"><table><thead>${head}</thead><tbody>${rows.join("")}</tbody></table>${perClass ? `<p class="soft">${averaging}</p>` : ""}</div>`;
}

/** The columns of the table of classes, after the name. */
const columns = [
  ["precision", "precision"],
  ["specificity", "specificity"],
  ["F1", "f1"],
  ["AUC", "auc"],
  ["average precision", "averagePrecision"],
] as const satisfies readonly (readonly [string, keyof ClassRow])[];

function classTable(rows: readonly ClassRow[]): string {
  const head = ["samples", "sensitivity", "", ...columns.map(([title]) => title)];
  const body = rows.map((row) => {
    const meter = `<td class="meter"><div><i style="width:${((row.sensitivity || 0) * 100).toFixed(1)}%"></i></div></td>`;
    const numbers = columns.map(([, key]) => `<td>${digits(row[key])}</td>`).join("");
    return `<tr><th>${escapeHtml(row.name)}</th><td>${row.support.toLocaleString("en-US")}</td><td>${digits(row.sensitivity)}</td>${meter}${numbers}</tr>`;
  });
  return `<div class="sheet"><table><thead><tr><th>class</th>${head.map((title) => `<th>${title}</th>`).join("")}</tr></thead><tbody>${body.join("")}</tbody></table></div>`;
}

const plots = (drawings: readonly Drawing[]) => `<div class="plots">${drawings.map(figure).join("")}</div>`;

function figure({ svg }: Drawing): string {
  return `<figure class="plot">${svg}</figure>`;
}

/** What the samples don't determine is a dash. */
const digits = (value: number) => (Number.isNaN(value) ? "–" : value.toFixed(4));
