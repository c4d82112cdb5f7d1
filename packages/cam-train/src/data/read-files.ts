import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { decodePicture, fileError, InputError, type Picture, type Tensor } from "@camkit/cam-core/data";
import { DataError } from "../errors.ts";
import { cached, putCached } from "./cache.ts";
import { labelTensorAt } from "./labels.ts";
import { pictureField, prepared, preparedMask } from "./prepare.ts";
import { decodeSmallJpeg } from "./small-jpeg.ts";
import type { FileSource, Reader } from "./source.ts";

/** Reads, decodes and prepares pictures and their masks, or takes them from the cache. */
export function fileReader({ root, ids, masks, labels, input, cache }: FileSource): Reader {
  const field = pictureField(input);
  const [height, width, channels] = field.shape as [number, number, number];
  const size = height * width * channels;

  /** The picture [H, W, C] and behind it the mask [H, W], as they lie in the cache. */
  const make = async (index: number): Promise<Uint8Array> => {
    const picture = await pictureAt(root, ids[index]!);
    if (masks === undefined) return prepared(picture, input);
    const mask = await pictureAt(root, masks[index]!);
    if (mask.width !== picture.width || mask.height !== picture.height)
      throw new Error(
        `a picture of ${picture.width} x ${picture.height} with a mask of ${mask.width} x ${mask.height}, ${masks[index]}`,
      );
    const both = new Uint8Array(size + height * width);
    both.set(prepared(picture, input));
    both.set(preparedMask(mask, input), size);
    return both;
  };

  const sample = (index: number, bytes: Uint8Array): Record<string, Tensor> => ({
    input: { ...field, data: bytes.subarray(0, size) },
    label: labelTensorAt(labels, index),
    ...(masks && { mask: { dtype: "uint8", shape: [height, width], data: bytes.subarray(size) } }),
  });

  return (index) => {
    const ready = cache && cached(cache, index);
    if (ready) return sample(index, ready);
    return make(index).then((bytes) => {
      if (cache) putCached(cache, index, bytes);
      return sample(index, bytes);
    });
  };
}

/** A picture file by its path from `root`, which names it in the DataError that it throws where it can't be read. */
export async function pictureAt(root: string, id: string): Promise<Picture> {
  try {
    // In a worker nobody waits but the next sample: reading at once saves a tenth of a millisecond a file.
    const bytes = readFileSync(resolve(root, id));
    return (await decodeSmallJpeg(bytes)) ?? (await decodePicture(bytes, id));
  } catch (cause) {
    const { message, hint } = cause instanceof InputError ? cause : fileError(id, cause);
    throw new DataError(message, { cause, ...(hint !== undefined && { hint }) });
  }
}
