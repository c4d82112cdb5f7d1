import { escapeHtml } from "@camkit/cam-core/page";

export type ChartSeries = {
  readonly label: string;
  /** A CSS colour; variables of the page follow light and dark. */
  readonly color: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  readonly dashed?: boolean;
  readonly dots?: boolean;
};

export type Chart = {
  readonly title: string;
  readonly xTitle: string;
  readonly yTitle: string;
  readonly y: readonly [low: number, high: number];
  readonly yTicks: readonly number[];
  readonly x: readonly [low: number, high: number];
  readonly xTicks: readonly (readonly [at: number, label: string])[];
  readonly series: readonly ChartSeries[];
};

const width = 440;
const height = 270;
const frame = { left: 46, right: 22, top: 40, bottom: 44 };

/** Lines over one axis, as SVG in the page's own colours and letters. Points that aren't finite break a line. */
export function drawChart({ title, xTitle, yTitle, x, y, xTicks, yTicks, series }: Chart): string {
  const across = (value: number) => frame.left + ((value - x[0]) / (x[1] - x[0])) * (width - frame.left - frame.right);
  const up = (value: number) =>
    height - frame.bottom - ((value - y[0]) / (y[1] - y[0])) * (height - frame.top - frame.bottom);
  const grid = yTicks.map(
    (value) =>
      `<path class="grid" d="M${frame.left} ${round(up(value))}H${width - frame.right}"/><text x="${frame.left - 8}" y="${round(up(value) + 4)}" text-anchor="end">${Number(value.toFixed(2))}</text>`,
  );
  const marks = xTicks.map(
    ([at, label]) =>
      `<text x="${round(across(at))}" y="${height - frame.bottom + 18}" text-anchor="middle">${escapeHtml(label)}</text>`,
  );
  const lines = series.map(({ points, color, dashed, dots }) => {
    const finite = points.filter(([, value]) => Number.isFinite(value));
    const d = points
      .map(([at, value], i) =>
        Number.isFinite(value)
          ? `${i > 0 && Number.isFinite(points[i - 1]![1]) ? "L" : "M"}${round(across(at))} ${round(up(value))}`
          : "",
      )
      .join("");
    const circles = dots
      ? finite.map(
          ([at, value]) => `<circle cx="${round(across(at))}" cy="${round(up(value))}" r="3.2" fill="${color}"/>`,
        )
      : [];
    return `<path d="${d}" fill="none" stroke="${color}" stroke-width="2.2" stroke-linejoin="round"${dashed ? ' stroke-dasharray="5 4"' : ""}/>${circles.join("")}`;
  });
  return (
    `<figure class="chart"><figcaption><b>${escapeHtml(title)}</b>${series.map(key).join("")}</figcaption>` +
    `<svg viewBox="0 ${frame.top - 26} ${width} ${height - frame.top + 26}" role="img" aria-label="${escapeHtml(title)}">` +
    `${grid.join("")}${marks.join("")}${lines.join("")}` +
    `<text class="axis" x="${frame.left - 38}" y="${frame.top - 12}">${escapeHtml(yTitle)}</text>` +
    `<text class="axis" x="${width - frame.right}" y="${height - 6}" text-anchor="end">${escapeHtml(xTitle)}</text></svg></figure>`
  );
}

const key = ({ label, color, dashed }: ChartSeries) =>
  `<span class="key"><i style="border-top:2.5px ${dashed ? "dashed" : "solid"} ${color}"></i>${escapeHtml(label)}</span>`;

const round = (value: number) => Math.round(value * 10) / 10;
