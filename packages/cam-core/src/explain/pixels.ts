import { InputError } from "../errors.ts";
import type { Builder, Value } from "../graph/builder.ts";
import type { Dim } from "../graph/graph.ts";
import type { InputManifest } from "../model/manifest.ts";
import { float32 } from "../tensor.ts";

/** Value = byte · scale + offset, per channel in the model's order. */
export type PixelAffine = { readonly scale: readonly number[]; readonly offset: readonly number[] };

/** The graph input that takes prepared pictures: uint8 [N, H, W, C]. */
export const pixelInput = "camkit/pixels";

/**
 * Puts the way from bytes to values in front of a graph: its input becomes `camkit/pixels`, and scaling, standardising and
 * layout are nodes. Returns that input's name. Throws InputError for a layout that isn't one picture per sample.
 */
export function feedPixels(
  op: Builder,
  input: Value,
  manifest: InputManifest,
  affine: PixelAffine,
  batch: Dim = "N",
): Value {
  const letters = ["NCHW", "NHWC", "NHW"].includes(manifest.layout) ? manifest.layout : undefined;
  if (!letters)
    throw new InputError(`input "${input}" has layout ${manifest.layout}: a single picture doesn't fill it`, {
      hint: "Feed it a .npy tensor.",
    });
  const channels = affine.scale.length;
  const [height, width] = manifest.size.slice(-2) as [number, number];
  const shape = [batch, height, width, channels];
  const dtype = op.dtype(input);
  op.graph.inputs = op.graph.inputs.filter((info) => info.name !== input);
  op.graph.inputs.push({ name: pixelInput, dtype: "uint8", shape });
  op.facts.types.set(pixelInput, { dtype: "uint8", shape });
  const bytes = op.cast(pixelInput, "float32");
  const perChannel = (values: readonly number[]) => op.constant(float32([channels], values));
  const values = op.cast(op.add(op.mul(bytes, perChannel(affine.scale)), perChannel(affine.offset)), dtype);
  const laid =
    letters === "NCHW" ? op.transpose(values, [0, 3, 1, 2]) : letters === "NHW" ? op.squeeze(values, [3]) : values;
  op.alias(laid, input);
  return pixelInput;
}
