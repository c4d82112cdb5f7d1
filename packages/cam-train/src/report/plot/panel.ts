import { textPath, textWidth } from "@camkit/cam-core";
import { ink, rect, segment } from "./svg.ts";
import { tickLabel, ticks } from "./ticks.ts";

/** Where a panel's frame lies in the picture, in pixels. */
export type Box = { readonly x: number; readonly y: number; readonly width: number; readonly height: number };

/** One axis: its range and its marks. */
export type Axis = {
  readonly range: readonly [low: number, high: number];
  readonly ticks: readonly { readonly at: number; readonly label: string }[];
  /** The quantity and its unit, written beside the axis. */
  readonly title?: string;
};

export type LegendEntry = { readonly label: string; readonly color: string; readonly mark?: "line" | "dot" | "box" };

/** From data to pixels inside the frame, whose upper left corner is (0, 0). */
export type Place = {
  x(value: number): number;
  y(value: number): number;
  readonly width: number;
  readonly height: number;
};

/** What is drawn may reach over the frame by this: half a dot on its edge. */
const rim = 8;

const size = { tick: 13, title: 14, legend: 14 };

/** An axis with about `wanted` round marks. */
export function axis(range: readonly [number, number], wanted: number, title?: string): Axis {
  const { values, step } = ticks(...range, wanted);
  const marks = values.map((at) => ({ at, label: tickLabel(at, step) }));
  return { range, ticks: marks, ...(title === undefined ? {} : { title }) };
}

/**
 * A frame with its grid, marks, titles and legend; what `content` draws is cut at the frame. The y title stands above the frame at
 * the left, horizontally, and the legend at the right.
 */
export function panel(
  box: Box,
  x: Axis,
  y: Axis,
  legend: readonly LegendEntry[],
  content: (place: Place) => string,
): string {
  const place: Place = {
    width: box.width,
    height: box.height,
    x: (value) => ((value - x.range[0]) / (x.range[1] - x.range[0])) * box.width,
    y: (value) => (1 - (value - y.range[0]) / (y.range[1] - y.range[0])) * box.height,
  };
  const bottom = box.y + box.height;
  const parts = [
    ...y.ticks.flatMap(({ at, label }) => {
      const line = box.y + place.y(at);
      return [
        segment(box.x, line, box.x + box.width, line, ink.grid),
        textPath(label, { x: box.x - 10, y: line + 4.5, size: size.tick, fill: ink.soft, anchor: "end" }),
      ];
    }),
    ...x.ticks.flatMap(({ at, label }) => {
      const line = box.x + place.x(at);
      return [
        segment(line, bottom, line, bottom + 5, ink.axis),
        textPath(label, { x: line, y: bottom + 21, size: size.tick, fill: ink.soft, anchor: "middle" }),
      ];
    }),
    // A picture in the picture cuts its content without a clip path, whose id would clash with others in a page.
    `<svg x="${box.x - rim}" y="${box.y - rim}" width="${box.width + 2 * rim}" height="${box.height + 2 * rim}"><g transform="translate(${rim} ${rim})">${content(place)}</g></svg>`,
    segment(box.x, bottom, box.x + box.width, bottom, ink.axis),
  ];
  if (y.title)
    parts.push(textPath(y.title, { x: box.x, y: box.y - 12, size: size.title, weight: 600, fill: ink.text }));
  if (x.title) {
    const style = { x: box.x + box.width, y: bottom + 42, size: size.tick, fill: ink.soft, anchor: "end" } as const;
    parts.push(textPath(x.title, style));
  }
  return parts.join("") + drawLegend(legend, box.x + box.width, box.y - 12);
}

/** Entries on one line that ends at `right`. */
function drawLegend(entries: readonly LegendEntry[], right: number, baseline: number): string {
  let x = right;
  return entries
    .toReversed()
    .map(({ label, color, mark = "line" }) => {
      x -= textWidth(label, size.legend);
      const text = textPath(label, { x, y: baseline, size: size.legend, fill: ink.text });
      x -= 8;
      const middle = baseline - 4.5;
      const sign = {
        line: () => segment(x - 22, middle, x, middle, color, 2.5),
        dot: () => `<circle cx="${x - 6}" cy="${middle}" r="5" fill="${color}"/>`,
        box: () => rect(x - 12, middle - 6, 12, 12, color),
      }[mark]();
      x -= (mark === "line" ? 22 : 12) + 22;
      return sign + text;
    })
    .join("");
}
