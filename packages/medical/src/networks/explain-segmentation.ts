import { AbortedError, createExplainer, InputError, type Model, type RanOn } from "@camkit/cam-core";
import type { Tensor } from "@camkit/cam-core/data";
import { EmptyClassError } from "../errors.ts";
import type { Vec3 } from "../volume/geometry.ts";
import { enlarger } from "./enlarge.ts";
import {
  checkFits,
  inputNameOf,
  type LayerMap,
  type VolumeOptions,
  windowSizeOf,
  withoutChannel,
} from "./explain-volume.ts";
import { openForward } from "./forward.ts";
import { Stitcher, windowOf } from "./stitch.ts";
import { type SlidingWindow, windowStarts, windowWeights } from "./windows.ts";

export type Segmentation = {
  /** [D, H, W]: the class of each cell, the largest stitched logit; for one channel 1 where its logit is positive. */
  readonly labels: Uint16Array;
  /** [C, D, H, W]: stitched class scores before softmax or sigmoid. */
  readonly logits: Tensor;
  readonly windows: number;
};

export type ExplainedSegmentation = Omit<Segmentation, "logits"> & {
  readonly classIndex: number;
  /** Cells of the mask, and the sum of the class's stitched logit over them. */
  readonly cells: number;
  readonly score: number;
  readonly maps: readonly LayerMap[];
  readonly method: string;
  readonly signed: boolean;
  readonly ranOn: RanOn;
  readonly notes: readonly string[];
};

export type SegmentationOptions = Omit<VolumeOptions, "classIndex"> & {
  readonly classIndex: number;
  /** [D, H, W], 1 in the cells whose logits are explained; default: those that the network gives the class. */
  readonly mask?: Uint8Array | undefined;
  /** What `segmentVolume` found in the same volume with the same window; default: it is run. */
  readonly segmentation?: Segmentation | undefined;
};

/**
 * A 3-D segmentation network over a volume [1, C, D, H, W] by sliding window: each window's logits, stitched with the window's
 * weights. Memory: the sums, one number per class and cell.
 * Source: MONAI 1.6, `sliding_window_inference`, padding "constant" with 0.
 */
export async function segmentVolume(model: Model, volume: Tensor, options: VolumeOptions = {}): Promise<Segmentation> {
  const { device, threads, signal } = options;
  const forward = await openForward(model, {
    device,
    threads,
  });
  try {
    const shape = volume.shape.slice(2) as unknown as Vec3;
    const window = windowFor(model, shape, options.window);
    checkFits(model, volume, window.size);
    const starts = windowStarts(shape, window);
    const weights = windowWeights(window);
    let stitcher: Stitcher | undefined;
    for (const start of starts) {
      if (signal?.aborted) throw new AbortedError();
      const results = await forward.session.run({ [forward.input]: windowOf(volume, start, window.size) });
      const logits = results[forward.logits]!;
      checkDense(logits, window.size);
      stitcher ??= new Stitcher(logits.shape[1]!, shape);
      stitcher.add(logits.data as Float32Array, start, window.size, weights);
    }
    const logits = stitcher!.means();
    return { logits, labels: labelsOf(logits), windows: starts.length };
  } finally {
    await forward.session.close();
  }
}

/**
 * Seg-Grad-CAM by sliding window: in each window the scalar is the sum of the class's logit over the mask's cells there, the map is
 * the method's at the layer, brought to the window's size (linear, half-pixel) and stitched like the logits:
 *
 *   y_j = Σ_{v in mask ∩ window j} logit_c(v)      map(v) = Σ_j g(v − o_j) · up(map_j)(v − o_j) / Σ_j g(v − o_j)
 *
 * The mask is that of the whole volume, from the stitched logits, so that windows agree on it where they overlap; a window without
 * a cell of it adds 0. Channel weights are each window's own, as its logits are.
 * Throws EmptyClassError when the class has no cell, and what cam-core throws.
 * Source: Vinogradova et al. 2020, arXiv:2002.11434, eq. 2.
 */
