import type { Builder, Value } from "@camkit/cam-core";
import { shapeText } from "../network/network-builder.ts";
import type { Compared } from "./define-loss.ts";

/** The layer that a loss names: [n, channels, ...space]. Throws NetworkError where there is none. */
export function layerNamed({ op, refuse }: Compared, layer: string): Value {
  const dims = op.dims(layer);
  if (dims && dims.length >= 3) return layer;
  throw refuse(
    dims ? `layer "${layer}" is ${shapeText(dims)}; it wants [n, channels, ...space]` : `there is no layer "${layer}"`,
    "`camkit inspect` lists the layers of a model.",
  );
}

/** A mask [N, ...space] or [N, 1, ...space] as [N, 1, ...space], in the logits' type. `rank` is the layer's. */
export function asMask({ op, y, refuse }: Compared, mask: Value, rank: number): Value {
  const dims = op.dims(mask) ?? [];
  const value = op.cast(mask, op.dtype(y));
  if (dims.length === rank - 1) return op.unsqueeze(value, [1]);
  if (dims.length === rank && dims[1] === 1) return value;
  throw refuse(`its mask is ${shapeText(dims)}; it wants [n, ...space] with ${rank - 2} axes of space`);
}

/** [N, channels, ...s] to the space of the mask [N, 1, ...space]: linear, half-pixel, as maps are shown. */
export function enlarged(op: Builder, maps: Value, mask: Value): Value {
  const size = op.concat([op.shape(maps, 0, 2), op.shape(mask, 2)], 0);
  return op.resize(maps, { sizes: size }, { mode: "linear", coordinate_transformation_mode: "half_pixel" });
}
