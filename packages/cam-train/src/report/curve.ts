import { MetricError } from "../errors.ts";
import type { Metric } from "../metrics/metric.ts";
import type { EpochEntry, LogEntry } from "./log.ts";
import { type Axis, axis, type Box, type LegendEntry, type Place, panel } from "./plot/panel.ts";
import { smooth, thin } from "./plot/series.ts";
import { type Drawing, dot, drawing, heading, ink, type Point, polyline, segment } from "./plot/svg.ts";
import { niceRange, tickLabel, ticks } from "./plot/ticks.ts";

export type CurveOptions = {
  readonly title: string;
  /** As it is named in the log. It has a panel, and the best epoch is chosen by it; without one, by the validation loss. */
  readonly metric?: Pick<Metric, "name" | "title" | "better">;
  /** Default "metric" where there is one. What the run chose its weights by, so that the best epoch is the one that was kept. */
  readonly chosenBy?: "metric" | "loss";
};

const width = 1200;
const frame = { x: 84, width: width - 84 - 36 };
const firstTop = 118;
const heights = { loss: 320, metric: 210, rate: 78 };
/** Room for a panel's title. */
const between = 66;

/** As many places as there are pixels are more than an eye needs. */
const places = 500;

/** Above this many epochs their dots would run together. */
const maxDots = 40;

/** What the panels share: steps on the x axis, and where the best epoch is. */
type Run = { readonly x: Axis; readonly best?: Best };
type Best = { readonly step: number; readonly value: number; readonly label: string };

/**
 * A run at a glance: training loss (each line of the log faintly, and smoothed), validation loss, the metric, the learning rate, and
 * the best epoch through all of them. Any number of entries is drawn in the same space.
 * Throws MetricError when validation measured other metrics than the one that is asked for.
 */
export function drawCurve(entries: readonly LogEntry[], options: CurveOptions): Drawing {
  const { title, metric, chosenBy = metric ? "metric" : "loss" } = options;
  const epochs = entries.filter((entry): entry is EpochEntry => entry.kind === "epoch");
  const steps = entries.filter(({ kind }) => kind === "step");
  const training = (steps.length > 0 ? steps : epochs).map(({ step, loss }): Point => [step, loss]);
  const validation = epochs.flatMap(({ step, validation }): Point[] => (validation ? [[step, validation.loss]] : []));
  const measured = metric && metricPoints(epochs, metric.name);
  const best =
    metric && measured && chosenBy === "metric"
      ? bestOf(measured, metric.better, metric.title, epochs)
      : bestOf(validation, "lower", "validation loss", epochs);
  const run: Run = { x: timeAxis(Math.max(1, entries.at(-1)?.step ?? 1), epochs), ...(best ? { best } : {}) };

  let top = firstTop;
  const box = (name: keyof typeof heights): Box => {
    const placed = { ...frame, y: top, height: heights[name] };
    top += heights[name] + between;
    return placed;
  };
  const parts = [
    heading(title, detailOf(entries, epochs), frame.x),
    lossPanel(box("loss"), run, training, validation, chosenBy === "loss"),
    metric && measured && measured.length > 0
      ? metricPanel(box("metric"), run, metric.title, measured, chosenBy === "metric")
      : "",
    ratePanel(
      box("rate"),
      run,
      entries.map(({ step, rate }) => [step, rate]),
    ),
  ];
  return drawing(width, top - between + 62, `${title}: loss, metric and learning rate over training`, parts);
}

function lossPanel(
  box: Box,
  run: Run,
  training: readonly Point[],
  validation: readonly Point[],
  isDeciding: boolean,
): string {
  const last = run.x.range[1];
  const smoothed = smooth(training, Math.max(last / 80, (1.5 * last) / Math.max(1, training.length)), places);
  const legend: LegendEntry[] = [{ label: "training", color: ink.training }];
  if (validation.length > 0) legend.push({ label: "validation", color: ink.validation });
  if (isDeciding && run.best) legend.push(bestEntry(run.best));
  const y = axis(niceRange(...lossRange(training, smoothed, validation), 5), 5, "loss");
  return panel(box, withoutMarks(run.x), y, legend, (place) =>
    [
      polyline(placed(thin(training, places), place), ink.training, 1, 0.28),
      bestLine(run, place),
      polyline(placed(smoothed, place), ink.training, 2.25),
      epochLine(validation, ink.validation, place),
      isDeciding ? bestDot(run, place) : "",
    ].join(""),
  );
}

function metricPanel(box: Box, run: Run, title: string, points: readonly Point[], isDeciding: boolean): string {
  const y = axis(niceRange(...extent(points.map(([, value]) => value)), 4), 4, `validation ${title}`);
  const legend = isDeciding && run.best ? [bestEntry(run.best)] : [];
  return panel(
    box,
    withoutMarks(run.x),
    y,
    legend,
    (place) => bestLine(run, place) + epochLine(points, ink.metric, place) + (isDeciding ? bestDot(run, place) : ""),
  );
}

