import type { Graph } from "@camkit/cam-core";
import { sizeOf } from "@camkit/cam-core";

/** Weights that are treated alike, chosen by name: the first group whose pattern fits takes a weight. */
export type Group = {
  readonly match: (name: string) => boolean;
  /** Multiplies the learning rate. Default 1. */
  readonly rate?: number;
  /** Default: the run's. */
  readonly decay?: number;
};

/** Where one trained tensor lies in the flat arrays of weights, gradients and optimiser state. */
export type Slot = {
  readonly name: string;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly length: number;
};

/** Neighbouring slots whose update has the same numbers: one rate factor, one decay. */
export type Span = { readonly begin: number; readonly end: number; readonly rate: number; readonly decay: number };

/** All trained tensors in one array, those that are updated alike side by side. */
export type Layout = { readonly slots: readonly Slot[]; readonly spans: readonly Span[]; readonly length: number };

/** Slots begin at multiples of a cache line, 16 float32. */
const line = 16;

/**
 * Lays trained tensors out in one array. The run's weight decay leaves out what has fewer than two axes: biases, and the
 * scales and shifts of norms; a group's own is what it says.
 */
export function layOut(graph: Graph, trained: readonly string[], decay = 0, groups: readonly Group[] = []): Layout {
  const told = trained.map((name) => {
    const { shape } = graph.initializers.get(name)!;
    const group = groups.find(({ match }) => match(name));
    return { name, shape, rate: group?.rate ?? 1, decay: group?.decay ?? (shape.length < 2 ? 0 : decay) };
  });
  const kinds = [...new Set(told.map(({ rate, decay }) => `${rate} ${decay}`))];
  const slots: Slot[] = [];
  const spans: Span[] = [];
  let offset = 0;
  for (const kind of kinds) {
    const alike = told.filter(({ rate, decay }) => `${rate} ${decay}` === kind);
    const begin = offset;
    for (const { name, shape } of alike) {
      const length = sizeOf(shape);
      slots.push({ name, shape, offset, length });
      offset += Math.ceil(length / line) * line;
    }
    spans.push({ begin, end: offset, rate: alike[0]!.rate, decay: alike[0]!.decay });
  }
  return { slots, spans, length: offset };
}
