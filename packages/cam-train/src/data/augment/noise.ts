import type { Rng } from "@camkit/cam-core/data";
import { z } from "zod";
import { defineAugmentation, probability, range } from "./contract.ts";

/** Adds normal noise to every sample, each its own; sigma in levels of 0..255. */
export const noise = defineAugmentation(
  z.strictObject({
    kind: z.literal("noise"),
    sigma: range(0, 255).default([0, 10]),
    probability: probability.default(0.5),
  }),
  (pixels, { sigma, probability }, rng) => {
    const [chosen, level] = [rng.unit() < probability, rng.uniform(...sigma)];
    if (!chosen) return pixels;
    const normal = normals(rng);
    const data = new Uint8ClampedArray(pixels.data); // rounds and cuts what is put into it
    for (let i = 0; i < data.length; i++) data[i] = data[i]! + level * normal();
    return { ...pixels, data: new Uint8Array(data.buffer) };
  },
);

/** Box and Muller 1958: two uniform numbers give two normal ones. */
function normals(rng: Rng): () => number {
  let other: number | undefined;
  return () => {
    if (other !== undefined) {
      const value = other;
      other = undefined;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - rng.unit())); // 1 - [0, 1) is never 0
    const angleRad = 2 * Math.PI * rng.unit();
    other = radius * Math.sin(angleRad);
    return radius * Math.cos(angleRad);
  };
}