export async function explainSegmentation(
  model: Model,
  volume: Tensor,
  options: SegmentationOptions,
): Promise<ExplainedSegmentation> {
  const { classIndex, signal, device, threads } = options;
  const { logits, labels, windows } = options.segmentation ?? (await segmentVolume(model, volume, options));
  const channels = logits.shape[0]!;
  if (!Number.isInteger(classIndex) || classIndex < 0 || classIndex >= Math.max(2, channels))
    throw new InputError(`class ${classIndex} does not exist: the network has ${channels} channels`);
  const mask = options.mask ?? Uint8Array.from(labels, (label) => Number(label === classIndex));
  if (mask.length !== labels.length)
    throw new InputError(`the mask has ${mask.length} cells, the volume ${labels.length}`);
  const channel = channels === 1 ? 0 : classIndex;
  const { cells, score } = sumOver(logits, channel, mask);
  if (cells === 0) throw new EmptyClassError(classIndex, model.labels[classIndex]);
  const explainer = await createExplainer(
    model,
    {
      method: options.method,
      layers: options.layers,
      finish: false,
      device,
      threads,
    },
    [{ kind: "mask", name: "of the class", mask: oneHot(mask, channels, channel, [1, 1, 1]) }],
  );
  try {
    const shape = volume.shape.slice(2) as unknown as Vec3;
    const window = windowFor(model, shape, options.window);
    const weights = windowWeights(window);
    const maskVolume: Tensor = { dtype: "float32", shape: [1, 1, ...shape], data: Float32Array.from(mask) };
    const stitchers = explainer.layers.map(() => new Stitcher(1, shape));
    const input = inputNameOf(model);
    for (const start of windowStarts(shape, window)) {
      if (signal?.aborted) throw new AbortedError();
      const inWindow = windowOf(maskVolume, start, window.size).data as Float32Array;
      if (!inWindow.includes(1)) {
        for (const stitcher of stitchers) stitcher.add(undefined, start, window.size, weights);
        continue;
      }
      const target = {
        kind: "mask",
        name: "of the class",
        mask: oneHot(inWindow, channels, channel, window.size),
      } as const;
      const { explanations } = await explainer.run({ [input]: windowOf(volume, start, window.size) }, [target]);
      stitchers.forEach((stitcher, i) => {
        const raw = explanations[0]!.raw[i]!;
        const enlarged = enlarger(raw.shape.slice(-3) as unknown as Vec3, window.size)(raw.data as Float32Array);
        stitcher.add(enlarged, start, window.size, weights);
      });
    }
    return {
      labels,
      windows,
      classIndex,
      cells,
      score,
      maps: explainer.layers.map((layer, i) => ({ layer: layer.value, raw: withoutChannel(stitchers[i]!.means()) })),
      method: explainer.method.name,
      signed: explainer.method.signed ?? false,
      ranOn: explainer.ranOn(),
      notes: windows > 1 ? [`${windows} windows of ${window.size.join(" x ")}, ${window.weights} weights`] : [],
    };
  } finally {
    await explainer.close();
  }
}

/** What MONAI's bundles and nnU-Net run with: the graph's own size, or what fits most; half of it shared, Gaussian. */
function windowFor(model: Model, shape: Vec3, given: SlidingWindow | undefined): SlidingWindow {
  return given ?? { size: windowSizeOf(model, shape), overlap: 0.5, weights: "gaussian" };
}

function checkDense({ shape }: Tensor, size: Vec3): void {
  if (shape.length === 5 && size.every((n, axis) => shape[axis + 2] === n)) return;
  throw new InputError(
    `the model's scores have shape [${shape.join(", ")}], expected [1, classes, ${size.join(", ")}]: one per cell of the window`,
    { hint: 'A classifier states extensions.medical.task "classification" in its manifest.' },
  );
}

function labelsOf(logits: Tensor): Uint16Array {
  const data = logits.data as Float32Array;
  const channels = logits.shape[0]!;
  const cells = data.length / channels;
  const labels = new Uint16Array(cells);
  if (channels === 1) return labels.map((_, v) => Number(data[v]! > 0));
  for (let channel = 1; channel < channels; channel++)
    for (let v = 0; v < cells; v++) if (data[channel * cells + v]! > data[labels[v]! * cells + v]!) labels[v] = channel;
  return labels;
}

/** A mask [C, ...size] with everything in one channel. */
function oneHot(mask: Uint8Array | Float32Array, channels: number, channel: number, size: Vec3): Tensor {
  const cells = size[0] * size[1] * size[2];
  const data = new Float32Array(channels * cells);
  data.set(mask.subarray(0, cells), channel * cells);
  return { dtype: "float32", shape: [channels, ...size], data };
}

function sumOver(logits: Tensor, channel: number, mask: Uint8Array) {
  const data = logits.data as Float32Array;
  let cells = 0;
  let score = 0;
  mask.forEach((inside, v) => {
    if (!inside) return;
    cells++;
    score += data[channel * mask.length + v]!;
  });
  return { cells, score };
}
