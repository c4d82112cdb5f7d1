// The measured numbers as tables, and the goals they miss.
import { goals, mapTolerance } from "./goals.mjs";

const ms = (value) => value.toFixed(value < 100 ? 1 : 0);
const ratio = ({ median, lowest, highest }) => `${median.toFixed(2)} (${lowest.toFixed(2)}–${highest.toFixed(2)})`;

/** One line per goal that wasn't reached. */
export function missed({ peers, bench }) {
  const lines = [];
  const check = (what, value, goal, met) => {
    if (!met) lines.push(`${what}: ${value}, goal ${goal}`);
  };
  for (const [name, row] of Object.entries(peers)) {
    const { byHand } = goals[name];
    check(`${name} beside PyTorch by hand`, ratio(row.timesByHand), `≥ ${byHand}`, row.timesByHand.median >= byHand);
    check(
      `${name}: map against PyTorch's`,
      row.mapDifference.toExponential(1),
      `≤ ${mapTolerance}`,
      row.mapDifference <= mapTolerance,
    );
  }
  for (const row of bench) {
    check(label(row), ratio(row.ratio), `≤ ${row.goal}`, row.ratio.median <= row.goal);
    if (row.opening)
      check(`${row.network}: open and prepare`, ratio(row.open), `≤ ${row.opening}`, row.open.median <= row.opening);
  }
  return lines;
}

function tables({ peers, bench }) {
  return [
    {
      head: [
        "network",
        "ONNX Runtime forward, ms",
        "camkit Grad-CAM, ms",
        "explain ÷ forward",
        "PyTorch forward, ms",
        "by hand, ms",
        "pytorch-grad-cam, ms",
        "× faster than by hand",
        "× faster than pytorch-grad-cam",
        "map differs by",
      ],
      rows: Object.entries(peers).map(([name, row]) => [
        name,
        ...[row.forwardMs, row.explainMs].map(ms),
        ratio(row.ratio),
        ...[row.pytorchForwardMs, row.byHandMs, row.libraryMs].map(ms),
        `${ratio(row.timesByHand)}, goal ${goals[name].byHand}`,
        ratio(row.timesLibrary),
        row.mapDifference.toExponential(1),
      ]),
    },
    {
      head: [
        "camkit bench",
        "forward, ms",
        "explain, ms",
        "explain ÷ forward",
        "goal",
        "open, ms",
        "open and prepare, ms",
        "prepare ÷ open",
      ],
      rows: bench.map((row) => [
        label(row),
        ms(row.forwardMs),
        ms(row.explainMs),
        ratio(row.ratio),
        `≤ ${row.goal}`,
        ms(row.openMs),
        ms(row.prepareMs),
        `${ratio(row.open)}${row.opening ? `, goal ≤ ${row.opening}` : ""}`,
      ]),
    },
  ];
}

const label = ({ network, method, layer }) => `${network} ${method}${layer ? ` at ${layer}` : ""}`;

export function asText(report) {
  const blocks = tables(report).map(({ head, rows }) => {
    const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i].length)));
    return [head, ...rows]
      .map((row) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join("  "))
      .join("\n");
  });
  return [setting(report), ...blocks, verdict(report)].join("\n\n");
}

export function asMarkdown(report) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  const blocks = tables(report).map(({ head, rows }) =>
    [line(head), line(head.map((_, i) => (i === 0 ? "---" : "--:"))), ...rows.map(line)].join("\n"),
  );
  return `${[setting(report), ...blocks, verdict(report)].join("\n\n")}\n`;
}

function setting({ date, machine: m, threads, turns, rounds, pairs, disturbed }) {
  const others = disturbed > 0 ? ` Other programs ran during ${disturbed} of these measurements.` : "";
  return `${date.slice(0, 10)}, ${m.cores} × ${m.cpu}, ${m.system}, ${threads} threads, batch 1; Node ${m.node}, ONNX Runtime ${m.runtime.onnxruntime}, PyTorch ${m.torch}. Medians (lowest–highest) of ${turns} turns, and of ${rounds} rounds of ${pairs} pairs.${others}`;
}

function verdict(report) {
  const lines = missed(report);
  return lines.length === 0 ? "Every goal is met." : ["Missed:", "", ...lines.map((text) => `- ${text}`)].join("\n");
}
