import { metricNamed } from "../metrics/index.ts";
import type { EpochEntry, LogEntry } from "./log.ts";
import { type Axis, axis, type LegendEntry, type Place, panel } from "./plot/panel.ts";
import { smooth, thin } from "./plot/series.ts";
import { type Drawing, dot, drawing, heading, ink, type Point, polyline, segment } from "./plot/svg.ts";
import { niceRange, tickLabel, ticks } from "./plot/ticks.ts";

export type CurveOptions = {
  readonly title: string;
  /** Its name; it has a panel, and the best epoch is chosen by it. Without one, by the validation loss. */
  readonly metric?: string;
};

const width = 1200;
const frame = { x: 84, width: width - 84 - 36 };
const layout = {
  loss: { ...frame, y: 118, height: 320 },
  metric: { ...frame, y: 506, height: 210 },
  rate: { ...frame, height: 78 },
};

/** As many places as there are pixels are more than an eye needs. */
const places = 500;

/** Above this many epochs their dots would run together. */
const maxDots = 60;

/**
 * A run at a glance: training loss (each line of the log faintly, and smoothed), validation loss, the metric, the learning rate, and
 * the best epoch through all of them. Any number of entries is drawn in the same space.
 */
export function drawCurve(entries: readonly LogEntry[], { title, metric: name }: CurveOptions): Drawing {
  const epochs = entries.filter((entry): entry is EpochEntry => entry.kind === "epoch");
  const steps = entries.filter(({ kind }) => kind === "step");
  const raw = (steps.length > 0 ? steps : epochs).map(({ step, loss }): Point => [step, loss]);
  const last = Math.max(1, entries.at(-1)?.step ?? 1);
  const training = smooth(raw, Math.max(last / 80, (1.5 * last) / Math.max(1, raw.length)), places);
  const loss = epochs.flatMap(({ step, validation }): Point[] => (validation ? [[step, validation.loss]] : []));
  const metric = name === undefined ? undefined : { ...metricNamed(name), points: metricPoints(epochs, name) };
  const best = metric ? bestOf(metric.points, metric.better) : bestOf(loss, "lower");
  const bestEpoch = epochs.find(({ step }) => step === best?.[0])?.epoch;

  const x = timeAxis(last, epochs);
  const bare: Axis = { range: x.range, ticks: [] };
  const markBest = (place: Place) =>
    best ? segment(place.x(best[0]), 0, place.x(best[0]), place.height, ink.ideal, 1.5, "5 4") : "";
  const validationLine = (points: readonly Point[], color: string, place: Place) => {
    const at = points.map(([step, y]): Point => [place.x(step), place.y(y)]);
    const dots = points.length <= maxDots ? at.map((point) => dot(point, 4, color)) : [];
    return polyline(thin(at, places), color, 2.25) + dots.join("");
  };
  const bestLabel = (value: number, what: string): LegendEntry => ({
    label: `best ${what} ${value.toFixed(4)}${bestEpoch === undefined ? "" : `, epoch ${bestEpoch}`}`,
    color: ink.text,
    mark: "dot",
  });
  const bestDot = (color: string, place: Place) => (best ? dot([place.x(best[0]), place.y(best[1])], 6.5, color) : "");

  const parts = [heading(title, detailOf(entries, epochs), frame.x)];
  const range = niceRange(...lossRange(raw, training, loss), 5);
  parts.push(
    panel(
      layout.loss,
      bare,
      axis(range, 5, "loss"),
      [
        { label: "training", color: ink.training },
        ...(loss.length > 0 ? [{ label: "validation", color: ink.validation }] : []),
        ...(best && !metric ? [bestLabel(best[1], "validation loss")] : []),
      ],
      (place) => {
        const at = (points: readonly Point[]) => points.map(([step, y]): Point => [place.x(step), place.y(y)]);
        return [
          polyline(at(thin(raw, places)), ink.training, 1, 0.28),
          markBest(place),
          polyline(at(training), ink.training, 2.25),
          validationLine(loss, ink.validation, place),
          metric ? "" : bestDot(ink.text, place),
        ].join("");
      },
    ),
  );
  let bottom = layout.loss.y + layout.loss.height;
  if (metric && metric.points.length > 0) {
    const values = metric.points.map(([, y]) => y).filter(Number.isFinite);
    const range = niceRange(Math.min(...values), Math.max(...values), 4);
    parts.push(
      panel(
        layout.metric,
        bare,
        axis(range, 4, `validation ${metric.title}`),
        best ? [bestLabel(best[1], metric.title)] : [],
        (place) => markBest(place) + validationLine(metric.points, ink.metric, place) + bestDot(ink.text, place),
      ),
    );
    bottom = layout.metric.y + layout.metric.height;
  }
  const rates = entries.map(({ step, rate }): Point => [step, rate]);
  const box = { ...layout.rate, y: bottom + 62 };
  parts.push(
    panel(
      box,
      x,
      axis([0, niceRange(0, Math.max(...rates.map(([, y]) => y), 0), 2)[1]], 2, "learning rate"),
      [],
      (place) =>
        markBest(place) +
        polyline(
          thin(rates, places).map(([step, y]) => [place.x(step), place.y(y)]),
          ink.rate,
          2,
        ),
    ),
  );
  return drawing(width, box.y + box.height + 62, `${title}: loss, metric and learning rate over training`, parts);
}

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
function lossRange(raw: readonly Point[], ...must: readonly (readonly Point[])[]): [number, number] {
  const sorted = raw
    .map(([, y]) => y)
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
  const quantile = (share: number) => sorted[Math.floor(share * (sorted.length - 1))];
  const shown = [quantile(0.005), quantile(0.99), ...must.flat().map(([, y]) => y)].filter(
    (value): value is number => value !== undefined && Number.isFinite(value),
  );
  return shown.length === 0 ? [0, 1] : [shown.reduce((a, b) => Math.min(a, b)), shown.reduce((a, b) => Math.max(a, b))];
}

function metricPoints(epochs: readonly EpochEntry[], name: string): Point[] {
  return epochs.flatMap(({ step, validation }): Point[] => {
    const value = validation?.metrics[name];
    return value === undefined || Number.isNaN(value) ? [] : [[step, value]];
  });
}

/** The first of the best. */
function bestOf(points: readonly Point[], better: "higher" | "lower"): Point | undefined {
  const sign = { higher: 1, lower: -1 }[better];
  return points.reduce<Point | undefined>(
    (best, point) => (best && sign * point[1] <= sign * best[1] ? best : point),
    undefined,
  );
}

function detailOf(entries: readonly LogEntry[], epochs: readonly EpochEntry[]): string {
  const end = entries.at(-1);
  if (end === undefined) return "nothing logged yet";
  const count = (n: number, what: string) => `${tickLabel(n, 1)} ${what}${n === 1 ? "" : "s"}`;
  return [...(epochs.length > 0 ? [count(epochs.at(-1)!.epoch, "epoch")] : []), count(end.step, "step")].join(", ");
}
