import * as z from "zod/mini"; // a third of zod: pages carry it
import { ManifestError } from "../errors.ts";

/**
 * `model.camkit.json`, beside `model.onnx`: what the bytes of a model cannot say. Only `formatVersion` and `name` are
 * required; a model that camkit ships has all the rest too.
 */
export type Manifest = {
  formatVersion: 1;
  name: string;
  version?: string;
  /** An SPDX expression where there is one: "Apache-2.0", "CC-BY-NC-4.0". */
  licence?: string;
  source?: { url?: string; description?: string };
  /** SHA-256 of `model.onnx`, lower-case hexadecimal. */
  sha256?: string;
  /** By the name of the graph input. */
  inputs?: Record<string, InputManifest>;
  /** `classes[i]` names output unit i. Two units may bear the same word (ImageNet has two cranes). */
  classes?: string[];
  output?: OutputManifest;
  calibration?: CalibrationManifest;
  /** The tensor to explain when nobody says otherwise. */
  targetLayer?: string;
  /** How the tokens of a transformer lie: `prefix` class or register tokens, then `grid` [h, w], or [t, h, w], row by row. */
  tokens?: { prefix: number; grid: [number, number] | [number, number, number] };
  intendedUse?: string;
  /** What it can't do and mustn't be used for, the gravest first: reports put that one on top. */
  limits?: string[];
  /** What was measured, by name: `{ "top-1": { "value": 0.71, "baseline": 0.1, "command": "camkit test …" } }`. */
  results?: Record<string, MeasuredResult>;
  /** What one trade's package needs and checks itself, by package name. */
  extensions?: Record<string, unknown>;
};

/** How to get from a picture, a slice or a clip to one graph input. */
export type InputManifest = {
  layout: Layout;
  /** Rows before columns: [h, w]; [d, h, w] for a layout with D, [t, h, w] for one with T. */
  size: [number, number] | [number, number, number];
  /** Of the model's channel axis. Default "RGB" */
  channelOrder?: ChannelOrder;
  /** Default: bilinear, antialiased, squash. */
  resize?: ResizeManifest;
  /** What pixel 0 and pixel 255 become, before mean and std. Default [0, 1] */
  range?: [number, number];
  /** Subtracted after `range`; one per channel, in the model's channel order. */
  mean?: number[];
  /** Divided by after `mean`; one per channel, in the model's channel order. */
  std?: number[];
  /** The Hounsfield window (CT) that becomes pixel 0 … 255. */
  windowHu?: { center: number; width: number };
};

export type ResizeManifest = {
  kernel: Kernel;
  /** Average over the area a pixel comes from when shrinking (Pillow, torchvision's default) or sample points (OpenCV). */
  antialias: boolean;
  fit: Fit;
  /**
   * The whole picture's size before the crop. `fit: "short-side"`: the short side in pixels, or a box [h, w] that the picture just
   * covers; default: the model's. `fit: "squash"`: [h, w], or one number for a square; default: the model's, nothing is cut off.
   */
  resizeTo?: number | [number, number];
  /** Which part is kept when the picture doesn't have the model's proportions; only the centre so far. */
  crop?: "center";
  /** `fit: "pad"` only: the grey around the picture, 0..255. Default 0 */
  padValue?: number;
};

/** Whether the explained output is before or after its activation, and which one that is. */
export type OutputManifest = {
  /** Default: the graph's first output. */
  name?: string;
  kind: "logits" | "probabilities";
  /** `logits`: what turns them into probabilities. `probabilities`: what the graph ends with. */
  activation?: "softmax" | "sigmoid";
};

/**
 * How sure the model may be, fitted to samples that it wasn't trained on: probabilities are those of logits / temperature.
 * Source: Guo et al. 2017, arXiv:1706.04599, section 4.2; El-Yaniv and Wiener 2010, JMLR 11, for answering above a threshold.
 */
export type CalibrationManifest = {
  temperature: number;
  /** Where the likeliest class is below this probability, the model can't say. Only for classes of which one is right. */
  answerAbove?: number;
  /** What it was fitted to. */
  data?: string;
};

export type MeasuredResult = {
  value: number;
  unit?: string;
  /** The same measure of the obvious alternative: the majority class, the original model. */
  baseline?: number;
  /** A 95 % interval. */
  interval?: [number, number];
  /** On what. */
  data?: string;
  /** How to measure it again. */
  command?: string;
  note?: string;
};

/** Axis orders of graph inputs: N batch, C channel, D depth, T time, H rows, W columns. */
export const layouts = ["NCHW", "NHWC", "NHW", "NCDHW", "NDHWC", "NDHW", "NTCHW", "NCTHW", "NTHWC"] as const;
export type Layout = (typeof layouts)[number];

export const kernels = ["nearest", "bilinear", "bicubic", "lanczos3"] as const;
export type Kernel = (typeof kernels)[number];

/**
 * `squash` changes the proportions; `short-side` scales the short side to `resizeTo` and cuts the middle out; `pad` keeps
 * everything and fills up with `padValue` (letterbox).
 */
export const fits = ["short-side", "squash", "pad"] as const;
export type Fit = (typeof fits)[number];

export const channelOrders = ["RGB", "BGR", "grey"] as const;
export type ChannelOrder = (typeof channelOrders)[number];

const text = z.string().check(z.minLength(1));
const number = z.number(); // zod's numbers are finite
const positive = z.number().check(z.positive());
const pixels = z.int().check(z.positive());

