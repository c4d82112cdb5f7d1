import type { Colormap } from "./colormap.ts";
import { fitText, textPath, textWidth, wrapText } from "./text.ts";

/** The words under a picture. */
export type Legend = {
  /** What is explained: the class. */
  readonly title: string;
  /** Beside the title: "0.973", "logit 12.4". */
  readonly score?: string;
  /** In small: method, layer. Cut in the middle when too long. */
  readonly detail?: string;
  /** What the two ends of the colour bar mean. Default: the drawn range */
  readonly ticks?: readonly [string, string];
  /** A last line, for what must be said: "research use only", "preprocessing was assumed". */
  readonly note?: string;
};

/** Below this many pixels of width a legend can't be read. */
export const minLegendWidth = 300;

const ink = { title: "#16181d", soft: "#5b616e", line: "#c9cdd6" };

/** In units: below this a legend puts the colour bar under the words, above it beside them. */
const roomForTwoColumns = 30;

/**
 * The strip under a picture: title and score, details in small, notes, and the colour scale with its two ends named.
 * Returns an SVG of `width` pixels and its height; letters are outlines, so no font is needed to draw it.
 */
export function drawLegend(
  legend: Legend,
  colors: Colormap,
  width: number,
  ticks: readonly [string, string],
): { svg: string; height: number } {
  const unit = Math.min(26, Math.max(14, width / 44)); // pixels; all lengths below are multiples
  const size = { title: 1.15 * unit, small: 0.86 * unit, tick: 0.78 * unit };
  const full = width - 2 * unit;
  const beside = width >= roomForTwoColumns * unit;
  const bar = { width: Math.round(beside ? 9 * unit : full), height: Math.round(0.72 * unit) };
  const room = beside ? full - bar.width - 1.4 * unit : full;
  const parts: string[] = [];
  let baseline = 1.85 * unit;
  const small = (line: string) => {
    parts.push(textPath(line, { x: unit, y: baseline, size: size.small, fill: ink.soft }));
    baseline += 1.35 * unit;
  };

  const scoreWidth = legend.score ? textWidth(legend.score, size.title) + 0.6 * unit : 0;
  const title = fitText(legend.title, Math.max(room - scoreWidth, 4 * unit), size.title, 600);
  parts.push(textPath(title, { x: unit, y: baseline, size: size.title, weight: 600, fill: ink.title }));
  if (legend.score) {
    const x = unit + textWidth(title, size.title, 600) + 0.6 * unit;
    parts.push(textPath(legend.score, { x, y: baseline, size: size.title, fill: ink.soft }));
  }
  baseline += 1.45 * unit;
  if (legend.detail) small(fitText(legend.detail, room, size.small, 400, "middle"));
  if (beside) baseline = Math.max(baseline, 4.65 * unit); // room for the bar and its ticks
  for (const line of legend.note ? wrapText(legend.note, full, size.small) : []) small(line);

  const barLeft = Math.round(beside ? width - unit - bar.width : unit);
  const barTop = Math.round(beside ? 1.08 * unit : baseline - 0.5 * unit);
  const tickLine = barTop + bar.height + unit;
  const [low, high] = ticks;
  parts.push(
    colorBar(colors, barLeft, barTop, bar),
    textPath(low, { x: barLeft, y: tickLine, size: size.tick, fill: ink.soft }),
    textPath(high, { x: barLeft + bar.width, y: tickLine, size: size.tick, fill: ink.soft, anchor: "end" }),
  );
  const lastLine = Math.max(tickLine, baseline - 1.35 * unit);
  const height = Math.round(lastLine + 0.95 * unit);
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><rect width="100%" height="100%" fill="#fff"/>${parts.join("")}</svg>`;
  return { svg, height };
}

/** All 256 colours as stops of one gradient, framed so that a white or black end is seen on any ground. */
function colorBar(
  { table, name }: Colormap,
  x: number,
  y: number,
  { width, height }: { width: number; height: number },
): string {
  const stops = Array.from({ length: 256 }, (_, i) => {
    const [r, g, b] = table.subarray(i * 3, i * 3 + 3);
    return `<stop offset="${(i / 255).toFixed(4)}" stop-color="rgb(${r},${g},${b})"/>`;
  });
  return (
    `<defs><linearGradient id="${name}">${stops.join("")}</linearGradient></defs>` +
    `<rect x="${x - 0.5}" y="${y - 0.5}" width="${width + 1}" height="${height + 1}" rx="2" fill="url(#${name})" stroke="${ink.line}"/>`
  );
}
