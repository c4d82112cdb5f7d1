import {
  Builder,
  checkGraph,
  emptyGraph,
  type Graph,
  type Initializer,
  pruneUnused,
  type Shape,
  sizeOf,
  type Value,
} from "@camkit/cam-core";
import { NetworkError } from "../errors.ts";
import { type Init, initialValues } from "./initialisers.ts";
import { renameValue } from "./rename.ts";

/** The operators' version that networks are written in. */
const opset = 18;

export type NetworkOptions = {
  /** The graph's name. */
  readonly name: string;
  /** float32; the batch is a symbol: `{ name: "image", shape: ["n", 3, 32, 32] }`. */
  readonly input: { readonly name: string; readonly shape: Shape };
  /** What the first weights are drawn from. */
  readonly seed: number;
};

/**
 * Writes a network in inference form: a graph whose parameters are initializers. Names are those that PyTorch would give:
 * scopes and layers joined by dots, `layer1.0.conv1.weight`; a layer's output bears the layer's name, `layer1.0.conv1`.
 */
export class NetworkBuilder {
  readonly op: Builder;
  readonly input: Value;
  readonly #seed: number;
  readonly #layers = new Set<string>();
  #scope = "";
  #place = "";

  constructor({ name, input, seed }: NetworkOptions) {
    const graph = emptyGraph(name, new Map([["", opset]]));
    graph.inputs.push({ name: input.name, dtype: "float32", shape: input.shape });
    this.op = new ScopedBuilder(graph, () => this.#scope || name);
    this.input = input.name;
    this.#seed = seed;
  }

  /** Everything built inside has names that begin with this one. */
  scope<T>(name: string, build: () => T): T {
    const outer = this.#scope;
    this.#scope = this.#full(name);
    try {
      return build();
    } finally {
      this.#scope = outer;
    }
  }

  /**
   * A scope with one result, which gets the scope's name, also where it had one from a layer inside: use what is returned.
   * Throws NetworkError for a name that another layer has.
   */
  layer(name: string, build: () => Value): Value {
    const full = this.#full(name);
    if (this.#layers.has(full))
      throw this.refuse(`two layers are called "${full}"`, { hint: "Give one of them another name." });
    this.#layers.add(full);
    const start = this.op.graph.nodes.length;
    return renameValue(this.op, this.scope(name, build), full, start);
  }

  /** `relu`, or `relu2` where a layer in this scope is called that already. */
  free(kind: string): string {
    let name = kind;
    for (let count = 2; this.#layers.has(this.#full(name)); count++) name = `${kind}${count}`;
    return name;
  }

  /** A parameter: an initializer whose values come from the seed and its full name. They are drawn when first read. */
  parameter(name: string, shape: readonly number[], init: Init): Value {
    const full = this.#full(name);
    if (this.op.graph.initializers.has(full)) throw this.refuse(`two parameters are called "${full}"`);
    this.op.graph.initializers.set(
      full,
      drawnLater(shape, () => initialValues(init, shape, this.#seed, full)),
    );
    this.op.facts.types.set(full, { dtype: "float32", shape });
    return full;
  }

  /** Dimensions of a value: numbers, and a symbol where a size is open. */
  dims(value: Value): Shape {
    this.op.rank(value);
    return this.op.dims(value)!;
  }

  /** A size that a parameter's shape depends on. Throws NetworkError where it is open. */
  size(value: Value, axis: number): number {
    const dims = this.dims(value);
    const size = dims.at(axis);
    if (typeof size === "number") return size;
    throw this.refuse(`axis ${axis} of its input ${shapeText(dims)} must have a known size`, {
      hint: "Weights depend on it: give the network's input a number there.",
    });
  }

  /** Where in a configuration the part lies that is being built, as errors name it: `layers[3].conv`. */
  at<T>(place: string, build: () => T): T {
    const outer = this.#place;
    this.#place = place;
    try {
      return build();
    } finally {
      this.#place = outer;
    }
  }

  /** The place in a configuration, or the name where code builds. */
  get place(): string {
    return this.#place || this.#scope || this.op.graph.name;
  }

  /** An error about what is being built now, or about one option of it. */
  refuse(reason: string, about: { option?: string; hint?: string } = {}): NetworkError {
    const where = [this.place, about.option].filter(Boolean).join(".");
    return new NetworkError(`${where}: ${reason}`, about.hint === undefined ? {} : { hint: about.hint });
  }

  /** The checked graph, with its outputs under the given names: `{ logits: value }`. Nothing may be built afterwards. */
  finish(outputs: Readonly<Record<string, Value>>): Graph {
    const { graph } = this.op;
    for (const [name, value] of Object.entries(outputs)) {
      const named = renameValue(this.op, value, name);
      // What no node makes, the input itself, can't be called otherwise.
      if (named !== name) this.op.alias(named, name);
      graph.outputs.push({ name, dtype: this.op.dtype(name), shape: this.dims(name) });
    }
    pruneUnused(graph);
    checkGraph(graph);
    return graph;
  }

  #full(name: string): string {
    return this.#scope === "" ? name : `${this.#scope}.${name}`;
  }
}

/** Names what a layer makes on the way to its result after the layer: `block1.attention/MatMul`. */
class ScopedBuilder extends Builder {
  readonly #used = new Set<string>();
  readonly #scope: () => string;

  constructor(graph: Graph, scope: () => string) {
    super(graph);
    this.#scope = scope;
  }

  override fresh(hint: string): Value {
    const base = `${this.#scope()}/${hint}`;
    let name = base;
    for (let count = 2; this.#used.has(name); count++) name = `${base}_${count}`;
    this.#used.add(name);
    return name;
  }
}

/** Sizes are known at once, values when somebody wants them: counting the parameters of a network draws none. */
function drawnLater(shape: readonly number[], draw: () => Float32Array): Initializer {
  let bytes: Uint8Array | undefined;
  return {
    dtype: "float32",
    shape,
    byteLength: 4 * sizeOf(shape),
    get bytes() {
      bytes ??= new Uint8Array(draw().buffer);
      return bytes;
    },
  };
}

/** A shape as messages show it: `[n, 32, 13, 13]`. */
export function shapeText(shape: Shape): string {
  return `[${shape.map((dim) => dim ?? "?").join(", ")}]`;
}
