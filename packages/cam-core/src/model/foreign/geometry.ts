import type { ValueInfo } from "../../graph/graph.ts";
import type { InputManifest, Kernel, ResizeManifest } from "../manifest.ts";
import type { PictureLayout } from "./format.ts";

export type Size = [height: number, width: number];

/** How a description says that pictures are resized; `size` is what the model takes. */
export type Geometry = { readonly size: Size; readonly resize: ResizeManifest };

/**
 * The geometry at the size that the graph fixes: an export may have another than the checkpoint it was described with. Sizes before
 * a crop keep their proportion to it. A note says what was changed.
 */
export function atGraphSize(
  { size, resize }: Geometry,
  { shape = [], layout }: Pick<ValueInfo, "shape"> & { layout: PictureLayout },
  notes: string[],
): Geometry {
  const fixed = (["H", "W"] as const).map((letter, i) => {
    const dim = shape[layout.indexOf(letter)];
    return typeof dim === "number" ? dim : size[i]!;
  }) as Size;
  if (fixed[0] === size[0] && fixed[1] === size[1]) return { size, resize };
  notes.push(`it describes pictures of ${size.join(" x ")}, the graph takes ${fixed.join(" x ")}: the graph decides`);
  const { resizeTo, ...rest } = resize;
  if (resizeTo === undefined) return { size: fixed, resize };
  const scaled = (side: number, i: number) => Math.round((side * fixed[i]!) / size[i]!);
  const before =
    typeof resizeTo === "number" && fixed[0] * size[1] === fixed[1] * size[0]
      ? scaled(resizeTo, 0)
      : ([resizeTo].flat().length === 1 ? [resizeTo as number, resizeTo as number] : (resizeTo as Size)).map(scaled);
  return { size: fixed, resize: { ...rest, resizeTo: before as number | Size } };
}

/** Mean and std for the channels that the input has: of three alike, one is enough for a grey one. */
export function perChannel(
  { mean, std }: { mean?: readonly number[] | undefined; std?: readonly number[] | undefined },
  channels: number,
  notes: string[],
): Pick<InputManifest, "mean" | "std"> {
  const fitted = (values: readonly number[] | undefined, what: string): number[] | undefined => {
    if (values === undefined || values.length === channels) return values && [...values];
    if (values.length === 1) return new Array<number>(channels).fill(values[0]!);
    if (new Set(values).size > 1)
      notes.push(`${what} has ${values.length} numbers, the input ${channels} channels: the first is taken for each`);
    return new Array<number>(channels).fill(values[0]!);
  };
  const [m, s] = [fitted(mean, "mean"), fitted(std, "std")];
  return { ...(m && { mean: m }), ...(s && { std: s }) };
}

/** The channels of a picture's input: what the graph fixes, else what the description says, else three. */
export function channelsOf(
  { shape = [], layout }: Pick<ValueInfo, "shape"> & { layout: PictureLayout },
  said?: number | null | undefined,
): 1 | 3 {
  const dim = shape[layout.indexOf("C")];
  return (typeof dim === "number" ? dim : (said ?? 3)) === 1 ? 1 : 3;
}

/** By the name that torchvision, timm and Ultralytics use. */
export const kernelByName: Readonly<Record<string, Kernel>> = {
  nearest: "nearest",
  bilinear: "bilinear",
  bicubic: "bicubic",
  lanczos: "lanczos3",
};
