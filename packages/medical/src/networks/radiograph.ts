import {
  createExplainer,
  type InputManifest,
  type Layer,
  type Model,
  type Picture,
  pixelAffine,
  preparePicture,
} from "@camkit/cam-core";
import type { Tensor } from "@camkit/cam-core/data";
import type { AxisPlacement, Placement } from "../preprocess/placement.ts";
import type { ExplainedVolume, VolumeOptions } from "./explain-volume.ts";

export type PreparedRadiograph = {
  /** float32 in the input's own layout and values. */
  readonly tensor: Tensor;
  /** In the radiograph's grid of [1, rows, columns]: `mapOnScan` takes a map [1, h, w] back with it. */
  readonly placement: Placement;
};

/**
 * A radiograph as a 2-D network's input, from the manifest alone: resized and cut as `preparePicture` does, then each byte to its
 * value (`range`, `mean`, `std`). TorchXRayVision's: layout NCHW, size [224, 224], channelOrder "grey", range [-1024, 1024],
 * resize { fit: "short-side" }.
 */
export function prepareRadiograph(picture: Picture, input: InputManifest): PreparedRadiograph {
  const prepared = preparePicture(picture, input);
  const [, height, width, channels] = prepared.tensor.shape as [number, number, number, number];
  const bytes = prepared.tensor.data as Uint8Array; // [1, H, W, C]
  const { scale, offset } = pixelAffine(input);
  const last = input.layout.endsWith("C");
  const cells = height * width;
  const data = new Float32Array(bytes.length);
  for (let cell = 0, from = 0; cell < cells; cell++)
    for (let c = 0; c < channels; c++, from++)
      data[last ? from : c * cells + cell] = bytes[from]! * scale[c]! + offset[c]!;
  const shape = [...input.layout].map((axis) => ({ N: 1, C: channels, H: height, W: width })[axis]!);
  const { x, y, width: wide, height: high } = prepared.placement;
  return {
    tensor: { dtype: "float32", shape, data },
    placement: {
      axes: [
        { scanAxis: 0, centres: [0], span: [-0.5, 0.5] },
        along(1, y, high, height, picture.height),
        along(2, x, wide, width, picture.width),
      ],
      scanShape: [1, picture.height, picture.width],
    },
  };
}

/** `length` pixels of the picture from the edge `begin` on, as `cells`; padding reaches beyond the picture. */
function along(scanAxis: 1 | 2, begin: number, length: number, cells: number, size: number): AxisPlacement {
  return {
    scanAxis,
    centres: Array.from({ length: cells }, (_, i) => begin + ((i + 0.5) * length) / cells - 0.5),
    span: [Math.max(0, begin) - 0.5, Math.min(size, begin + length) - 0.5],
  };
}

/** Explains a 2-D classifier's score for a prepared radiograph. Maps are [1, h, w]. Throws what cam-core throws. */
export async function explainRadiograph(
  model: Model,
  { tensor }: PreparedRadiograph,
  options: Omit<VolumeOptions, "window" | "signal"> = {},
): Promise<Omit<ExplainedVolume, "windows">> {
  const { classIndex, ...session } = options;
  const input = model.graph.inputs.find(
    ({ shape, dtype }) => shape?.length === tensor.shape.length && /float/.test(dtype),
  );
  const explainer = await createExplainer(model, { ...session, finish: false });
  try {
    const target =
      classIndex === undefined ? ({ kind: "auto" } as const) : ({ kind: "class", index: classIndex } as const);
    const { logits, explanations } = await explainer.run({ [input?.name ?? ""]: tensor }, [target]);
    const [{ scores, classes, raw }] = explanations as [(typeof explanations)[0]];
    return {
      logits: logits.data as Float32Array,
      classIndex: classes?.[0] ?? classIndex ?? 0,
      score: scores[0]!,
      maps: explainer.layers.map((layer: Layer, i) => ({ layer: layer.value, raw: raw[i]! })),
      method: explainer.method.name,
      signed: explainer.method.signed ?? false,
      ranOn: explainer.ranOn(),
      notes: [],
    };
  } finally {
    await explainer.close();
  }
}
