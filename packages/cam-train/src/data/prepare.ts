import { type InputManifest, luma, type Picture, preparePicture } from "@camkit/cam-core/data";
import { DataError } from "../errors.ts";
import type { Field } from "./dataset.ts";

/**
 * What a prepared picture is: uint8 [H, W, C], C = 1 for a grey model, else RGB. A model that takes BGR gets it when the
 * batch is written: augmentation works on RGB.
 * Throws DataError for inputs with a third axis (depth, time): pictures don't fill them.
 */
export function pictureField(input: InputManifest): Field {
  const [height, width, more] = input.size as readonly number[];
  if (more !== undefined)
    throw new DataError(
      `the model's input is ${input.layout} of size [${input.size.join(", ")}]; pictures are [h, w]`,
      {
        hint: "Give finished tensors: float32 arrays in .npy files, or a generator.",
      },
    );
  return { dtype: "uint8", shape: [height!, width!, input.channelOrder === "grey" ? 1 : 3] };
}

/** A picture at the model's size, as `pictureField` says. One that has this size already is taken as it is. */
export function prepared(picture: Picture, input: InputManifest): Uint8Array {
  const order = input.channelOrder === "grey" ? "grey" : "RGB";
  if (!isAtSize(picture, input)) {
    const { tensor } = preparePicture(picture, { ...input, channelOrder: order });
    return tensor.data as Uint8Array;
  }
  return order === "grey" ? luma(picture.rgb) : picture.rgb;
}

function isAtSize({ width, height }: Picture, { size, resize }: InputManifest): boolean {
  return height === size[0] && width === size[1] && keepsSize({ width, height }, resize ?? {});
}

/** Whether a picture of the model's size isn't scaled before the cut. */
function keepsSize(
  { width, height }: { width: number; height: number },
  { fit, resizeTo }: Partial<NonNullable<InputManifest["resize"]>>,
): boolean {
  if (resizeTo === undefined) return true;
  if (typeof resizeTo !== "number") return resizeTo[0] === height && resizeTo[1] === width;
  return resizeTo === Math.min(width, height) && (fit === "short-side" || width === height);
}

/** A mask where the picture lies: resized and cut like it, but nearest neighbour; above 127 is inside (1). */
export function preparedMask(mask: Picture, input: InputManifest): Uint8Array {
  const resize = { antialias: false, fit: "squash", ...input.resize, kernel: "nearest", padValue: 0 } as const;
  return prepared(mask, { ...input, channelOrder: "grey", resize }).map((value) => (value > 127 ? 1 : 0));
}
