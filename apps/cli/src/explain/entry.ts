import type { Placement, Prediction } from "@camkit/cam-core";
import type { Verdict } from "./verdict.ts";

/** What result.json says about one sample: a picture, or one of the batch in a `.npy` file. */
export type Entry = {
  readonly file: string;
  readonly kind: "picture" | "tensor";
  /** Which of the batch, where there are several. */
  readonly sample?: number;
  /** The picture's own size, upright. */
  readonly size?: { readonly width: number; readonly height: number };
  /** The tensors that were fed, by input name. */
  readonly fed?: Readonly<Record<string, { readonly dtype: string; readonly shape: readonly number[] }>>;
  /** What was done to read the picture. */
  readonly notes?: readonly string[];
  /** The rectangle of the picture that the model saw, in its pixels. */
  readonly placement?: Placement;
  /** The best classes; none for outputs that are laid out in space. */
  readonly predictions: readonly Prediction[];
  /** Where the model's manifest says from which probability on it answers. */
  readonly verdict?: Verdict;
  readonly explanations: readonly EntryExplanation[];
};

export type EntryExplanation = {
  /** As asked for: "auto", a label, "A − B". */
  readonly target: string;
  readonly class?: number;
  readonly label?: string;
  /** The scalar that was explained: a logit where the target is a class. */
  readonly score: number;
  readonly probability?: number;
  /** The raw map's extremes, per layer. */
  readonly raw: readonly { readonly layer: string; readonly min: number; readonly max: number }[];
  /** Where the finished map is highest: in the picture's pixels, or as indices into the map. */
  readonly peak?: { readonly x: number; readonly y: number } | { readonly index: readonly number[] };
  /** Names in the output folder; `raw` as paths of their own. */
  readonly files: { readonly picture?: string; readonly map?: string; readonly raw?: readonly string[] };
  readonly warnings: readonly string[];
};
