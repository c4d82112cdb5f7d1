import { RuntimeFailure } from "../errors.ts";
import type { ExportedGraph, ExportOptions } from "../explain/export.ts";
import { feedPixels, pixelInput } from "../explain/pixels.ts";
import { seal } from "../explain/plan.ts";
import { Builder } from "../graph/builder.ts";
import { emptyGraph, type Graph } from "../graph/graph.ts";
import { preparePicture } from "../image/prepare.ts";
import type { Target } from "../targets/parse.ts";
import { int64, numbersIn, rowOf, type Tensor } from "../tensor.ts";
import { createExplainer } from "./explain.ts";
import type { ModelFile } from "./load-model.ts";
import { randomFeeds } from "./random-feeds.ts";
import { type Session, type SessionOptions, using } from "./runtime.ts";
import { openBytes, openSession } from "./session.ts";

/** How an exported file compares with what it was made from, on one input. */
export type ExportCheck = {
  /** Largest difference of `cam` from `explain`'s raw map, as a share of its largest value. */
  readonly cam: number;
  /** Largest difference of the model's own outputs, as a share of each output's largest value. */
  readonly outputs: number;
  /** What was asked for: class numbers, −1 for the winner; none where the target is fixed. */
  readonly asked: readonly number[];
};

export type CheckOptions = SessionOptions &
  Pick<ExportOptions, "input" | "output" | "target" | "pictures" | "allClasses"> & {
    readonly method: string;
  };

/** From where on two runs of the same arithmetic disagree. Integers round: one step of them is worth more. */
const tolerance = { exact: 1e-4, rounded: 0.05 };

/**
 * Runs an exported file on a random input beside the original file and beside `explain`: the winner and one class. Throws
 * RuntimeFailure where they disagree, or where the runtime refuses the file.
 */
export async function checkExport(
  model: ModelFile,
  path: string,
  exported: ExportedGraph,
  options: CheckOptions,
): Promise<ExportCheck> {
  const { pictures, target } = options;
  const inputs = model.graph.inputs.filter((input) => !input.optional);
  const feeds = randomFeeds(inputs, sizesOf(model, options));
  const main = exported.explained;
  const picture = pictures && somePicture(pictures.manifest.size.slice(-2) as [number, number]);
  const pixels = picture && preparePicture(picture, pictures.manifest).tensor;
  if (pixels) feeds[main] = await valuesOf(model.graph, main, pixels, pictures);
  const original = await using(openBytes(model.path, options), (session) => session.run(feeds));

  const asked = target ? [] : [-1, 0];
  const targets: readonly Target[] = target ? [target] : [{ kind: "auto" }, { kind: "class", index: 0 }];
  const layers = exported.layers.map((layer) => layer.value);
  const explainer = await createExplainer(
    model,
    { ...options, layers: layers.length > 0 ? layers : undefined, finish: false },
    targets,
  );
  const { explanations } = await explainer.run(feeds).finally(() => explainer.close());

  const own = picture
    ? {
        [exported.pictures!]: {
          dtype: "uint8" as const,
          shape: [1, picture.height, picture.width, 3],
          data: picture.rgb,
        },
      }
    : { [main]: feeds[main]! };
  const runs = await using(openBytes(path, options), async (session) => {
    const given = { ...without(feeds, main), ...own };
    const results: Awaited<ReturnType<Session["run"]>>[] = [];
    for (const index of target ? [undefined] : asked)
      results.push(
        await session.run(index === undefined ? given : { ...given, [exported.target!]: int64([1], [index]) }),
      );
    return results;
  });

  const cam = runs.flatMap((results, i) =>
    exported.raw.map((name, layer) => {
      const wanted = explanations[i]!.raw[layer]!;
      return difference(
        options.allClasses ? ofClasses(results[name]!, explanations[i]!.classes!) : results[name]!,
        wanted,
      );
    }),
  );
  const outputs = runs.flatMap((results) =>
    model.graph.outputs.flatMap(({ name }) => (results[name] ? [difference(results[name], original[name]!)] : [])),
  );
  const check = { cam: Math.max(...cam), outputs: Math.max(0, ...outputs), asked };
  const allowed = rounds(model.graph) ? tolerance.rounded : tolerance.exact;
  for (const [what, off] of [
    ["maps differ from explain's", check.cam],
    ["outputs differ from the model's", check.outputs],
  ] as const)
    if (!(off <= allowed))
      throw new RuntimeFailure(
        `the exported model was checked on a random input: its ${what} by ${off.toExponential(1)} of the largest`,
        {
          hint: "It was not written. --skip-check writes it all the same; please report the model.",
        },
      );
  return check;
}

