import { createHash } from "node:crypto";
import { decodeNpy, type InputManifest, readBytes, type Tensor } from "@camkit/cam-core/data";
import { DataError } from "../errors.ts";
import { type Dataset, type LabelKind, nothing } from "./dataset.ts";
import { labelAt, labelTensor } from "./labels.ts";
import type { DatasetOptions } from "./open.ts";
import { pictureField } from "./prepare.ts";
import type { NpySpec } from "./spec.ts";

/** Arrays, see `NpySpec`. They are read whole, into memory that all workers share. */
export async function openNpy(spec: NpySpec, { input }: DatasetOptions): Promise<Dataset> {
  const inputs = await read(spec.inputs);
  const count = inputs.shape[0] ?? 0;
  const rows = async (path: string) => {
    const tensor = await read(path);
    if (tensor.shape[0] !== count || tensor.shape.length > 2)
      throw new DataError(
        `${path} is [${tensor.shape.join(", ")}], expected [${count}] or [${count}, K]: one row for each of ${spec.inputs}`,
      );
    return tensor;
  };
  if (count === 0) throw new DataError(`${spec.inputs}: no samples: [${inputs.shape.join(", ")}]`);
  const asPictures = picturesOf(inputs, spec, input);
  const found = await rows(spec.labels);
  const groups = spec.groups === undefined ? undefined : await rows(spec.groups);
  if (groups && ((groups.shape[1] ?? 1) !== 1 || groups.dtype === "float16"))
    throw new DataError(
      `${spec.groups} is ${groups.dtype} [${groups.shape.join(", ")}], expected [${count}]: a group each`,
    );
  if (found.dtype === "float16" || found.dtype === "string")
    throw new DataError(`${spec.labels} is ${found.dtype}; expected whole numbers, float32 or float64`);
  const labelKind = kindOf(found);
  const labels = labelsFrom(found, labelKind);
  const classes = labelKind === "values" ? undefined : classesOf(spec, labels);

  const digest = createHash("sha256").update(JSON.stringify([classes, inputs.dtype, inputs.shape, labels.shape]));
  for (const { data } of [inputs, labels]) digest.update(data as Uint8Array);
  return {
    count,
    classes,
    labelKind,
    fields: {
      input: asPictures ? pictureField(asPictures) : { dtype: inputs.dtype, shape: inputs.shape.slice(1) },
      label: { dtype: labels.dtype, shape: labels.shape.slice(1) },
    },
    labelOf: (index) => labelAt(labels, index),
    groupOf: (index) => groups && String(groups.data[index]),
    idOf: (index) => `${index}`,
    fingerprint: digest.digest("hex"),
    report: nothing,
    source: { kind: "arrays", inputs: shared(inputs), labels, input: asPictures },
  };
}

async function read(path: string): Promise<Tensor> {
  return decodeNpy(await readBytes(path), path);
}

/** The input's description where the arrays are pictures; undefined where they are finished tensors. */
function picturesOf({ dtype, shape }: Tensor, spec: NpySpec, input?: InputManifest): InputManifest | undefined {
  if (dtype === "float32" && shape.length > 1) return undefined;
  const channels = shape[3];
  if (dtype !== "uint8" || shape.length !== 4 || (channels !== 1 && channels !== 3))
    throw new DataError(`${spec.inputs} is ${dtype} [${shape.join(", ")}]`, {
      hint: "Expected pictures, uint8 [N, H, W, 1 or 3], or finished tensors, float32 [N, ...].",
    });
  if (input === undefined)
    throw new DataError(`${spec.inputs}: pictures need to know their size: give the model's input`);
  return input;
}

function kindOf({ dtype, shape }: Tensor): LabelKind {
  if (dtype.startsWith("float")) return "values";
  return shape.length === 1 ? "class" : "multi-label";
}

/** Labels in the form of their kind: int64 [N], or float32 [N, K]. */
function labelsFrom({ shape, data }: Tensor, kind: LabelKind): Tensor {
  const [count = 0, width = 1] = shape;
  const numbers = Array.from(data as ArrayLike<number | bigint>, Number);
  const bad = numbers.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw new DataError(`label ${Math.floor(bad / width)} is ${numbers[bad]}`);
  if (kind === "class") return labelTensor(numbers);
  return labelTensor(Array.from({ length: count }, (_, i) => numbers.slice(i * width, (i + 1) * width)));
}

/** More classes than this have names, or are no classes. */
const mostClasses = 1e6;

function classesOf(spec: NpySpec, { shape, data }: Tensor): readonly string[] {
  const [least, most] = Array.from(data as ArrayLike<number | bigint>, Number).reduce(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY] as [number, number],
  );
  const width = shape[1];
  if (!spec.classes && width === undefined && most >= mostClasses)
    throw new DataError(`${spec.labels}: labels from ${least} to ${most}; are these classes?`, {
      hint: "Save values as float32; name the classes where there are so many.",
    });
  const classes = spec.classes ?? Array.from({ length: width ?? most + 1 }, (_, i) => `${i}`);
  const limit = width === undefined ? classes.length - 1 : 1;
  if (least < 0 || most > limit)
    throw new DataError(`${spec.labels}: labels from ${least} to ${most}, expected 0 to ${limit}`);
  if (width !== undefined && width !== classes.length)
    throw new DataError(`${spec.labels}: ${width} labels a sample for ${classes.length} classes`);
  return classes;
}

function shared({ dtype, shape, data }: Tensor): Tensor {
  const { buffer, byteOffset, byteLength } = data as Uint8Array;
  const memory = new SharedArrayBuffer(byteLength);
  new Uint8Array(memory).set(new Uint8Array(buffer, byteOffset, byteLength));
  return {
    dtype,
    shape,
    data: dtype === "uint8" ? new Uint8Array(memory) : new Float32Array(memory),
  } as unknown as Tensor;
}
