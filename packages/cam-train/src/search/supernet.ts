import { emptyGraph, type Graph, type Tensor, viewBytes } from "@camkit/cam-core";
import { chooseTrainable } from "../network/choose-trainable.ts";
import { adam } from "../optimisers/adam.ts";
import { type Layout, layOut, type Slot } from "../step/layout.ts";
import { openUpdate } from "../step/update.ts";
import type { Architecture, SearchSpace } from "./space.ts";

/** The weights of all networks of a space, each once, with what Adam remembers of them. */
export type Supernet = {
  readonly layout: Layout;
  readonly weights: Float32Array;
  readonly gradients: Float32Array;
  readonly state: Readonly<Record<string, Float32Array>>;
  /** Running statistics of norms, by initializer. */
  readonly statistics: Readonly<Record<string, Float32Array>>;
  /** How often each tensor was updated: Adam's corrections are those of the tensor, not of the run. */
  readonly updates: Map<string, number>;
  /** A tensor on an array's own memory. */
  view(array: Float32Array, name: string, shape?: readonly number[]): Tensor;
  /**
   * Changes the named weights by their gradients, which are shortened, all together, to the length `clip`. Others, whose ops
   * weren't on the path, stay as they are. Returns the gradients' length before.
   */
  update(names: readonly string[], settings: { readonly rate: number; readonly clip: number }): Promise<number>;
  close(): Promise<void>;
};

export type SupernetOptions = {
  readonly space: SearchSpace;
  /** The network of an architecture, in inference form. */
  readonly network: (architecture: Architecture) => Graph;
  readonly decay: number;
  readonly threads?: number | undefined;
};

/** Weights begin as those of each network would: they are drawn by name. */
export async function openSupernet({ space, network, decay, threads }: SupernetOptions): Promise<Supernet> {
  const all = emptyGraph("supernet", new Map([["", 18]]));
  const trained = new Set<string>();
  const statistics: Record<string, Float32Array> = {};
  for (const graph of covering(space).map(network)) {
    for (const name of chooseTrainable(graph)) {
      trained.add(name);
      all.initializers.set(name, graph.initializers.get(name)!);
    }
    for (const { opType, inputs } of graph.nodes)
      if (opType === "BatchNormalization")
        for (const name of inputs.slice(3)) statistics[name] ??= valuesOf(graph, name).slice();
  }
  const layout = layOut(all, [...trained], decay);
  const slots = new Map(layout.slots.map((slot) => [slot.name, slot]));
  const array = () => new Float32Array(layout.length);
  const weights = array();
  for (const { name, offset, length } of layout.slots) weights.set(valuesOf(all, name).subarray(0, length), offset);
  const optimiser = adam();
  const [gradients, state] = [array(), Object.fromEntries(optimiser.state.map((name) => [name, array()]))];
  const change = await openUpdate({ layout, optimiser, scaled: true, averages: false, threads });
  const updates = new Map<string, number>();
  const decayOf = ({ offset }: Slot) => layout.spans.find(({ begin, end }) => begin <= offset && offset < end)!.decay;
  return {
    ...{ layout, weights, gradients, state, statistics, updates },
    view: (from, name, shape) => {
      const { offset, length, ...slot } = slots.get(name)!;
      return { dtype: "float32", shape: shape ?? slot.shape, data: from.subarray(offset, offset + length) };
    },
    update: async (names, { rate, clip }) => {
      const found = names.map((name) => slots.get(name)!);
      const norm = Math.sqrt(found.reduce((sum, slot) => sum + squares(gradients, slot), 0));
      // torch.nn.utils.clip_grad_norm_: never longer than `clip`, with its 1e-6 against a norm of 0.
      const scale = Math.min(1, clip / (norm + 1e-6));
      for (const slot of found) {
        const update = (updates.get(slot.name) ?? 0) + 1;
        updates.set(slot.name, update);
        const span = { begin: slot.offset, end: slot.offset + slot.length, rate: 1, decay: decayOf(slot) };
        await change.apply({ weights, gradients, state }, { update, rate, scale }, [span]);
      }
      return norm;
    },
    close: () => change.close(),
  };
}

/** Architectures that between them have every op of every cell. */
function covering({ cells }: SearchSpace): Architecture[] {
  const most = Math.max(...Object.values(cells).map((ops) => ops.length));
  return Array.from({ length: most }, (_, i) =>
    Object.fromEntries(Object.entries(cells).map(([cell, ops]) => [cell, ops[i % ops.length]!])),
  );
}

function valuesOf(graph: Graph, name: string): Float32Array {
  return viewBytes("float32", graph.initializers.get(name)!.bytes) as Float32Array;
}

function squares(array: Float32Array, { offset, length }: Slot): number {
  let sum = 0;
  for (let i = offset; i < offset + length; i++) sum += array[i]! * array[i]!;
  return sum;
}
