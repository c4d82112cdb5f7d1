import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { sha256Hex } from "@camkit/cam-core/data";
import { DataError } from "../errors.ts";
import { type Dataset, type Label, type LabelKind, nothing } from "./dataset.ts";
import type { DatasetOptions } from "./open.ts";
import { isClassNumber, openGenerator } from "./read-generator.ts";
import type { ModuleSpec } from "./spec.ts";

/** A generator in code, see `Generator`. Throws DataError for fields that a batch can't be made of. */
export async function openModule(spec: ModuleSpec, { input }: DatasetOptions): Promise<Dataset> {
  const url = /^(file|data):/.test(spec.url) ? spec.url : pathToFileURL(resolve(spec.url)).href;
  const source = {
    kind: "generator",
    url,
    export: spec.export ?? "default",
    options: spec.options ?? {},
    input,
  } as const;
  const { count, classes, fields, labelOf, groupOf } = await openGenerator(source);
  const size = fields.input?.shape;
  if (size === undefined || fields.label === undefined)
    throw new DataError(
      `the generator ${spec.url} has the fields ${Object.keys(fields).join(", ")}; expected "input" and "label"`,
    );
  if (input !== undefined && fields.input?.dtype === "uint8" && String(size.slice(0, 2)) !== String(input.size))
    throw new DataError(
      `the generator ${spec.url} makes pictures of [${size.join(", ")}], the model takes [${input.size.join(", ")}]`,
    );

  const label = (index: number): Label => {
    if (labelOf === undefined)
      throw new DataError(`the generator ${spec.url} doesn't tell labels without making pictures`, {
        hint: "Give it labelOf(index), which splits by label need.",
      });
    return labelOf(index);
  };
  const labels = labelOf ? Array.from({ length: count }, (_, index) => labelOf(index)) : [];
  const labelKind = kindOf(fields.label.shape.length, classes);
  if (labelKind === "class" && classes)
    labels.forEach((given, index) => {
      if (!isClassNumber(given, classes))
        throw new DataError(
          `the generator ${spec.url}: the label of sample ${index} is ${given}, expected 0 to ${classes.length - 1}`,
        );
    });
  return {
    count,
    classes,
    labelKind,
    fields,
    labelOf: label,
    groupOf: (index) => groupOf?.(index),
    idOf: (index) => `${index}`,
    fingerprint: sha256Hex(JSON.stringify([spec.export, spec.options, count, classes, fields, labels])),
    report: nothing,
    source,
  };
}

function kindOf(rank: number, classes: readonly string[] | undefined): LabelKind {
  if (rank === 0) return "class";
  return classes === undefined ? "values" : "multi-label";
}
