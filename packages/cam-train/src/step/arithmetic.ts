import { Builder, emptyGraph, float32, openSession, type Session, type Value } from "@camkit/cam-core";
import type { Layout } from "./layout.ts";
import { pieces } from "./pieces.ts";
import { sharing } from "./update.ts";

/** What is done with whole gradients between backward pass and update. Compiled when it is first asked for. */
export type Arithmetic = {
  /** a ← a + b */
  add(a: Float32Array, b: Float32Array): Promise<void>;
  /** The Euclidean norm of an array, its slots' padding being zero. */
  norm(a: Float32Array): Promise<number>;
  close(): Promise<void>;
};

/** Each a graph of its own: the runtime computes all of a graph, whatever is fetched. */
const operations = {
  sum: { inputs: ["a", "b"], build: (op: Builder) => op.add("a", "b") },
  square: { inputs: ["a"], build: (op: Builder) => op.reduceSumSquare("a", { axes: "all", keepdims: false }) },
} as const satisfies Record<string, { inputs: readonly Value[]; build: (op: Builder) => Value }>;

export function openArithmetic(layout: Layout, threads?: number): Arithmetic {
  const opened = new Map<keyof typeof operations, Promise<Session>>();
  const session = (name: keyof typeof operations): Promise<Session> => {
    const found = opened.get(name) ?? openSession(graphOf(name), sharing(threads));
    opened.set(name, found);
    return found;
  };
  return {
    add: async (x, y) => {
      const run = await session("sum");
      for (const cut of pieces(0, layout.length)) await run.run({ a: cut(x), b: cut(y) }, { sum: cut(x) });
    },
    norm: async (x) => {
      const run = await session("square");
      let total = 0;
      for (const cut of pieces(0, layout.length)) {
        const square = float32([], [0]);
        await run.run({ a: cut(x) }, { square });
        total += square.data[0] as number;
      }
      return Math.sqrt(total);
    },
    close: async () => {
      for (const each of opened.values()) await (await each).close();
    },
  };
}

function graphOf(name: keyof typeof operations) {
  const { inputs, build } = operations[name];
  const graph = emptyGraph(name, new Map([["", 18]]));
  graph.inputs = inputs.map((input) => ({ name: input, dtype: "float32", shape: ["n"] }));
  const op = new Builder(graph);
  graph.outputs = [{ name: op.alias(build(op), name), dtype: "float32" }];
  return graph;
}
