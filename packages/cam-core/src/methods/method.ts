import type { Builder, Value } from "../graph/builder.ts";
import type { Tensor } from "../tensor.ts";

/** What a method may ask for. */
export type Need =
  /** A and dA at the target layer. */
  | "activations"
  | "gradients"
  /** The model input x and dx. */
  | "input"
  | "input-gradients"
  /** The layer must lead through global average pooling into one linear layer, which makes dA the class weights. */
  | "linear-head";

/**
 * What a method's nodes are built from. Layer tensors are laid out [N, K, ...space] whatever the layer's own layout is
 * (channels-last and tokens included; prefix tokens are dropped), input tensors [N, C, ...space].
 */
export type MethodContext = {
  readonly op: Builder;
  readonly activations: Value;
  readonly gradients: Value;
  readonly input: Value;
  readonly inputGradients: Value;
  /** The spatial axes of the tensors above: [2, 3] for pictures. */
  readonly space: readonly number[];
  /** Tensors that earlier stages made. */
  readonly made: Readonly<Record<string, Value>>;
};

/** Nodes added to a graph. The result's names are what later stages read from `made`; the last stage gives `map`. */
export type NodesStage = {
  readonly kind: "nodes";
  readonly build: (context: MethodContext) => Readonly<Record<string, Value>>;
};

/** A decision in JavaScript on small tensors: clusters, neighbours, an order of channels. */
export type HostStage = {
  readonly kind: "host";
  readonly reads: readonly string[];
  readonly run: (tensors: Readonly<Record<string, Tensor>>) => Readonly<Record<string, Tensor>>;
};

/**
 * The model, or its part behind the layer, run on many variants of one sample. `over` [N, M, ...] holds one entry per variant;
 * from a slice of them [b, ...], `variants` builds model inputs [b, C, ...space] (or layer activations [b, K, ...space]); each
 * gives one score of the target. The result, [N, M], is called `makes`. Batches are sized so that a run stays short.
 */
export type BatchedStage = {
  readonly kind: "batched";
  readonly over: string;
  readonly from: "input" | "layer";
  readonly makes: string;
  readonly variants: (context: MethodContext, slice: Value) => Value;
};

export type Stage = NodesStage | HostStage | BatchedStage;

/** Where a map is made: at the layer's resolution, or at the input's. */
export type Resolution = "layer" | "input";

export type Method = {
  readonly name: string;
  /** One line for help texts. */
  readonly summary: string;
  /** Paper, with equation numbers. */
  readonly source: string;
  readonly needs: readonly Need[];
  readonly resolution: Resolution;
  /** Whether the raw map may be negative: such maps are shown by their positive part unless asked otherwise. */
  readonly signed: boolean;
  readonly stages: readonly Stage[];
};

type OneGraph = Omit<Method, "stages" | "resolution" | "signed"> & {
  readonly resolution?: Resolution;
  readonly signed?: boolean;
  /** The map [N, ...space] from A and dA, after the method's own rectifier and before normalising. */
  readonly build: (context: MethodContext) => Value;
};

/** A method that is one function from nodes to nodes. */
export function defineMethod({ build, ...method }: OneGraph): Method {
  return {
    resolution: "layer",
    signed: false,
    ...method,
    stages: [{ kind: "nodes", build: (context) => ({ map: build(context) }) }],
  };
}

/** A method that alternates nodes, decisions and batches of runs. */
export function defineStagedMethod(
  method: Omit<Method, "resolution" | "signed"> & Partial<Pick<Method, "resolution" | "signed">>,
): Method {
  return { resolution: "layer", signed: false, ...method };
}
