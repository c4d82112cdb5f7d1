import type { Dim } from "../graph/graph.ts";

/**
 * What an axis of a value stands for. `space` names the input's spatial axes it runs along (0 is the first, as in the input):
 * one for H or W, several in order for tokens laid out in a row, with `prefix` and `suffix` extra positions (class,
 * distillation and register tokens) around the grid of `extents`.
 */
export type Axis =
  | { readonly kind: "batch" | "channel" | "other" }
  /** Several axes reshaped into one (windows and batch, batch and tokens), which a later reshape may take apart again. */
  | { readonly kind: "merged"; readonly parts: Axes; readonly sizes: readonly Dim[] }
  /** One of the axes that `whole` was split into, which a later reshape may join again. */
  | { readonly kind: "part"; readonly whole: Axis; readonly index: number; readonly sizes: readonly Dim[] }
  | {
      readonly kind: "space";
      readonly axes: readonly number[];
      readonly extents: readonly Dim[];
      readonly prefix: number;
      readonly suffix: number;
    };

export type Axes = readonly Axis[];
export type SpaceAxis = Extract<Axis, { kind: "space" }>;

export const batch: Axis = { kind: "batch" };
export const channel: Axis = { kind: "channel" };
export const other: Axis = { kind: "other" };

export function isSpace(axis: Axis | undefined): axis is SpaceAxis {
  return axis?.kind === "space";
}

/** One axis of the input's space. */
export function spaceAxis(axis: number, extent: Dim): SpaceAxis {
  return { kind: "space", axes: [axis], extents: [extent], prefix: 0, suffix: 0 };
}
