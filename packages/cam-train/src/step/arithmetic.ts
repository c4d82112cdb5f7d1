import { Builder, emptyGraph, openSession, type Session, type Tensor } from "@camkit/cam-core";
import type { Layout } from "./layout.ts";
import { takingTurns } from "./update.ts";

/** What is done with whole gradients between backward pass and update. */
export type Arithmetic = {
  /** a ← a + b */
  add(a: Float32Array, b: Float32Array): Promise<void>;
  /** The Euclidean norm of an array, its slots' padding being zero. */
  norm(a: Float32Array): Promise<number>;
  close(): Promise<void>;
};

const piece = 1 << 18;

export async function openArithmetic(layout: Layout, threads?: number): Promise<Arithmetic> {
  const graph = emptyGraph("arithmetic", new Map([["", 18]]));
  graph.inputs.push({ name: "a", dtype: "float32", shape: ["n"] }, { name: "b", dtype: "float32", shape: ["n"] });
  const op = new Builder(graph);
  const sum = op.alias(op.add("a", "b"), "sum");
  const square = op.alias(op.reduceSumSquare("a", { axes: "all", keepdims: false }), "square");
  graph.outputs = [sum, square].map((name) => ({ name, dtype: "float32" }));
  const session: Session = await openSession(graph, takingTurns(threads));
  const pieces = function* (...arrays: Float32Array[]): Generator<Tensor[]> {
    for (let at = 0; at < layout.length; at += piece)
      yield arrays.map((array) => {
        const data = array.subarray(at, at + piece);
        return { dtype: "float32", shape: [data.length], data };
      });
  };
  return {
    add: async (x, y) => {
      for (const [a, b] of pieces(x, y)) await session.run({ a: a!, b: b! }, { sum: a! });
    },
    norm: async (x) => {
      let total = 0;
      for (const [a] of pieces(x)) {
        const found = await session.run({ a: a!, b: a! }, { square: null });
        total += Number((found.square!.data as Float32Array)[0]);
      }
      return Math.sqrt(total);
    },
    close: () => session.close(),
  };
}
