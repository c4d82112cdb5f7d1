import { TargetError, UnknownNameError } from "../errors.ts";
import type { Tensor } from "../tensor.ts";

/** The scalar that is explained. Class indices are positions in the model's output, from 0. */
export type Target =
  /** The winning class of each sample. */
  | { readonly kind: "auto" }
  | { readonly kind: "class"; readonly index: number }
  /** How much more `index` than `against`. */
  | { readonly kind: "contrast"; readonly index: number; readonly against: number }
  /** One element of an output: one index per axis, the batch axis left out or included. */
  | { readonly kind: "element"; readonly output: string; readonly indices: readonly number[] }
  /**
   * An output's sum over a mask (weights, in fact): [C, ...space], or [...space] for the class that wins under it.
   */
  | { readonly kind: "mask"; readonly mask: Tensor; readonly name: string };

/** A target as it is written, before class labels and files are looked up. */
export type TargetText =
  | Extract<Target, { kind: "auto" | "class" | "contrast" | "element" }>
  | { readonly kind: "label"; readonly label: string }
  | { readonly kind: "label-contrast"; readonly label: string; readonly against: string }
  | { readonly kind: "mask-file"; readonly path: string };

/**
 * Reads the target grammar: `auto | N | label | A-B | out[i,j,…] | mask:FILE`, several joined by commas. A label may hold
 * commas and hyphens itself: known labels are matched first, the longest one wins. Throws TargetError.
 */
export function parseTargets(text: string, labels: readonly string[] = []): TargetText[] {
  const parts = splitList(text, labels);
  if (parts.length === 0) throw new TargetError("the target is empty", { hint: grammar });
  return parts.map((part) => parseTarget(part, labels));
}

const grammar =
  "A target is auto, a class number or label, A-B for a contrast, OUTPUT[i,j,…] or mask:FILE; several are joined by commas.";

/** Commas inside brackets or inside a known label don't separate. */
function splitList(text: string, labels: readonly string[]): string[] {
  const longest = [...labels].filter((label) => label.includes(",")).sort((a, b) => b.length - a.length);
  const parts: string[] = [];
  let part = "";
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const starts = /^\s*$|-\s*$/.test(part); // of a target, or of what it is contrasted with
    const label = starts ? longest.find((known) => startsWord(text.slice(i), known)) : undefined;
    if (label) {
      part += text.slice(i, i + label.length);
      i += label.length - 1;
      continue;
    }
    const char = text[i]!;
    if (char === "[") depth++;
    if (char === "]") depth--;
    if (char === "," && depth <= 0) {
      parts.push(part.trim());
      part = "";
    } else part += char;
  }
  parts.push(part.trim());
  if (parts.length > 1 && parts.some((p) => p === ""))
    throw new TargetError(`"${text}" has an empty part`, { hint: grammar });
  return parts.filter((p) => p !== "");
}

/** Whether `text` begins with `word`, then ends or goes on with a separator. */
function startsWord(text: string, word: string): boolean {
  return text.toLowerCase().startsWith(word.toLowerCase()) && /^(\s*,|\s*$|-)/.test(text.slice(word.length));
}

function parseTarget(text: string, labels: readonly string[]): TargetText {
  if (text === "auto") return { kind: "auto" };
  if (text.startsWith("mask:")) {
    if (text.length === 5) throw new TargetError('"mask:" names no file', { hint: grammar });
    return { kind: "mask-file", path: text.slice(5) };
  }
  if (isLabel(text, labels)) return { kind: "label", label: text };
  const element = /^(.+)\[([^\]]*)\]$/.exec(text);
  if (element) {
    const indices = element[2]!.split(",").map((index) => index.trim());
    if (!indices.every((index) => /^-?\d+$/.test(index)))
      throw new TargetError(`"${text}": indices are whole numbers, one per axis`, { hint: grammar });
    return { kind: "element", output: element[1]!, indices: indices.map(Number) };
  }
  if (/^\d+$/.test(text)) return { kind: "class", index: Number(text) };
  if (/^-\d+$/.test(text)) throw new TargetError(`class ${text} is negative`, { hint: grammar });
  const numbers = /^(\d+)-(\d+)$/.exec(text);
  if (numbers) return { kind: "contrast", index: Number(numbers[1]), against: Number(numbers[2]) };
  for (let at = text.indexOf("-"); at > 0; at = text.indexOf("-", at + 1)) {
    const [label, against] = [text.slice(0, at).trim(), text.slice(at + 1).trim()];
    if (isName(label, labels) && isName(against, labels)) return { kind: "label-contrast", label, against };
  }
  return { kind: "label", label: text };
}

