import { z } from "zod";

const text = z.string().min(1);
/** Class i is `classes[i]`: the order that a model's outputs have. Give the training data's to the test data. */
const classes = z.array(text).min(1).exactOptional();

/** One folder per class, pictures in it, in nested folders too. Without `classes`, the folders' names in order. */
const folderSchema = z.strictObject({
  kind: z.literal("folder"),
  path: text,
  classes,
  /** Read every picture once when the data is opened, and leave out those that can't be read; the report lists them. */
  skipUnreadable: z.boolean().exactOptional(),
});

/**
 * A CSV file with a header: `path`; then `label` (a name or number, several of them separated by `|`) or the numeric columns
 * `targets`; where present `group` (what must not straddle a split: a patient), `mask` (a picture, above 127 is inside) and
 * `split`, of which rows with the value `split` are taken.
 */
const listSchema = z.strictObject({
  kind: z.literal("list"),
  path: text,
  /** What `path` and `mask` are relative to. Default: the folder of the list. */
  root: text.exactOptional(),
  classes,
  targets: z.array(text).min(1).exactOptional(),
  split: text.exactOptional(),
  /** Every row may have several labels or none, even where each happens to have one. Default: when a label has a `|`. */
  multiLabel: z.boolean().exactOptional(),
  skipUnreadable: z.boolean().exactOptional(),
});

/**
 * Arrays in .npy files. `inputs`: uint8 [N, H, W, C] are pictures, float32 [N, ...] finished tensors. `labels`: whole numbers
 * [N] are classes, whole numbers [N, K] (0 or 1) several labels a sample, floats [N] or [N, K] values. `groups`: [N].
 */
const npySchema = z.strictObject({
  kind: z.literal("npy"),
  inputs: text,
  labels: text,
  groups: text.exactOptional(),
  classes,
});

/** A generator in code: `export` (default "default") of an ES module, a path or a file: or data: URL; see `Generator`. */
const moduleSchema = z.strictObject({
  kind: z.literal("module"),
  url: text,
  export: text.exactOptional(),
  /** Handed to the generator; plain JSON. */
  options: z.record(z.string(), z.json()).exactOptional(),
});

/** Where samples come from, as plain JSON: it lies in configurations and checkpoints. */
export const dataSpecSchema = z.discriminatedUnion("kind", [folderSchema, listSchema, npySchema, moduleSchema]);
export type DataSpec = z.infer<typeof dataSpecSchema>;

export type FolderSpec = z.infer<typeof folderSchema>;
export type ListSpec = z.infer<typeof listSchema>;
export type NpySpec = z.infer<typeof npySchema>;
export type ModuleSpec = z.infer<typeof moduleSchema>;