/** The manifest's size for the input's open dimensions. */
function sizesOf(model: ModelFile, { input }: CheckOptions): Record<string, number> {
  const sizes: Record<string, number> = {};
  for (const info of model.graph.inputs) {
    const stated = model.manifest?.inputs?.[info.name];
    if (!stated || (input !== undefined && input !== info.name)) continue;
    let next = 0;
    for (const [axis, letter] of [...stated.layout].entries()) {
      const dim = info.shape?.[axis];
      const size = letter === "N" ? 1 : letter === "C" ? (stated.channelOrder === "grey" ? 1 : 3) : stated.size[next++];
      if (typeof dim === "string") sizes[dim] = size!;
    }
  }
  return sizes;
}

/** A picture half as large again as the model's, of waves. */
function somePicture([height, width]: readonly [number, number]) {
  const [h, w] = [Math.ceil(height * 1.5), Math.ceil(width * 1.5)];
  const rgb = Uint8Array.from(
    { length: h * w * 3 },
    (_, i) => 128 + 100 * Math.sin(i / 7 + Math.floor(i / 3 / w) / 11),
  );
  return { width: w, height: h, rgb };
}

/** Prepared pixels as the values of a model's input, by the nodes that `explain` uses. */
async function valuesOf(
  graph: Graph,
  input: string,
  pixels: Tensor,
  { manifest, affine }: NonNullable<CheckOptions["pictures"]>,
): Promise<Tensor> {
  const info = graph.inputs.find(({ name }) => name === input)!;
  const op = new Builder({ ...emptyGraph("pixels", graph.opsets), inputs: [info] });
  feedPixels(op, input, manifest, affine);
  const session = openSession(seal(op, [input]), { device: "cpu" });
  return (await using(session, (open) => open.run({ [pixelInput]: pixels })))[input]!;
}

/** Per sample the map of its class, from maps of all: [N, C, ...space] to [N, ...space]. */
function ofClasses(maps: Tensor, classes: readonly number[]): Tensor {
  const rows = classes.map((index, sample) => rowOf(rowOf(maps, sample), index));
  const data = Float32Array.from(rows.flatMap((row) => Array.from(row.data as Float32Array)));
  return { dtype: "float32", shape: [rows.length, ...rows[0]!.shape], data };
}

/** Largest difference as a share of the largest value wanted; infinite for another shape, or a NaN that isn't wanted. */
function difference(got: Tensor, wanted: Tensor): number {
  if (wanted.dtype === "string") return String(got.data) === String(wanted.data) ? 0 : Number.POSITIVE_INFINITY;
  if (got.shape.join() !== wanted.shape.join()) return Number.POSITIVE_INFINITY;
  const [a, b] = [numbersIn(got), numbersIn(wanted)];
  let [off, scale] = [0, 0];
  for (const [i, value] of b.entries()) {
    if (Object.is(a[i], value)) continue;
    const apart = Math.abs(a[i]! - value);
    off = Number.isNaN(apart) ? Number.POSITIVE_INFINITY : Math.max(off, apart);
  }
  for (const value of b) if (Number.isFinite(value)) scale = Math.max(scale, Math.abs(value));
  return off === 0 ? 0 : off / (scale || 1);
}

/** Whether the model computes in integers or half precision, where the order of operations shows. */
function rounds(graph: Graph): boolean {
  return (
    graph.nodes.some((node) => /Quantize|QLinear|Integer|NBits|^Q[A-Z]/.test(node.opType)) ||
    [...graph.initializers.values()].some((tensor) => /float16/.test(tensor.dtype))
  );
}

function without(feeds: Readonly<Record<string, Tensor>>, name: string): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(feeds).filter(([key]) => key !== name));
}
