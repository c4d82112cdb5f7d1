import type { Builder, Value } from "../graph/builder.ts";
import type { Graph, Node } from "../graph/graph.ts";
import type { Tensor } from "../tensor.ts";
import type { Rng } from "../testing/rng.ts";

/** What a rule sees: the forward node's values, the cotangents of its outputs, and a builder to answer with. */
export type VjpContext = {
  readonly op: Builder;
  readonly node: Node;
  /** Version of the operator's domain. */
  readonly opset: number;
  /** The node's inputs; `""` where an optional one is absent. */
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  /** Cotangent of the first output. */
  readonly dy: Value;
  /** Cotangents of all outputs; null where none flows back. */
  readonly dys: readonly (Value | null)[];
  /** Whether anyone needs the cotangent of this input: saves building the others. */
  wants(input: number): boolean;
  /** Values that carry a gradient and that the node's sub-graphs take from the graph around them: not inputs, but read. */
  readonly captured: readonly Value[];
  /** Adds to the cotangent of a captured value. */
  give(value: Value, cotangent: Value): void;
  /**
   * The sweep itself, over nodes that the rule has added or that a sub-graph holds (`op` is its builder): what the seeds give
   * each of `wrt`, null where no path leads there.
   */
  pull(op: Builder, seeds: ReadonlyMap<Value, Value>, wrt: readonly Value[]): (Value | null)[];
  int(name: string, otherwise: number): number;
  float(name: string, otherwise: number): number;
  ints(name: string): readonly number[] | undefined;
  string(name: string, otherwise: string): string;
  /** An error that names this node: for attributes the rule can't differentiate. */
  refuse(reason: string, hint?: string): Error;
};

/**
 * One result per input, in order; null where no gradient flows, missing trailing ones count as null. A cotangent may still
 * have the broadcast shape: the sweep sums it back to the input's.
 */
export type Vjp = (context: VjpContext) => readonly (Value | null)[];

/** A point at which the numeric check differentiates: inputs in order (undefined: absent), attributes, extra settings. */
export type Sample = {
  readonly inputs: readonly (Tensor | undefined)[];
  readonly attributes?: Readonly<
    Record<
      string,
      | number
      | string
      | readonly number[]
      | { readonly float: number }
      | { readonly floats: readonly number[] }
      | { readonly strings: readonly string[] }
      | { readonly graph: Graph }
    >
  >;
  /** How many outputs the node has. Default 1. */
  readonly outputs?: number;
  /** Opset to test in. Default: the oldest that the builder emits. */
  readonly opset?: number;
  /** Positions of floating-point inputs that are constants of the graph, as they are in real files: scales, bounds. */
  readonly constants?: readonly number[];
  /** Inputs to differentiate. Default: every floating-point one that the rule gives a cotangent for. */
  readonly wrt?: readonly number[];
  /** Output to differentiate. Default 0. */
  readonly output?: number;
  /** The precision to check in. Default: float64 where ONNX Runtime has the kernels. */
  readonly precision?: "float32";
  /** A looser tolerance, with its reason in a comment beside it. */
  readonly rtol?: number;
};

export type Rule = {
  /**
   * How the numeric check steps: `linear` in each input (a central difference is exact at any step), `smooth`, or `kinked`
   * (piecewise smooth: the sample keeps away from the kinks).
   */
  readonly kind: "linear" | "smooth" | "kinked";
  readonly vjp: Vjp;
  /** Inputs that get nothing on purpose, by position, and why: a path through one is none. */
  readonly leftOut?: Readonly<Record<number, string>>;
  /** Where the numeric check looks. Several cases cover attributes, odd sizes, strides that don't divide. */
  readonly sample: (rng: Rng) => readonly (Tensor | Sample)[] | Sample;
};

/**
 * What stands in for a derivative that is 0 almost everywhere: straight through a rounding. Its own tests pin the numbers,
 * since no finite difference can.
 */
export type SurrogateRule = {
  readonly kind: "surrogate";
  /** What it is instead of. */
  readonly why: string;
  /** Its integer outputs stand for real numbers and carry a gradient. */
  readonly quantises: boolean;
  readonly vjp: Vjp;
};

/** An operator that no gradient flows through, on purpose: its output is a shape, an index, a choice, a step function. */
export type ZeroRule = { readonly kind: "zero"; readonly why: string };

export type Rules = Readonly<Record<string, Rule | SurrogateRule | ZeroRule>>;

/** Whether a rule is the derivative, which finite differences can check: neither a declared zero nor a stand-in. */
export function isDerivative(rule: Rules[string] | undefined): rule is Rule {
  return rule !== undefined && rule.kind !== "zero" && rule.kind !== "surrogate";
}

/** Keeps the literal's type honest; the keys are ONNX operator names (`domain:Name` outside ONNX's own domain). */
export function defineRules<const T extends Rules>(rules: T): T {
  return rules;
}

/** A declared zero. */
export function zero(why: string): ZeroRule {
  return { kind: "zero", why };
}

/** The samples of a rule as a list: a bare list of tensors is one sample's inputs. */
export function samplesOf(rule: Rule, rng: Rng): readonly Sample[] {
  const given = rule.sample(rng);
  if ("inputs" in given) return [given];
  return given.every((item) => "inputs" in item)
    ? (given as readonly Sample[])
    : [{ inputs: given as readonly Tensor[] }];
}
