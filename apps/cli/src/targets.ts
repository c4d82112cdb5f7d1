import { basename, extname } from "node:path";
import {
  decodePicture,
  describeTarget,
  luma,
  type ModelFile,
  parseTargets,
  resolveTargets,
  type Target,
  type Tensor,
} from "@camkit/cam-core";
import { readNpy } from "./inputs.ts";
import { distinctNames, slugOf } from "./names.ts";

/** A target, how people read it, and what stands for it in file names (nothing for `auto`). */
export type NamedTarget = { readonly target: Target; readonly text: string; readonly slug: string };

/** The targets of --target, each once. Throws TargetError, UnknownNameError for a class, what reading a mask throws. */
export async function targetsArgument(given: string, model: ModelFile): Promise<readonly NamedTarget[]> {
  const { labels } = model;
  const asked = await resolveTargets(parseTargets(given, labels), labels, readMask);
  const keys = asked.map((target) => JSON.stringify(target.kind === "mask" ? target.name : target));
  const targets = asked.filter((_, i) => keys.indexOf(keys[i]!) === i);
  const slugs = distinctNames(targets.map((target) => targetSlug(target, labels)));
  return targets.map((target, i) => ({
    target,
    text: target.kind === "auto" ? "auto" : describeTarget(target, labels),
    slug: slugs[i]!,
  }));
}

/** A mask file: `.npy` weights as they are, or a picture whose light half is the mask. */
export async function readMask(file: string): Promise<Tensor> {
  if (extname(file).toLowerCase() === ".npy") return readNpy(file);
  const { rgb, width, height } = await decodePicture(file, file);
  return { dtype: "float32", shape: [height, width], data: Float32Array.from(luma(rgb), (v) => (v > 127 ? 1 : 0)) };
}

/** A class is called by its label, with its number where the label is no name of one class alone. */
function targetSlug(target: Target, labels: readonly string[]): string {
  const name = (index: number) => {
    const slug = slugOf(labels[index] ?? "");
    const unique = labels.filter((label) => slugOf(label) === slug).length === 1;
    return slug === "" ? `class-${index}` : unique ? slug : `${slug}-${index}`;
  };
  switch (target.kind) {
    case "auto":
      return "";
    case "class":
      return name(target.index);
    case "contrast":
      return `${name(target.index)}-vs-${name(target.against)}`;
    case "element":
      return slugOf(`${target.output} ${target.indices.map((i) => (i < 0 ? `m${-i}` : i)).join(" ")}`);
    case "mask":
      return `mask-${slugOf(basename(target.name, extname(target.name)))}`;
  }
}
