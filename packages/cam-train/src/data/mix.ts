import type { Rng, Tensor } from "@camkit/cam-core/data";
import { z } from "zod";
import { ConfigError } from "../errors.ts";
import type { Dataset, Fields } from "./dataset.ts";
import { parsed } from "./parse.ts";

/**
 * Each picture of a batch mixed with the one before it (the first with the last), and its label as much: `mixup` adds them,
 * `cutmix` puts a box of the other into it. λ, the share of the picture itself, is drawn from Beta(alpha, alpha), once a batch.
 * Source: arXiv:1710.09412, arXiv:1905.04899; pairs, box and rounding of its size as torchvision's v2.MixUp and v2.CutMix.
 */
export const mixSchema = z.strictObject({
  kind: z.enum(["mixup", "cutmix"]),
  alpha: z.number().positive().max(4).default(1),
  /** Of a batch to be mixed. */
  probability: z.number().min(0).max(1).default(1),
});
export type MixSpec = z.input<typeof mixSchema>;

/** `classes`: how many, where labels are class numbers and become shares of each. */
export type Mix = z.output<typeof mixSchema> & { readonly classes: number | undefined };

/** Throws ConfigError where mixing has no meaning: masks, labels that aren't numbers per class, cutmix without pictures. */
export function parseMix(spec: MixSpec, { classes, labelKind, fields }: Dataset): Mix {
  const mix = parsed(mixSchema, spec, "mix");
  if (fields.mask) throw new ConfigError(`${mix.kind} would mix two masks into one`);
  if (labelKind === "class" && classes === undefined)
    throw new ConfigError(`${mix.kind} needs to know how many classes there are`);
  const { dtype, shape = [] } = fields.input ?? {};
  if (mix.kind === "cutmix" && (dtype !== "uint8" || shape.length !== 3))
    throw new ConfigError(`cutmix needs pictures, found ${dtype} [${shape.join(", ")}]`);
  return { ...mix, classes: labelKind === "class" ? classes?.length : undefined };
}

/** The fields of a mixed batch: class numbers become float32 [K]. */
export function mixedFields({ fields, labelKind, classes }: Dataset): Fields {
  return labelKind === "class" ? { ...fields, label: { dtype: "float32", shape: [classes!.length] } } : fields;
}

export function mixed(
  { input, label, ...rest }: Record<string, Tensor>,
  { kind, alpha, probability, classes }: Mix,
  rng: Rng,
): Record<string, Tensor> {
  const soft = classes === undefined ? label! : oneHot(label!, classes);
  if (rng.unit() >= probability) return { ...rest, input: input!, label: soft };
  const drawn = beta(alpha, rng);
  const { tensor, share } = kind === "mixup" ? { tensor: blend(input!, drawn), share: drawn } : cut(input!, drawn, rng);
  return { ...rest, input: tensor, label: blend(soft, share) };
}

/** λ x[i] + (1 - λ) x[i - 1] along the first axis. Bytes are rounded. */
function blend({ dtype, shape, data }: Tensor, share: number): Tensor {
  const from = data as Float32Array | Uint8Array;
  const out = from.slice();
  const size = from.length / shape[0]!;
  const half = dtype === "uint8" ? 0.5 : 0;
  for (let i = 0, other = from.length - size; i < from.length; i++, other = (other + 1) % from.length)
    out[i] = share * from[i]! + (1 - share) * from[other]! + half; // a Uint8Array cuts the fraction off
  return { dtype, shape, data: out };
}

/** The same box of each picture taken from the one before; `share` is what is left of the picture. */
function cut({ dtype, shape, data }: Tensor, drawn: number, rng: Rng): { tensor: Tensor; share: number } {
  const [, height, width, channels] = shape as [number, number, number, number];
  const from = data as Uint8Array;
  const out = from.slice();
  const size = height * width * channels;
  const side = 0.5 * Math.sqrt(1 - drawn);
  const span = (length: number): [number, number] => {
    const center = rng.integer(0, length - 1);
    const half = Math.floor(side * length);
    return [Math.max(0, center - half), Math.min(length, center + half)];
  };
  const [[left, right], [top, bottom]] = [span(width), span(height)];
  for (let start = 0; start < from.length; start += size)
    for (let y = top; y < bottom; y++) {
      const other = (start - size + from.length) % from.length;
      const [begin, end] = [(y * width + left) * channels, (y * width + right) * channels];
      out.set(from.subarray(other + begin, other + end), start + begin);
    }
  const share = 1 - ((right - left) * (bottom - top)) / (width * height);
  return { tensor: { dtype, shape, data: out }, share };
}

function oneHot({ data }: Tensor, classes: number): Tensor {
  const out = new Float32Array(data.length * classes);
  for (let i = 0; i < data.length; i++) out[i * classes + Number(data[i])] = 1;
  return { dtype: "float32", shape: [data.length, classes], data: out };
}

/** Jöhnk's way to Beta(a, a): of U^(1/a) and V^(1/a) whose sum is at most 1, the first's part. In logarithms, for small a. */
function beta(a: number, rng: Rng): number {
  for (;;) {
    const [x, y] = [Math.log(rng.unit()) / a, Math.log(rng.unit()) / a];
    const top = Math.max(x, y);
    if (top === Number.NEGATIVE_INFINITY) continue;
    const sum = top + Math.log(Math.exp(x - top) + Math.exp(y - top));
    if (sum <= 0) return Math.exp(x - sum);
  }
}