function ratePanel(box: Box, run: Run, rates: readonly Point[]): string {
  const [, highest] = extent([0, ...rates.map(([, rate]) => rate)]);
  const y = axis([0, niceRange(0, highest, 2)[1]], 2, "learning rate");
  return panel(
    box,
    run.x,
    y,
    [],
    (place) => bestLine(run, place) + polyline(placed(thin(rates, places), place), ink.rate, 2),
  );
}

const withoutMarks = ({ range }: Axis): Axis => ({ range, ticks: [] });

const placed = (points: readonly Point[], place: Place): Point[] =>
  points.map(([step, value]) => [place.x(step), place.y(value)]);

/** A value per epoch: a line, and dots while there is room for them. */
function epochLine(points: readonly Point[], color: string, place: Place): string {
  const at = placed(points, place);
  const dots = at.length <= maxDots ? at.map((point) => dot(point, 4, color)) : [];
  return polyline(thin(at, places), color, 2.25) + dots.join("");
}

const bestEntry = ({ label }: Best): LegendEntry => ({ label, color: ink.text, mark: "dot" });

const bestDot = ({ best }: Run, place: Place) =>
  best ? dot([place.x(best.step), place.y(best.value)], 6.5, ink.text) : "";

const bestLine = ({ best }: Run, place: Place) =>
  best ? segment(place.x(best.step), 0, place.x(best.step), place.height, ink.ideal, 1.5, "5 4") : "";

/** The epoch's number where epochs are known, else the step. */
function timeAxis(last: number, epochs: readonly EpochEntry[]): Axis {
  const end = epochs.at(-1);
  if (end === undefined) return axis([0, last], 8, "step");
  const each = end.step / end.epoch;
  const { values, step } = ticks(0, last / each, 10, true);
  return {
    range: [0, last],
    ticks: values.map((epoch) => ({ at: epoch * each, label: tickLabel(epoch, step) })),
    title: `epoch, ${tickLabel(Math.round(each), 1)} steps each`,
  };
}

/** What the loss axis has to show: every smooth and validation value, and the interval lines but for their wildest hundredth. */
function lossRange(training: readonly Point[], ...must: readonly (readonly Point[])[]): [number, number] {
  const sorted = Float64Array.from(training, ([, loss]) => loss)
    .filter(Number.isFinite)
    .sort();
  const ends = [Math.floor(0.005 * (sorted.length - 1)), Math.ceil(0.99 * (sorted.length - 1))];
  return extent([...ends.map((i) => sorted[i] ?? Number.NaN), ...must.flat().map(([, loss]) => loss)]);
}

/** The least and the greatest finite value; 0 … 1 when there is none. */
function extent(values: readonly number[]): [number, number] {
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0) return [0, 1];
  return [finite.reduce((a, b) => Math.min(a, b)), finite.reduce((a, b) => Math.max(a, b))];
}

function metricPoints(epochs: readonly EpochEntry[], name: string): Point[] {
  const measured = epochs.flatMap(({ step, validation }) =>
    validation ? [{ step, metrics: validation.metrics }] : [],
  );
  const known = measured[0]?.metrics;
  if (known && !(name in known))
    throw new MetricError(`validation didn't measure "${name}"`, {
      hint: `Measured: ${Object.keys(known).join(", ")}.`,
    });
  return measured
    .map(({ step, metrics }): Point => [step, metrics[name] ?? Number.NaN])
    .filter(([, value]) => Number.isFinite(value));
}

/** The best, of equal ones that with the lower loss: the one whose weights were kept. */
function bestOf(
  points: readonly Point[],
  better: Metric["better"],
  title: string,
  epochs: readonly EpochEntry[],
): Best | undefined {
  const sign = { higher: 1, lower: -1 }[better];
  const finite = points.filter(([, value]) => Number.isFinite(value));
  if (finite.length === 0) return undefined;
  const lossAt = (step: number) => epochs.find((entry) => entry.step === step)?.validation?.loss ?? Number.NaN;
  const [step, value] = finite.reduce((best, point) => {
    const more = sign * (point[1] - best[1]);
    return more > 0 || (more === 0 && lossAt(point[0]) < lossAt(best[0])) ? point : best;
  });
  const epoch = epochs.find((entry) => entry.step === step)!.epoch;
  return { step, value, label: `best ${title} ${value.toFixed(4)}, epoch ${epoch}` };
}

function detailOf(entries: readonly LogEntry[], epochs: readonly EpochEntry[]): string {
  const end = entries.at(-1);
  if (end === undefined) return "nothing logged yet";
  const count = (n: number, what: string) => `${tickLabel(n, 1)} ${what}${n === 1 ? "" : "s"}`;
  return [...(epochs.length > 0 ? [count(epochs.at(-1)!.epoch, "epoch")] : []), count(end.step, "step")].join(", ");
}
