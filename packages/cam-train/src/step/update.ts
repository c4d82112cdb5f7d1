import {
  Builder,
  emptyGraph,
  float32,
  openSession,
  type Session,
  type SessionOptions,
  type Value,
} from "@camkit/cam-core";
import { renameValue } from "../network/rename.ts";
import type { Optimiser } from "../optimisers/optimiser.ts";
import type { Layout, Span } from "./layout.ts";
import { pieces } from "./pieces.ts";

/** Flat arrays of a layout's length: the weights, their gradients, the optimiser's state and the moving average. */
export type Arrays = {
  readonly weights: Float32Array;
  readonly gradients: Float32Array;
  readonly state: Readonly<Record<string, Float32Array>>;
  readonly average?: Float32Array;
};

export type UpdateOptions = {
  readonly layout: Layout;
  readonly optimiser: Optimiser;
  /** Whether gradients are multiplied by a number first: clipping, a mean over accumulated steps. */
  readonly scaled: boolean;
  /** Whether a moving average of the weights is kept. */
  readonly averages: boolean;
  readonly threads?: number | undefined;
};

export type UpdateNumbers = {
  /** Counts from 1. */
  readonly update: number;
  readonly rate: number;
  /** Counts for a `scaled` update. */
  readonly scale: number;
  /** How much of the old average stays; counts where one is kept. */
  readonly keep?: number;
};

/** Changes the arrays in place. */
export type Update = {
  /** @param spans what is updated. Default: all of the layout */
  apply(arrays: Arrays, numbers: UpdateNumbers, spans?: readonly Span[]): Promise<void>;
  close(): Promise<void>;
};

/**
 * Backward pass and update are two sessions that take turns: the threads of one would spin on while the other runs. (Two cores:
 * ResNet-18's update 80 -> 27 ms, the CIFAKE network's backward pass 60 -> 39.) Both write into arrays that are there.
 */
export function sharing(threads: number | undefined): SessionOptions {
  return { restBetweenRuns: true, writesInto: true, threads };
}

/**
 * Compiles an optimiser. Its graph is element-wise, and each result is made from all reads of what it replaces, so it may be
 * written where that lay: no second set of arrays is needed.
 */
export async function openUpdate(options: UpdateOptions): Promise<Update> {
  const { layout, optimiser, threads } = options;
  const sessions = new Map<boolean, Session>();
  try {
    for (const decays of new Set(layout.spans.map(({ decay }) => decay !== 0)))
      sessions.set(decays, await openSession(updateGraph(options, decays), sharing(threads)));
  } catch (error) {
    for (const session of sessions.values()) await session.close();
    throw error;
  }
  return {
    apply: async (arrays, { update, rate, scale, keep = 0 }, spans = layout.spans) => {
      for (const span of spans) {
        const numbers = {
          scale,
          keep,
          rate: rate * span.rate,
          decay: span.decay,
          ...optimiser.scalars(update, rate * span.rate),
        };
        await applyTo(sessions.get(span.decay !== 0)!, span, arrays, numbers);
      }
    },
    close: async () => {
      for (const session of sessions.values()) await session.close();
    },
  };
}

async function applyTo(session: Session, span: Span, arrays: Arrays, numbers: Record<string, number>): Promise<void> {
  const scalars = Object.fromEntries(
    Object.entries(numbers).flatMap(([name, value]) =>
      session.inputs.includes(name) ? [[name, float32([], [value])]] : [],
    ),
  );
  for (const cut of pieces(span.begin, span.end)) {
    const kept = Object.fromEntries(Object.entries(arrays.state).map(([name, array]) => [`state/${name}`, cut(array)]));
    const changed = { weights: cut(arrays.weights), ...kept, ...(arrays.average && { average: cut(arrays.average) }) };
    const into = Object.fromEntries(Object.entries(changed).map(([name, tensor]) => [`${name}/next`, tensor]));
    await session.run({ ...changed, gradients: cut(arrays.gradients), ...scalars }, into);
  }
}

function updateGraph({ optimiser, scaled, averages }: UpdateOptions, decays: boolean) {
  const graph = emptyGraph(optimiser.name, new Map([["", 18]]));
  const arrays = ["weights", "gradients", ...optimiser.state.map((name) => `state/${name}`)];
  const scalars = ["scale", "keep", "rate", ...(decays ? ["decay"] : []), ...Object.keys(optimiser.scalars(1, 1))];
  for (const name of [...arrays, ...(averages ? ["average"] : [])])
    graph.inputs.push({ name, dtype: "float32", shape: ["n"] });
  for (const name of scalars) graph.inputs.push({ name, dtype: "float32", shape: [] });
  const op = new Builder(graph);
  const named = (names: readonly string[], prefix = "") => Object.fromEntries(names.map((n) => [n, `${prefix}${n}`]));
  const { weights, state } = optimiser.build({
    op,
    weights: "weights",
    gradients: scaled ? op.mul("gradients", "scale") : "gradients",
    state: named(optimiser.state, "state/"),
    rate: "rate",
    decay: decays ? "decay" : undefined,
    scalars: named(scalars),
  });
  const results: [string, Value][] = [["weights", weights]];
  for (const name of optimiser.state) results.push([`state/${name}`, state[name]!]);
  // a ← w + keep · (a − w)
  if (averages) results.push(["average", op.add(op.mul(op.sub("average", weights), "keep"), weights)]);
  // Renamed rather than aliased: an Identity would copy every array once more.
  graph.outputs = results.map(([name, value]) => ({
    name: renameValue(op, value, `${name}/next`, 0),
    dtype: "float32",
  }));
  const read = new Set(graph.nodes.flatMap((node) => node.inputs));
  graph.inputs = graph.inputs.filter(({ name }) => read.has(name));
  return graph;
}
