import { AbortedError, createExplainer, type Explainer, InputError, type Model, type RanOn } from "@camkit/cam-core";
import type { Tensor } from "@camkit/cam-core/data";
import type { Vec3 } from "../volume/geometry.ts";
import { enlarger } from "./enlarge.ts";
import { inputShapeOf } from "./forward.ts";
import { Stitcher, windowOf } from "./stitch.ts";
import { type SlidingWindow, windowStarts, windowWeights } from "./windows.ts";

export type VolumeOptions = {
  /** Default grad-cam; "cam" is the CovidNet3D paper's. */
  readonly method?: string | undefined;
  /** Tensor names; default: the last layer that has a place in space. */
  readonly layers?: readonly string[] | undefined;
  /** The class to explain; default: the one that wins. */
  readonly classIndex?: number | undefined;
  /** Default: one window of the size that the graph fixes, else the whole volume at once. */
  readonly window?: SlidingWindow | undefined;
  readonly device?: string | undefined;
  readonly threads?: number | undefined;
  /** Checked between windows. */
  readonly signal?: AbortSignal | undefined;
};

export type ExplainedVolume = {
  /** Class scores before softmax or sigmoid, [C]: the windows' weighted mean. */
  readonly logits: Float32Array;
  /** The class that was explained, and its score. */
  readonly classIndex: number;
  readonly score: number;
  readonly maps: readonly LayerMap[];
  readonly method: string;
  /** The maps may be negative: not to be rectified. */
  readonly signed: boolean;
  readonly windows: number;
  /** Which devices the first window ran on. */
  readonly ranOn: RanOn;
  /** What a reader of the map should know. */
  readonly notes: readonly string[];
};

/** One layer's raw map over the network's input: [d, h, w] at the layer's resolution from one window, at the input's from several. */
export type LayerMap = { readonly layer: string; readonly raw: Tensor };

/**
 * Explains a 3-D classifier's score for a volume [1, C, D, H, W], by sliding window where one is given: logits and raw maps are
 * averaged with the same weights, maps at the input's resolution (linear, half-pixel).
 *
 *   logits = Σ_j G_j · logits_j / Σ_j G_j, G_j the sum of window j's weights;  map: see `Stitcher`
 *
 * All windows are explained for one class: the one that is asked for, or that wins in the mean.
 * Throws what cam-core throws, and AbortedError between windows.
 */
export async function explainVolume(
  model: Model,
  volume: Tensor,
  options: VolumeOptions = {},
): Promise<ExplainedVolume> {
  const { method, layers, device, threads, signal } = options;
  const explainer = await createExplainer(model, {
    method,
    layers,
    finish: false,
    device,
    threads,
  });
  try {
    const shape = volume.shape.slice(2) as unknown as Vec3;
    const window = options.window ?? { size: windowSizeOf(model, shape), overlap: 0.25, weights: "constant" };
    checkFits(model, volume, window.size);
    const starts = windowStarts(shape, window);
    const pass = (classIndex: number | undefined) =>
      onePass(explainer, model, volume, window, starts, classIndex, signal);
    let found = await pass(options.classIndex);
    const wins = options.classIndex ?? argMax(found.logits);
    // Windows may disagree on the class: then the maps were of several, and are made again for the one.
    if (found.classes.some((index) => index !== wins)) found = await pass(wins);
    return {
      logits: found.logits,
      classIndex: wins,
      score: found.score,
      maps: explainer.layers.map((layer, i) => ({ layer: layer.value, raw: found.maps[i]! })),
      method: explainer.method.name,
      signed: explainer.method.signed ?? false,
      windows: starts.length,
      ranOn: explainer.ranOn(),
      notes: [
        ...explainer.layers.flatMap((layer, i) => constantAlongSlices(layer.value, found.grids[i]!, window.size[0])),
        ...(starts.length > 1 ? [`${starts.length} windows of ${window.size.join(" x ")}, averaged`] : []),
      ],
    };
  } finally {
    await explainer.close();
  }
}

