import { type EntryAffine, entryAffine } from "../graph/entry.ts";
import type { Graph, ValueInfo } from "../graph/graph.ts";
import type { InputManifest } from "./manifest.ts";

/** A graph that scales or standardises its input itself. */
export type Normalising = EntryAffine & {
  /** What pixel 0 and pixel 255 should be when they enter; undefined where the figures don't tell. */
  readonly takes: [number, number] | undefined;
  /** In words: "(x − 127.5) / 127.5". */
  readonly formula: string;
};

/** What the graph does to an input of this layout before its first layer; undefined where it does nothing. */
export function normalisingOf(
  graph: Graph,
  { name, shape = [] }: Pick<ValueInfo, "name" | "shape">,
  { layout, channelOrder }: Pick<InputManifest, "layout" | "channelOrder">,
): Normalising | undefined {
  const stated = layout.indexOf("C");
  const dims = shape.length === layout.length ? shape : [...layout].map(() => null);
  const axis = stated < 0 ? layout.length : stated;
  const known = [...dims, ...(stated < 0 ? [1] : [])].map((dim, i) =>
    i === axis ? (channelOrder === "grey" ? 1 : 3) : dim,
  );
  const affine = entryAffine(graph, name, known, axis);
  return affine && { ...affine, takes: rangeTaken(affine), formula: formulaOf(affine) };
}

/** Spans that a standardised pixel range has: 1 for 0..1, 2 for −1..1, 4.5 for ImageNet's; a little room on both sides. */
const spans = { least: 0.9, most: 8 };

/**
 * What an affine step at the entry was made for, from the mean it takes off (x at y = 0) and by what it multiplies. A mean of pixels
 * in 0..1 lies there, too; what brings 0..255 to a span of a few units divides by some hundred; what is made for 0..1
 * multiplies. Anything else (torchvision's Inception, which takes ImageNet's standardised values to −1..1) tells nothing.
 */
function rangeTaken({ scale, offset }: EntryAffine): [number, number] | undefined {
  const means = scale.map((s, c) => -offset[c]! / s);
  const every = (test: (s: number, mean: number) => boolean) => scale.every((s, c) => test(s, means[c]!));
  if (!every((s) => s > 0 && Number.isFinite(1 / s))) return undefined;
  if (every((s, mean) => within(255 * s, spans.least, spans.most) && within(mean, -0.01, 255))) return [0, 255];
  if (every((s, mean) => Math.abs(s - 1) < 1e-3 && within(mean, 1.5, 255))) return [0, 255]; // a mean alone, as Caffe has it
  if (every((s, mean) => s >= 1.5 && within(mean, -0.01, 1))) return [0, 1];
  if (every((s, mean) => s !== 1 && within(mean, -1.01, -0.99))) return [-1, 1];
  return undefined;
}

function within(value: number, low: number, high: number): boolean {
  return value >= low && value <= high;
}

/** As people write it: what is taken off first, then what it is divided by, or multiplied with. */
function formulaOf({ scale, offset, from }: EntryAffine): string {
  const means = scale.map((s, c) => -offset[c]! / s + 0); // + 0: no minus zero
  const added = means.every((mean) => mean <= 0);
  const mean = listed(added ? means.map((value) => -value + 0) : means);
  const small = scale.every((s) => Math.abs(s) < 1);
  const factor = listed(scale.map((s) => (small ? 1 / s : s)));
  const shifted = mean === "0" ? "x" : `x ${added ? "+" : "−"} ${mean}`;
  const scaled = factor === "1" ? shifted : `${mean === "0" ? "x" : `(${shifted})`} ${small ? "/" : "·"} ${factor}`;
  const order = from.every((channel, i) => channel === i) ? "" : `, channels in the order ${from.join(", ")}`;
  return `${scaled}${order}`;
}

function listed(values: readonly number[]): string {
  const texts = values.map((value) => String(Number(value.toPrecision(4))));
  return new Set(texts).size === 1 ? texts[0]! : `[${texts.join(", ")}]`;
}
