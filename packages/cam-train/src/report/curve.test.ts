import { decodePicture } from "@camkit/cam-core";
import { expect, test } from "vitest";
import { metricNamed } from "../metrics/index.ts";
import { drawCurve } from "./curve.ts";
import type { EpochEntry, LogEntry } from "./log.ts";
import { ink, png } from "./plot/svg.ts";
import { madeUpLog } from "./test-log.ts";

const options = { title: "cifake-paper", metric: metricNamed("accuracy") };

/** The curve of this colour and width, as points inside its frame. */
function line(svg: string, color: string, width: number): number[][] {
  const d = new RegExp(`d="([^"]*)" fill="none" stroke="${color}" stroke-width="${width}"`).exec(svg)![1]!;
  return d
    .slice(1)
    .split("L")
    .map((point) => point.split(" ").map(Number));
}

test("validation is drawn where it belongs: x by steps, y by the axis", () => {
  const entries = madeUpLog(8, 100, 10);
  const epochs = entries.filter((entry): entry is EpochEntry => entry.kind === "epoch");
  const { svg } = drawCurve(entries, options);
  const drawn = line(svg, ink.validation, 2.25);
  expect(drawn.length).toBe(8);
  // the frame is 1080 x 320 and its axis 0 … 0.8: of the training lines 99 % lie below
  drawn.forEach(([x, y], i) => {
    expect(x).toBeCloseTo((1080 * (i + 1)) / 8, 1);
    expect(y).toBeCloseTo(320 * (1 - epochs[i]!.validation!.loss / 0.8), 1);
  });
});

test("the best epoch is the metric's where there is one, else that of the lowest validation loss; of equals that of the lower loss", () => {
  const common = { rate: 0.1, seconds: 1, samplesPerSecond: 1 };
  const entries = [0.7, 0.9, 0.9, 0.8].map(
    (accuracy, i): LogEntry => ({
      kind: "epoch",
      step: 10 * (i + 1),
      epoch: i + 1,
      loss: 1,
      ...common,
      validation: { loss: [0.5, 0.4, 0.3, 0.2][i]!, metrics: { accuracy } },
    }),
  );
  const bestX = (svg: string) => Number(/cx="([\d.]+)" cy="[\d.]+" r="6.5"/.exec(svg)![1]);
  expect(bestX(drawCurve(entries, options).svg)).toBe((1080 * 3) / 4);
  expect(bestX(drawCurve(entries, { title: "t" }).svg)).toBe(1080);
  // What chose the weights is marked, also where a metric has a panel beside it.
  expect(bestX(drawCurve(entries, { ...options, chosenBy: "loss" }).svg)).toBe(1080);
  const lower = { name: "accuracy", title: "misses", better: "lower" } as const;
  expect(bestX(drawCurve(entries, { title: "t", metric: lower }).svg)).toBe(1080 / 4);
});

test("a run of any length: its peaks are there, and the file stays small", () => {
  const short = drawCurve(madeUpLog(20, 704, 10), options).svg;
  const entries = madeUpLog(60, 5000, 1); // 300,000 lines
  const long = drawCurve(entries, options).svg;
  expect(long.length).toBeLessThan(1.1 * short.length);
  expect(line(long, ink.training, 1).length).toBeLessThanOrEqual(1000);
});

test.each<[string, LogEntry[]]>([
  ["nothing yet", []],
  ["one line", madeUpLog(1, 20, 1).slice(0, 1)],
  ["less than an epoch", madeUpLog(1, 20, 1).slice(0, 12)],
  ["one epoch", madeUpLog(1, 20, 1)],
  ["losses that aren't finite", madeUpLog(1, 20, 1).map((entry) => ({ ...entry, loss: Number.NaN }))],
  ["no validation", madeUpLog(2, 20, 1).filter(({ kind }) => kind === "step")],
])("%s is drawn too", async (_, entries) => {
  const drawing = drawCurve(entries, options);
  expect(drawing.svg).not.toMatch(/NaN|Infinity|undefined/);
  await png(drawing);
});

test("PNG and SVG are the same picture, need no font, and are the same every time", async () => {
  const drawing = drawCurve(madeUpLog(20, 704, 10), options);
  expect(drawing.svg).not.toContain("<text");
  expect(drawCurve(madeUpLog(20, 704, 10), options)).toEqual(drawing);
  const bytes = await png(drawing, { seed: 4 });
  expect(await png(drawing, { seed: 4 })).toEqual(bytes);
  const { width, height, rgb } = await decodePicture(bytes);
  expect([width, height]).toEqual([drawing.width, drawing.height]);
  // the last dot of the validation loss is in its colour, at the frame's right edge
  const [x, y] = line(drawing.svg, ink.validation, 2.25).at(-1) as [number, number];
  const at = (Math.round(118 + y) * width + Math.round(84 + x) - 1) * 3;
  expect(Buffer.from(rgb.subarray(at, at + 3)).toString("hex")).toBe(ink.validation.slice(1));
});

test("a metric that validation didn't measure is refused by name", () =>
  expect(() => drawCurve(madeUpLog(1, 20, 1), { title: "t", metric: metricNamed("auc") })).toThrow(
    'validation didn\'t measure "auc"',
  ));
