import type { Curve, PerturbationMeasured, RandomisationMeasured } from "@camkit/cam-core";
import { escapeHtml } from "@camkit/cam-core/page";
import { type Chart, type ChartSeries, drawChart } from "./chart.ts";

/** What was measured about how the map and the model hang together. */
export type Faithfulness = {
  readonly deletion?: PerturbationMeasured;
  readonly insertion?: PerturbationMeasured;
  readonly randomisation?: RandomisationMeasured;
  /** What stood where the input was removed: "air, −1000 HU". */
  readonly baseline?: string;
};

const better = {
  deletion: (value: number, random: number) => value < random,
  insertion: (value: number, random: number) => value > random,
};
type Perturbation = keyof typeof better;

/** What a reader must know before trusting the map. What concerns the curves alone stands beside them. */
export function faithfulnessWarnings(found: Faithfulness): string[] {
  const walks = (["deletion", "insertion"] as const).flatMap((name) => {
    const measured = found[name];
    if (!measured) return [];
    const { value, random, reason } = measured;
    const beaten =
      random && !Number.isNaN(value) && !better[name](value, random.area)
        ? [
            `${capital(name)}: the map's order does no better than a random one (${number(value)} against ${number(random.area)}). It may not show what the model uses.`,
          ]
        : [];
    return [...(reason ? [`${capital(name)} says nothing: ${reason}.`] : []), ...beaten];
  });
  return [...walks, ...(found.randomisation?.warnings ?? []).map((text) => `Weight randomisation: ${text}.`)];
}

/** The curves and what they mean; empty where nothing was measured. */
export function faithfulnessHtml(found: Faithfulness): string {
  const { deletion, insertion, randomisation, baseline } = found;
  const charts = [
    ...(deletion ? [perturbationChart("deletion", deletion)] : []),
    ...(insertion ? [perturbationChart("insertion", insertion)] : []),
    ...(randomisation ? [randomisationChart(randomisation)] : []),
  ];
  if (charts.length === 0) return "";
  const tell = [
    ...(deletion || insertion
      ? [
          `Deletion replaces the voxels with the highest map values first${baseline ? ` (by ${baseline})` : ""} and watches the model; insertion puts them back into an empty scan. The faster the curve leaves the dashed one, which goes in random order, the more the model uses what the map marks.`,
        ]
      : []),
    ...(randomisation
      ? [
          "Weight randomisation draws the model's weights anew, from its output down: a map that shows what the model learnt changes, its rank correlation with the true map falls towards 0.",
        ]
      : []),
  ];
  return (
    paragraphs(tell) +
    `<div class="pair charts">${charts.map(drawChart).join("")}</div>` +
    paragraphs(walkNotes(found)) +
    (randomisation ? stagesHtml(randomisation) : "")
  );
}

/** What both walks say, both being made along one map, is said once. */
function walkNotes({ deletion, insertion }: Faithfulness): string[] {
  const texts = new Set([...(deletion?.warnings ?? []), ...(insertion?.warnings ?? [])]);
  return [...texts].map((text) => `About these curves: ${text}.`);
}

function perturbationChart(name: Perturbation, measured: PerturbationMeasured): Chart {
  const { curve, random, value, quantity } = measured;
  const area = (of: number) => (Number.isNaN(of) ? "no value" : `area ${number(of)}`);
  const series: ChartSeries[] = [
    { label: `map, ${area(value)}`, color: "var(--meter)", points: pointsOf(curve) },
    ...(random
      ? [{ label: `random, ${area(random.area)}`, color: "var(--soft)", points: pointsOf(random), dashed: true }]
      : []),
  ];
  const all = series.flatMap(({ points }) => points.map(([, score]) => score));
  const y = quantity === "probability" ? ([0, 1] as const) : ([Math.min(...all), Math.max(...all)] as const);
  return {
    title: `${capital(name)}: ${name === "deletion" ? "lower" : "higher"} is better`,
    xTitle: `voxels ${name === "deletion" ? "removed" : "put back"}`,
    yTitle: quantity,
    x: [0, 1],
    y,
    yTicks: [0, 0.25, 0.5, 0.75, 1].map((share) => y[0] + share * (y[1] - y[0])),
    xTicks: [0, 0.25, 0.5, 0.75, 1].map((at) => [at, `${at * 100} %`] as const),
    series,
  };
}

function randomisationChart({ stages, value }: RandomisationMeasured): Chart {
  const along = (name: "spearman" | "ssim") => [
    [0, 1] as const,
    ...stages.map((stage, i) => [i + 1, stage[name]] as const),
  ];
  const least = Math.min(0, ...stages.map((stage) => stage.spearman).filter(Number.isFinite));
  const low = Math.floor(4 * least) / 4;
  return {
    title: `Weight randomisation: ends at ${Number.isNaN(value) ? "an empty map" : number(value)}`,
    xTitle: "stages drawn anew, from the output down",
    yTitle: "likeness to the true map",
    x: [0, stages.length],
    y: [low, 1],
    yTicks: Array.from({ length: 4 * (1 - low) + 1 }, (_, i) => low + i / 4),
    xTicks: everyNth(stages.length).map((at) => [at, at === 0 ? "none" : String(at)] as const),
    series: [
      { label: "rank correlation", color: "var(--meter)", points: along("spearman"), dots: true },
      { label: "structural similarity", color: "var(--soft)", points: along("ssim"), dashed: true },
    ],
  };
}

function stagesHtml({ stages }: RandomisationMeasured): string {
  const rows = stages.map(
    ({ layers, spearman, ssim }, i) =>
      `<tr><th>${i + 1}</th><td>${number(spearman)}</td><td>${number(ssim)}</td><td class="text soft">${escapeHtml(layers.join(", "))}</td></tr>`,
  );
  return `<details><summary>The stages of weight randomisation</summary><div class="sheet"><table><thead><tr><th>stage</th><th>rank correlation</th><th>SSIM</th><td class="text soft">layers</td></tr></thead><tbody>${rows.join("")}</tbody></table></div></details>`;
}

const paragraphs = (texts: readonly string[]) =>
  texts.map((text) => `<p class="lead">${escapeHtml(text)}</p>`).join("");
const pointsOf = ({ fractions, scores }: Curve) => fractions.map((at, i) => [at, scores[i]!] as const);
const everyNth = (last: number) => {
  const step = Math.max(1, Math.ceil(last / 8));
  return Array.from({ length: Math.floor(last / step) + 1 }, (_, i) => i * step);
};
const capital = (text: string) => text[0]!.toUpperCase() + text.slice(1);
const number = (value: number) => (Number.isNaN(value) ? "–" : value.toFixed(3));
