import * as z from "zod/mini";
import { ManifestError } from "../../errors.ts";
import type { Graph, ValueInfo } from "../../graph/graph.ts";
import type { Manifest } from "../manifest.ts";

/** Another project's description of a model, as a manifest. */
export type ForeignManifest = {
  readonly manifest: Manifest;
  /** The files it was made from, as they are called in messages. */
  readonly files: readonly string[];
  /** The one of them that says how pictures are prepared, where not all do. */
  readonly inputsFrom?: string;
  /** What was assumed, and what was left out. */
  readonly notes: readonly string[];
};

/** What a format is given: the graph, and the JSON files that it asks for. */
export type Found = {
  readonly graph: Graph;
  /** The model file's name, without its ending. */
  readonly name: string;
  /** The parsed file of one of `files`; undefined where it isn't there. */
  json(file: string): unknown;
  /** What messages call it. */
  called(file: string): string;
};

/** Another project's way to describe a model. */
export type ForeignFormat = {
  readonly name: string;
  /** JSON files it may consist of, relative to the model's folder. None for what lies in the model itself. */
  readonly files: readonly string[];
  /** Whether a description that is there and can't be followed is refused. Default: it is left out, and a note says so. */
  readonly binding?: boolean;
  /** The manifest, undefined where this isn't its format. Throws ManifestError where it is, but damaged or contradictory. */
  read(found: Found): ForeignManifest | undefined;
};

/** The input that pictures are for: floating point or bytes, [N, C, H, W], a clip's [N, T, C, H, W], or channels last. */
export function pictureInput(graph: Graph): (ValueInfo & { readonly layout: PictureLayout }) | undefined {
  for (const info of graph.inputs) {
    const { shape = [], dtype } = info;
    if (!/^(float|uint8)/.test(dtype)) continue;
    const layout = pictureLayouts.find(
      ({ length }, i) => length === shape.length && few(shape[channelsAt(pictureLayouts[i]!)]),
    );
    if (layout) return { ...info, layout };
  }
  return undefined;
}

const pictureLayouts = ["NCHW", "NHWC", "NTCHW", "NCTHW", "NTHWC"] as const;
export type PictureLayout = (typeof pictureLayouts)[number];

const channelsAt = (layout: PictureLayout): number => layout.indexOf("C");

/** Grey or colour, or not said. */
const few = (dim: unknown): boolean => typeof dim !== "number" || dim === 1 || dim === 3;

const words = z.locales.en().localeError;

/** JSON of another's format, of which only what is used is checked. Throws ManifestError with every problem. */
export function parseForeign<T>(schema: z.ZodMiniType<T>, json: unknown, file: string): T {
  const parsed = schema.safeParse(json, { error: words });
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `  ${path.map(String).join(".")}: ${message}`);
  throw new ManifestError(file, `can't be understood\n${problems.join("\n")}`, {
    hint: "Correct it, or describe the model in a model.camkit.json.",
  });
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
