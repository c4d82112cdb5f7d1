import type { Rng, Tensor } from "@camkit/cam-core/data";
import { z } from "zod";
import { ConfigError } from "../../errors.ts";
import type { Fields } from "../dataset.ts";
import type { Sample } from "../source.ts";
import { probability } from "./contract.ts";

/**
 * For finished tensors [C, ...space], volumes above all: mirrored along each axis of space with a probability of its own, in the
 * order of the axes ([d, h, w]). Every other field but the label that has those axes goes with it: masks, at whatever size.
 */
export const mirrorSchema = z.strictObject({
  kind: z.literal("mirror"),
  axes: z.array(probability).min(1).meta({ description: "Probability for each axis of space: [d, h, w] of volumes" }),
});
export type Mirror = z.output<typeof mirrorSchema>;

/** Throws ConfigError where the input hasn't these axes. */
export function checkMirror({ axes }: Mirror, { input }: Fields): void {
  if (input?.shape.length !== axes.length + 1 || input.dtype === "string")
    throw new ConfigError(
      `mirror has ${axes.length} axes of space, the input is ${input?.dtype} [${input?.shape.join(", ")}]`,
      { hint: "It takes finished tensors [channels, ...space], and a probability for each axis of space." },
    );
}

/** The sample with its tensors mirrored; those that aren't are the given ones. */
export function mirrored(sample: Sample, { axes }: Mirror, rng: Rng): Sample {
  // All numbers are drawn, so that what happens to one axis is no matter of the others' settings.
  const chosen = axes.map((share) => rng.unit() < share);
  if (!chosen.includes(true)) return sample;
  const moves = ([name, { shape }]: [string, Tensor]) => name !== "label" && shape.length >= axes.length;
  const changed = Object.entries(sample).filter(moves);
  return { ...sample, ...Object.fromEntries(changed.map(([name, tensor]) => [name, reversed(tensor, chosen)])) };
}

/** A copy with the chosen ones of its last axes reversed. */
function reversed({ dtype, shape, data }: Tensor, chosen: readonly boolean[]): Tensor {
  const source = data as Float32Array;
  const out = source.slice();
  const space = shape.slice(shape.length - chosen.length);
  const width = space.at(-1)!;
  const rows = space.slice(0, -1);
  for (let to = 0; to < out.length; to += width) {
    const begin = rowBefore(to / width, rows, chosen) * width;
    const read = source.subarray(begin, begin + width);
    out.set(read, to);
    if (chosen.at(-1)) out.subarray(to, to + width).reverse();
  }
  return { dtype, shape, data: out };
}

/** Which row lies where row `row` will lie: its index taken apart, axis by axis from the back; channels stay. */
function rowBefore(row: number, size: readonly number[], chosen: readonly boolean[]): number {
  let [from, rest, stride] = [0, row, 1];
  for (let axis = size.length - 1; axis >= 0; axis--) {
    const at = rest % size[axis]!;
    rest = (rest - at) / size[axis]!;
    from += (chosen[axis] ? size[axis]! - 1 - at : at) * stride;
    stride *= size[axis]!;
  }
  return from + rest * stride;
}
