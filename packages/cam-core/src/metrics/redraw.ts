import { copyGraph, type Graph, type Initializer, initializerOf, producersOf, topological } from "../graph/graph.ts";
import type { Model } from "../model/model.ts";
import { codesIn, isNarrow, packed } from "../narrow.ts";
import { createRng, type Rng } from "../phantom/random.ts";
import { bytesPerElement, sizeOf, type TypedArray, viewBytes } from "../tensor.ts";

/**
 * `normal`: numbers of the same mean and standard deviation. `permuted`: the weights themselves in another order, for integer and
 * half-precision weights always.
 */
export const draws = ["normal", "permuted"] as const;
export type Draw = (typeof draws)[number];

/** A node that multiplies by weights, and the initializers they are. */
export type WeightedLayer = { readonly name: string; readonly weights: readonly string[] };

/** Operators that multiply by weights, and the inputs that may be such. */
const weighted: Readonly<Record<string, readonly number[]>> = {
  Conv: [1],
  ConvTranspose: [1],
  ConvInteger: [1],
  QLinearConv: [3],
  Gemm: [0, 1],
  MatMul: [0, 1],
  MatMulInteger: [0, 1],
  QLinearMatMul: [3],
  LSTM: [1, 2],
  GRU: [1, 2],
  RNN: [1, 2],
};

/** What may stand between an initializer and the node that multiplies by it. */
const passing: ReadonlySet<string> = new Set(["DequantizeLinear", "Transpose", "Cast", "Identity", "Reshape"]);

/**
 * The model's layers with weights of rank 2 and more, the one nearest the output first. Biases and what belongs to
 * normalisation aren't among them. Weights that several nodes share belong to the one nearest the output.
 */
export function weightedLayers(graph: Graph): WeightedLayer[] {
  const producers = producersOf(graph);
  const seen = new Set<string>();
  const weightBehind = (name: string): string | undefined => {
    const node = producers.get(name);
    if (node) return passing.has(node.opType) ? weightBehind(node.inputs[0]!) : undefined;
    const found = graph.initializers.get(name);
    return found && found.shape.length >= 2 && !seen.has(name) ? name : undefined;
  };
  return topological(graph)
    .toReversed()
    .flatMap((node): WeightedLayer[] => {
      const weights = (weighted[node.opType] ?? []).flatMap((i) => weightBehind(node.inputs[i] ?? "") ?? []);
      for (const name of weights) seen.add(name);
      return weights.length === 0 ? [] : [{ name: node.name || node.outputs[0]!, weights: [...new Set(weights)] }];
    });
}

/**
 * The model with new weights under these names; its other weights and its structure are shared. What is drawn depends on seed and
 * name alone, so the same weight gets the same numbers in every stage.
 */
export function withRedrawn(model: Model, weights: readonly string[], seed: number, draw: Draw): Model {
  const graph = copyGraph(model.graph);
  for (const name of weights)
    graph.initializers.set(name, redrawn(graph.initializers.get(name)!, rngOf(seed, name), draw));
  return { ...model, graph };
}

function redrawn({ dtype, shape, bytes }: Initializer, rng: Rng, draw: Draw): Initializer {
  const data =
    draw === "normal" && (dtype === "float32" || dtype === "float64")
      ? normalLike(dtype, bytes, rng)
      : isNarrow(dtype)
        ? packed(dtype, permuted(codesIn(dtype, bytes, sizeOf(shape)), rng) as Uint8Array)
        : permuted(viewBytes(rawTypes[bytesPerElement[dtype]!]!, bytes), rng);
  return initializerOf({ dtype, shape, data });
}

/** Moving elements about asks for their width only. */
const rawTypes: Readonly<Record<number, "uint8" | "uint16" | "uint32" | "uint64">> = {
  1: "uint8",
  2: "uint16",
  4: "uint32",
  8: "uint64",
};

function normalLike(dtype: "float32" | "float64", bytes: Uint8Array, rng: Rng): TypedArray {
  const values = Float64Array.from(viewBytes(dtype, bytes) as Float32Array | Float64Array);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  // Box and Muller; the second of each pair isn't worth its bookkeeping.
  const drawn = values.map(() => {
    const radius = Math.sqrt(-2 * Math.log(1 - rng.unit()));
    return mean + deviation * radius * Math.cos(2 * Math.PI * rng.unit());
  });
  return dtype === "float32" ? Float32Array.from(drawn) : drawn;
}

function permuted(values: TypedArray, rng: Rng): TypedArray {
  const out = values.slice() as Uint8Array;
  for (let i = out.length - 1; i > 0; i--) {
    const j = rng.integer(0, i);
    [out[i], out[j]] = [out[j]!, out[i]!];
  }
  return out;
}

/** FNV-1a of the name separates the weights' streams. */
function rngOf(seed: number, name: string): Rng {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return createRng(seed, hash);
}
