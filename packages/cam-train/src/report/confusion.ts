import { colorIndex, colormap, fitText, textPath, textWidth } from "@camkit/cam-core";
import { MetricError } from "../errors.ts";
import type { ConfusionMatrix } from "../metrics/confusion-matrix.ts";
import { type Drawing, drawing, heading, ink, rect, segment } from "./plot/svg.ts";
import { tickLabel } from "./plot/ticks.ts";

/** magma's light half, from pale (nothing) to dark (all): equal steps look equal, and white ground stays white ground. */
const { table } = colormap("magma");
const palest = 0.985;
const darkest = 0.22;

/** Cells shrink with the number of classes; below `numbers` pixels a cell holds its percentage alone, below `colors` nothing. */
const room = { most: 640, largest: 132, smallest: 14, numbers: 56, colors: 30 };
const longestName = 190;

/** More classes than this make a picture that nobody can read. */
export const mostDrawnClasses = 100;

/**
 * Rows are the truth, columns the answer. A cell's colour and percentage are its share of the row, so a rare class is as readable as
 * a frequent one; its count stands below. Cells without samples are pale.
 * Throws MetricError for more than 100 classes.
 */
export function drawConfusion({ classes, counts }: ConfusionMatrix, title = "Confusion matrix"): Drawing {
  if (classes.length > mostDrawnClasses)
    throw new MetricError(
      `a confusion matrix of ${classes.length} classes can't be read, ${mostDrawnClasses} are the most`,
    );
  const cell = Math.max(room.smallest, Math.min(room.largest, Math.floor(room.most / classes.length)));
  const nameSize = Math.max(10, Math.min(15, cell * 0.5));
  const names = classes.map((name) => fitText(name, longestName, nameSize));
  const widths = names.map((name) => textWidth(name, nameSize));
  const totalSize = Math.min(13, nameSize);
  const slanted = Math.max(...widths) > cell - 8;
  const widest = Math.max(...widths);
  const left = 64 + widest + 12;
  const top = 118 + (slanted ? (widest + nameSize) * Math.SQRT1_2 + 10 : nameSize + 8);
  const side = cell * classes.length;
  const totals = counts.map((row) => row.reduce((sum, count) => sum + count, 0));

  const parts = [
    heading(title, `${tickLabel(sum(totals), 1)} samples; percentages of each row`, 36),
    textPath("answer", { x: left + side / 2, y: 104, size: 14, weight: 600, fill: ink.text, anchor: "middle" }),
    `<g transform="rotate(-90 40 ${top + side / 2})">${textPath("truth", { x: 40, y: top + side / 2, size: 14, weight: 600, fill: ink.text, anchor: "middle" })}</g>`,
  ];
  names.forEach((name, k) => {
    const style = { size: nameSize, fill: ink.text };
    const middle = left + (k + 0.5) * cell;
    parts.push(
      textPath(name, { ...style, x: left - 12, y: top + (k + 0.5) * cell + nameSize * 0.36, anchor: "end" }),
      slanted
        ? `<g transform="rotate(-45 ${middle} ${top - 8})">${textPath(name, { ...style, x: middle, y: top - 8 })}</g>`
        : textPath(name, { ...style, x: middle, y: top - 10, anchor: "middle" }),
    );
    const y = top + (k + 0.5) * cell + totalSize * 0.36;
    parts.push(textPath(tickLabel(totals[k]!, 1), { x: left + side + 12, y, size: totalSize, fill: ink.soft }));
  });
  parts.push(
    ...counts.flatMap((row, truth) =>
      row.map((count, answer) => {
        const share = totals[truth] === 0 ? Number.NaN : count / totals[truth]!;
        return cellAt(left + answer * cell, top + truth * cell, cell, share, count);
      }),
    ),
    segment(left, top, left + side, top, ink.grid),
    segment(left, top, left, top + side, ink.grid),
  );
  if (cell < room.colors) parts.push(colorBar(left, top + side + 24, side));
  const totalWidth = textWidth(tickLabel(Math.max(...totals), 1), totalSize) + 12;
  const overhang = slanted ? widths.at(-1)! * Math.SQRT1_2 - cell / 2 : 0;
  const width = Math.ceil(left + side + Math.max(totalWidth, overhang) + 36);
  return drawing(Math.max(width, 420), Math.ceil(top + side + (cell < room.colors ? 84 : 36)), title, parts);
}

/** What the colours mean, where no cell has room to say it. */
function colorBar(x: number, y: number, width: number): string {
  const steps = 64;
  const boxes = Array.from({ length: steps }, (_, i) => {
    const color = `rgb(${rgbOf((i + 0.5) / steps).join(",")})`;
    return rect(x + (i * width) / steps, y, width / steps + 0.5, 10, color);
  });
  const text = { y: y + 28, size: 13, fill: ink.soft };
  return (
    boxes.join("") +
    textPath("0 % of the row", { ...text, x }) +
    textPath("100 %", { ...text, x: x + width, anchor: "end" })
  );
}

function cellAt(x: number, y: number, cell: number, share: number, count: number): string {
  const centered = { x: x + cell / 2, anchor: "middle" } as const;
  if (!(share > 0)) {
    const zero = { ...centered, y: y + cell / 2 + 4.5, size: Math.min(15, cell * 0.36), fill: ink.axis };
    const isSaid = share === 0 && cell >= room.colors;
    return rect(x, y, cell - 1, cell - 1, ink.empty) + (isSaid ? textPath("0", zero) : "");
  }
  const color = [...rgbOf(share)];
  // WCAG's relative luminance, roughly: dark letters on light cells
  const isLight = color[0]! * 0.299 + color[1]! * 0.587 + color[2]! * 0.114 > 140;
  const fill = isLight ? ink.text : "#fff";
  const ground = rect(x, y, cell - 1, cell - 1, `rgb(${color.join(",")})`);
  const percent = `${(share * 100).toFixed(cell >= room.numbers ? 1 : 0)}${cell >= room.numbers ? " %" : ""}`;
  if (cell < room.colors) return ground;
  if (cell < room.numbers)
    return ground + textPath(percent, { ...centered, fill, y: y + cell / 2 + 4.5, size: cell * 0.36 });
  const large = Math.min(22, cell * 0.21);
  const small = Math.min(15, cell * 0.19);
  return (
    ground +
    textPath(percent, { ...centered, fill, y: y + cell / 2 - 1, size: large, weight: 600 }) +
    textPath(tickLabel(count, 1), { ...centered, fill, y: y + cell / 2 + small * 1.25, size: small })
  );
}

function rgbOf(share: number): Uint8Array {
  const at = colorIndex(palest + share * (darkest - palest)) * 3;
  return table.subarray(at, at + 3);
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
