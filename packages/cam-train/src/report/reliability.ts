import { expectedCalibrationError, type ReliabilityBin } from "../metrics/reliability.ts";
import { areaUnderRisk, type Selection } from "../metrics/selective.ts";
import { axis, panel } from "./plot/panel.ts";
import { thin } from "./plot/series.ts";
import { type Drawing, dot, drawing, heading, ink, type Point, polyline, rect, segment } from "./plot/svg.ts";
import { niceRange } from "./plot/ticks.ts";

/** Two stand side by side in a page. */
const size = { width: 550, height: 600 };
const frame = { x: 72, width: size.width - 72 - 32 };

/**
 * Is 80 % sure right 8 times of 10? Bars are the accuracy of each bin, the step to the diagonal (ideal) what it is off; below, how
 * many samples each bin holds.
 */
export function drawReliability(bins: readonly ReliabilityBin[], title = "Reliability"): Drawing {
  const filled = bins.filter(({ count }) => count > 0);
  const total = filled.reduce((sum, { count }) => sum + count, 0);
  const most = Math.max(...filled.map(({ count }) => count / total));
  const error = expectedCalibrationError(bins);
  const between = axis([0, 1], 5);
  const upper = panel(
    { ...frame, y: 118, height: 290 },
    { ...between, ticks: [] },
    { ...between, title: "accuracy" },
    [
      { label: "accuracy", color: ink.bar, mark: "box" },
      { label: "gap", color: ink.gap, mark: "box" },
      { label: "ideal", color: ink.ideal },
    ],
    (place) =>
      [
        ...filled.flatMap(({ low, high, accuracy, confidence }) => {
          const [x, width] = [place.x(low) + 1, place.x(high) - place.x(low) - 2];
          const [top, bottom] = [place.y(Math.max(accuracy, confidence)), place.y(Math.min(accuracy, confidence))];
          return [
            rect(x, place.y(accuracy), width, place.height - place.y(accuracy), ink.bar),
            rect(x, top, width, bottom - top, ink.gap),
            segment(x, place.y(accuracy), x + width, place.y(accuracy), ink.training, 2.5),
          ];
        }),
        segment(place.x(0), place.y(0), place.x(1), place.y(1), ink.ideal, 1.5, "5 4"),
      ].join(""),
  );
  const lower = panel(
    { ...frame, y: 456, height: 82 },
    { ...between, title: "confidence in the named class" },
    axis([0, niceRange(0, most, 2)[1]], 2, "share of the samples"),
    [],
    (place) =>
      filled
        .map(({ low, high, count }) => {
          const y = place.y(count / total);
          return rect(place.x(low) + 1, y, place.x(high) - place.x(low) - 2, place.height - y, ink.ideal);
        })
        .join(""),
  );
  const detail = `expected calibration error ${error.toFixed(4)}, ${bins.length} bins`;
  return drawing(size.width, size.height, title, [heading(title, detail, frame.x), upper, lower]);
}

/**
 * What saying nothing buys: the error rate among the answered samples, against the share that is answered. `chosen` marks the band
 * that was chosen.
 */
export function drawRiskCoverage(
  curve: readonly Selection[],
  chosen?: Selection,
  title = "Risk and coverage",
): Drawing {
  const risks = curve.map(({ coverage, accuracy }): Point => [coverage, 1 - accuracy]);
  const body = panel(
    { ...frame, y: 118, height: 420 },
    { ...axis([0, 1], 5), title: "share of the samples that is answered" },
    axis(
      [
        0,
        niceRange(
          0,
          risks.reduce((most, [, risk]) => Math.max(most, risk), 0.001),
          5,
        )[1],
      ],
      5,
      "error rate",
    ),
    chosen
      ? [
          {
            label: `from ${chosen.threshold.toFixed(3)}: ${percent(chosen.accuracy)} right, ${percent(chosen.coverage)} answered`,
            color: ink.validation,
            mark: "dot",
          },
        ]
      : [],
    (place) => {
      const line = thin(risks, 400).map(([x, y]): Point => [place.x(x), place.y(y)]);
      const at: Point | undefined = chosen && [place.x(chosen.coverage), place.y(1 - chosen.accuracy)];
      return [
        polyline(line, ink.training, 2.25),
        at ? segment(at[0], at[1], at[0], place.height, ink.ideal, 1.5, "5 4") + dot(at, 6.5, ink.validation) : "",
      ].join("");
    },
  );
  const detail = `area under the curve ${areaUnderRisk(curve).toFixed(4)}, error rate of all answers ${percent(risks.at(-1)![1])}`;
  return drawing(size.width, size.height, title, [heading(title, detail, frame.x), body]);
}

const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
