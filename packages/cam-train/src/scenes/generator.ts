import { float32, int64, labelsOfScene, sceneLabels } from "@camkit/cam-core/data";
import { z } from "zod";
import { parsed } from "../data/parse.ts";
import type { Generator } from "../data/read-generator.ts";
import { draw, drawKept } from "./drawings.ts";

const size = 96;

const schema = z.strictObject({
  first: z.int().meta({ description: "the seed of the first scene" }),
  count: z.int().positive().meta({ description: "scenes, of seeds one after the other" }),
  keep: z
    .string()
    .min(1)
    .exactOptional()
    .meta({ description: "a folder to keep drawings in; without it each is drawn anew" }),
});
export type ScenesOptions = z.input<typeof schema>;

/**
 * Scenes with known truth, as cam-core draws them from seeds: sample i is the scene of seed `first + i`.
 *
 *   input   uint8 [96, 96, 3]
 *   label   float32 [8], 1 for every class that is there
 *   object  int64 [], the class of one of them; which one follows from the seed
 *   mask    uint8 [96, 96], where that object is seen
 *
 * Throws ConfigError for options that don't fit.
 */
export default function scenes(options: ScenesOptions): Generator {
  const { first, count, keep } = parsed(schema, options, "scenes");
  const drawn = keep === undefined ? draw : drawKept(keep, first);
  const classesOf = (index: number) => labelsOfScene(first + index).map((label) => sceneLabels.indexOf(label));
  const labelOf = (index: number) => {
    const there = classesOf(index);
    return sceneLabels.map((_, c) => Number(there.includes(c)));
  };
  return {
    count,
    classes: sceneLabels,
    fields: {
      input: { dtype: "uint8", shape: [size, size, 3] },
      label: { dtype: "float32", shape: [sceneLabels.length] },
      object: { dtype: "int64", shape: [] },
      mask: { dtype: "uint8", shape: [size, size] },
    },
    labelOf,
    load: (index) => {
      const { image, classes } = drawn(first + index);
      const object = classesOf(index)[0]!; // they come in random order
      const mask = classes.map((code) => Number(code === object + 1));
      return {
        input: { dtype: "uint8", shape: [size, size, 3], data: image },
        label: float32([sceneLabels.length], labelOf(index)),
        object: int64([], [object]),
        mask: { dtype: "uint8", shape: [size, size], data: mask },
      };
    },
  };
}