/** Whether text is a label, or one of the synonyms that a label lists (but no number: that is an index). */
function isLabel(text: string, labels: readonly string[]): boolean {
  const wanted = text.toLowerCase();
  if (labels.some((label) => label.toLowerCase() === wanted)) return true;
  return !/^\d*$/.test(text) && labels.some((label) => synonymsOf(label).includes(wanted));
}

/** WordNet-style labels list synonyms: "tabby, tabby cat" is also found as "tabby". */
function synonymsOf(label: string): string[] {
  return label
    .toLowerCase()
    .split(",")
    .map((word) => word.trim());
}

function isName(text: string, labels: readonly string[]): boolean {
  return isLabel(text, labels) || /^\d+$/.test(text);
}

/** The class index of a label; a number in text counts as an index. Throws UnknownNameError, or TargetError when it is ambiguous. */
export function classIndex(label: string, labels: readonly string[]): number {
  const exact = indicesOf(labels, (known) => known === label);
  const found = exact.length > 0 ? exact : indicesOf(labels, (known) => known.toLowerCase() === label.toLowerCase());
  const matches =
    found.length > 0 ? found : indicesOf(labels, (known) => synonymsOf(known).includes(label.toLowerCase()));
  if (matches.length === 1) return matches[0]!;
  if (matches.length > 1)
    throw new TargetError(`the label "${label}" stands for ${matches.length} classes: ${matches.join(", ")}`, {
      hint: "Give the class number.",
    });
  if (/^\d+$/.test(label)) return Number(label);
  throw new UnknownNameError("class", label, labels, {
    hint:
      labels.length === 0
        ? "The model has no labels: give a class number, or list `classes` in its manifest."
        : "`camkit inspect` lists the classes.",
  });
}

function indicesOf(labels: readonly string[], matches: (label: string) => boolean): number[] {
  return labels.flatMap((label, index) => (matches(label) ? [index] : []));
}

/** Looks up labels and mask files. `readMask` gives a mask file as a tensor. */
export async function resolveTargets(
  texts: readonly TargetText[],
  labels: readonly string[],
  readMask: (path: string) => Promise<Tensor>,
): Promise<Target[]> {
  return Promise.all(
    texts.map(async (target): Promise<Target> => {
      if (target.kind === "label") return { kind: "class", index: classIndex(target.label, labels) };
      if (target.kind === "label-contrast")
        return {
          kind: "contrast",
          index: classIndex(target.label, labels),
          against: classIndex(target.against, labels),
        };
      if (target.kind === "mask-file") return { kind: "mask", mask: await readMask(target.path), name: target.path };
      return target;
    }),
  );
}

/** A target as people read it: "class 3 (ring)", "3 − 5 (ring − star)", "scores[0, 3]". */
export function describeTarget(target: Target, labels: readonly string[] = []): string {
  const name = (index: number) => (labels[index] === undefined ? `class ${index}` : `${labels[index]}`);
  switch (target.kind) {
    case "auto":
      return "the winner";
    case "class":
      return name(target.index);
    case "contrast":
      return `${name(target.index)} − ${name(target.against)}`;
    case "element":
      return `${target.output}[${target.indices.join(", ")}]`;
    case "mask":
      return `sum over ${target.name}`;
  }
}