async function onePass(
  explainer: Explainer,
  model: Model,
  volume: Tensor,
  window: SlidingWindow,
  starts: readonly Vec3[],
  classIndex: number | undefined,
  signal: AbortSignal | undefined,
) {
  const { size } = window;
  const shape = volume.shape.slice(2) as unknown as Vec3;
  const weights = windowWeights(window);
  const single = starts.length === 1 && size.every((n, axis) => n === shape[axis]);
  const stitchers = single ? [] : explainer.layers.map(() => new Stitcher(1, shape));
  const inputName = inputNameOf(model);
  const classes: number[] = [];
  let maps: Tensor[] = [];
  let grids: Vec3[] = [];
  let logits: Float32Array | undefined;
  let score = 0;
  for (const start of starts) {
    if (signal?.aborted) throw new AbortedError();
    const target =
      classIndex === undefined ? ({ kind: "auto" } as const) : ({ kind: "class", index: classIndex } as const);
    const fed = single ? volume : windowOf(volume, start, size);
    const result = await explainer.run({ [inputName]: fed }, [target]);
    const [explanation] = result.explanations;
    const scores = result.logits.data as Float32Array;
    if (result.logits.shape.length !== 2 || result.logits.shape[0] !== 1)
      throw new InputError(`the model's scores have shape [${result.logits.shape.join(", ")}], expected [1, classes]`, {
        hint: 'A segmentation network states extensions.medical.task "segmentation" in its manifest.',
      });
    logits ??= new Float32Array(scores.length);
    for (let i = 0; i < scores.length; i++) logits[i]! += scores[i]! / starts.length; // every window has the same total weight
    score += explanation!.scores[0]! / starts.length;
    classes.push(...(explanation!.classes ?? []));
    grids = explanation!.raw.map((raw) => raw.shape.slice(-3) as unknown as Vec3);
    if (single) maps = explanation!.raw.map((raw) => ({ ...raw, shape: raw.shape.slice(-3) }));
    stitchers.forEach((stitcher, i) => {
      const enlarged = enlarger(grids[i]!, size)(explanation!.raw[i]!.data as Float32Array);
      stitcher.add(enlarged, start, size, weights);
    });
  }
  if (!single) maps = stitchers.map((stitcher) => withoutChannel(stitcher.means()));
  return { logits: logits!, score, classes, maps, grids };
}

/** The only honest reading of a layer with one cell along the slices. */
function constantAlongSlices(layer: string, grid: Vec3, depth: number): string[] {
  if (grid[0] > 1 || depth === 1) return [];
  return [
    `the map at "${layer}" has one cell along the ${depth} slices of a window: it is constant along them and can't say which slice matters`,
  ];
}

/** The spatial size that the graph fixes; the volume's own where it is open. */
export function windowSizeOf(model: Model, volume: Vec3): [number, number, number] {
  const fixed = inputShapeOf(model, inputNameOf(model)).slice(2);
  return [fixed[0] ?? volume[0], fixed[1] ?? volume[1], fixed[2] ?? volume[2]];
}

/** The first float input of rank 5. Throws InputError where there is none. */
export function inputNameOf({ graph }: Model): string {
  const found = graph.inputs.find(({ shape, dtype }) => shape?.length === 5 && /float/.test(dtype));
  if (found) return found.name;
  throw new InputError("the model has no float input of rank 5, [N, C, D, H, W]: it takes no volumes", {
    hint: `Inputs: ${graph.inputs.map(({ name, shape }) => `${name} [${shape?.join(", ") ?? "?"}]`).join("; ")}.`,
  });
}

/** Whether the graph takes windows of this size, one by one. Throws InputError. */
export function checkFits(model: Model, { shape: [, channels] }: Tensor, size: Vec3): void {
  const name = inputNameOf(model);
  const fixed = inputShapeOf(model, name);
  const given = [1, channels!, ...size];
  if (fixed.every((n, axis) => n === undefined || n === given[axis])) return;
  throw new InputError(
    `the model's input "${name}" takes [${fixed.map((n) => n ?? "any").join(", ")}], and was to be given [${given.join(", ")}]`,
    {
      hint:
        fixed[0] !== undefined && fixed[0] !== 1
          ? "Export the model with an open batch, or a batch of 1."
          : "Windows have the size that the graph fixes: leave slidingWindow.size to it, or export the model with open sizes.",
    },
  );
}

export const withoutChannel = (tensor: Tensor): Tensor => ({ ...tensor, shape: tensor.shape.slice(1) });

/** For one score: 1 where it is positive, as cam-core's "auto" has it. */
function argMax(logits: Float32Array): number {
  if (logits.length === 1) return Number(logits[0]! >= 0);
  return logits.reduce((best, value, i) => (value > logits[best]! ? i : best), 0);
}
