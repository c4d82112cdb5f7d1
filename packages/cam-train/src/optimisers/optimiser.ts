import type { Builder, Value } from "@camkit/cam-core";

/** What an update is made of: 1-D values of one length, and scalars that are fed at every step. */
export type UpdateContext = {
  readonly op: Builder;
  readonly weights: Value;
  readonly gradients: Value;
  /** What the optimiser keeps from step to step, by name; zeros before the first. */
  readonly state: Readonly<Record<string, Value>>;
  /** The group's learning rate at this step. */
  readonly rate: Value;
  /** The group's weight decay; undefined for a group without. */
  readonly decay: Value | undefined;
  /** What `scalars` gives. */
  readonly scalars: Readonly<Record<string, Value>>;
};

export type Updated = { readonly weights: Value; readonly state: Readonly<Record<string, Value>> };

/**
 * An optimiser: data plus one function from nodes to nodes, element by element. It never sees a tensor's shape, so one
 * compiled graph serves all weights of a network, cut into pieces that stay in the processor's cache.
 */
export type Optimiser = {
  readonly name: string;
  /** Arrays of the weights' length that it keeps. */
  readonly state: readonly string[];
  /** Numbers that follow from the count of updates, this one included (from 1), and from the rate. */
  readonly scalars: (update: number, rate: number) => Readonly<Record<string, number>>;
  readonly build: (context: UpdateContext) => Updated;
};