const resizeSchema: z.ZodMiniType<ResizeManifest> = z
  .strictObject({
    kernel: z.enum(kernels),
    antialias: z.boolean(),
    fit: z.enum(fits),
    resizeTo: z.exactOptional(
      z.union([pixels, z.tuple([pixels, pixels])], { error: "expected whole pixels, or [h, w]" }),
    ),
    crop: z.exactOptional(z.literal("center")),
    padValue: z.exactOptional(z.int().check(z.minimum(0), z.maximum(255))),
  })
  .check(({ value: resize, issues }) => {
    for (const [key, fitting] of [
      ["resizeTo", ["short-side", "squash"]],
      ["crop", resize.resizeTo === undefined ? ["short-side"] : ["short-side", "squash"]],
      ["padValue", ["pad"]],
    ] as const)
      if (resize[key] !== undefined && !fitting.some((fit) => fit === resize.fit))
        issues.push(issueAt(key, resize, `has no meaning with fit "${resize.fit}"`));
  });

const inputSchema: z.ZodMiniType<InputManifest> = z
  .strictObject({
    layout: z.enum(layouts),
    size: z.union([z.tuple([pixels, pixels]), z.tuple([pixels, pixels, pixels])], {
      error: "expected [h, w], [d, h, w] or [t, h, w] in whole pixels",
    }),
    channelOrder: z.exactOptional(z.enum(channelOrders)),
    resize: z.exactOptional(resizeSchema),
    range: z.exactOptional(
      z
        .tuple([number, number])
        .check(z.refine(([low, high]) => low !== high, "pixel 0 and pixel 255 become the same value")),
    ),
    mean: z.exactOptional(z.array(number)),
    std: z.exactOptional(z.array(positive)),
    windowHu: z.exactOptional(z.strictObject({ center: number, width: positive })),
  })
  .check(({ value: input, issues }) => {
    const issue = (key: string, message: string) => issues.push(issueAt(key, input, message));
    const axes = /[DT]/.test(input.layout) ? 3 : 2;
    if (input.size.length !== axes)
      issue("size", `${input.layout} has ${axes} axes to size, found ${input.size.length}`);
    const grey = input.channelOrder === "grey";
    if (!input.layout.includes("C") && !grey)
      issue("channelOrder", `${input.layout} has no channel axis: expected "grey"`);
    for (const key of ["mean", "std"] as const) {
      const found = input[key]?.length;
      const channels = grey ? 1 : 3;
      if (found !== undefined && found !== channels)
        issue(key, `expected ${channels} number${channels > 1 ? "s" : ""}, one per channel, found ${found}`);
    }
  });

function issueAt(key: string, input: unknown, message: string) {
  return { code: "custom" as const, path: [key], input, message };
}

const calibrationSchema: z.ZodMiniType<CalibrationManifest> = z.strictObject({
  temperature: positive,
  answerAbove: z.exactOptional(z.number().check(z.gt(0), z.lt(1))),
  data: z.exactOptional(text),
});

const resultSchema: z.ZodMiniType<MeasuredResult> = z.strictObject({
  value: number,
  unit: z.exactOptional(text),
  baseline: z.exactOptional(number),
  interval: z.exactOptional(z.tuple([number, number])),
  data: z.exactOptional(text),
  command: z.exactOptional(text),
  note: z.exactOptional(text),
});

const manifestSchema: z.ZodMiniType<Manifest> = z.strictObject({
  formatVersion: z.literal(1),
  name: text,
  version: z.exactOptional(text),
  licence: z.exactOptional(text),
  source: z.exactOptional(z.strictObject({ url: z.exactOptional(z.url()), description: z.exactOptional(text) })),
  sha256: z.exactOptional(z.string().check(z.regex(/^[0-9a-f]{64}$/, "expected 64 lower-case hexadecimal digits"))),
  inputs: z.exactOptional(z.record(text, inputSchema)),
  classes: z.exactOptional(z.array(text).check(z.minLength(1))),
  output: z.exactOptional(
    z.strictObject({
      name: z.exactOptional(text),
      kind: z.enum(["logits", "probabilities"]),
      activation: z.exactOptional(z.enum(["softmax", "sigmoid"])),
    }),
  ),
  calibration: z.exactOptional(calibrationSchema),
  targetLayer: z.exactOptional(text),
  tokens: z.exactOptional(
    z.strictObject({
      prefix: z.int().check(z.minimum(0)),
      grid: z.union([z.tuple([pixels, pixels]), z.tuple([pixels, pixels, pixels])]),
    }),
  ),
  intendedUse: z.exactOptional(text),
  limits: z.exactOptional(z.array(text)),
  results: z.exactOptional(z.record(text, resultSchema)),
  extensions: z.exactOptional(z.record(text, z.unknown())),
});

/**
 * The manifest in parsed JSON. `path` names the file in messages.
 * Throws ManifestError that lists every problem as `where: what`; an unknown key is a problem (it would be a typing slip
 * that changes nothing, silently).
 */
export function parseManifest(json: unknown, path: string): Manifest {
  const parsed = manifestSchema.safeParse(json, { error: words });
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.flatMap(describeIssue);
  throw new ManifestError(path, `not a valid manifest\n${problems.map((problem) => `  ${problem}`).join("\n")}`, {
    hint: "Keys that are not in the format are refused, so that a typing slip does not pass for a setting.",
  });
}

/** What zod says of each kind of problem; zod/mini has no language of its own. */
const words = z.locales.en().localeError;

/** The schema as JSON Schema (2020-12), for editors that complete and check JSON. */
export function manifestJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(manifestSchema, { io: "input" }) as Record<string, unknown>;
}

function describeIssue(issue: z.core.$ZodIssue): string[] {
  const at = (keys: readonly PropertyKey[]) => keys.map(String).join(".") || "(the whole file)";
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => `${at([...issue.path, key])}: unknown key`);
  return [`${at(issue.path)}: ${issue.message}`];
}
