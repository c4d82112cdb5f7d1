import {
  computeGradient,
  encodeNpy,
  type RanOn,
  ranOnText,
  ranOnWarnings,
  type Tensor,
  writeAtomic,
} from "@camkit/cam-core";
import { defineCommand, option, positional } from "../command.ts";
import { deviceOption, manifestOption, modelArgument, threadsOption } from "../common.ts";
import { UsageError } from "../errors.ts";
import { timeOf } from "../explain/provenance.ts";
import { significant } from "../format.ts";
import { checkNames, type Item, readFeeds, readInputs } from "../inputs.ts";
import { warn } from "../io.ts";
import { checkOutput, mainInput, openModelArgument } from "../model.ts";
import { toJson } from "../output.ts";
import { facts } from "../table.ts";
import { targetsArgument } from "../targets.ts";
import { version } from "../version.ts";

export default defineCommand({
  summary: "Write d target / d tensor, for the input or any other tensor.",
  parameters: {
    model: modelArgument,
    inputs: positional.many("INPUT.npy", "the input tensor; NAME=FILE.npy for a model with several"),
    target: option.required("N", "one target: a class number or label, auto, A-B, OUTPUT[i,j], mask:FILE"),
    out: option.required("FILE.npy", "the gradient, in the tensor's own shape and type"),
    wrt: option.text("TENSOR", "the tensor to differentiate by; default: the input"),
    input: option.text("NAME", "the graph input that INPUT.npy is for, where the model has several"),
    output: option.text("NAME", "the graph output that a class is read from, where the model has several"),
    float32: option.flag("evaluate in float32, as explain does; the default on the CPU is float64, which is slower"),
    manifest: manifestOption,
    device: deviceOption,
    threads: threadsOption,
  },
  examples: [
    "camkit gradient model.onnx x.npy --target 281 --out dx.npy",
    "camkit gradient model.onnx x.npy --target auto --wrt /layer4/Relu_output_0 --out da.npy",
  ],
  run: async ({ model: given, inputs, target: targetText, out, wrt, threads, device, float32, ...named }, io) => {
    const model = await openModelArgument(given, named.manifest);
    const { items, shared } = readInputs(inputs);
    const item = onlyTensor(items);
    const input = mainInput(model, named.input);
    checkOutput(model, named.output);
    checkNames(
      shared,
      model.graph.inputs.map((info) => info.name),
    );
    const [wanted, ...more] = await targetsArgument(targetText, model);
    if (!wanted || more.length > 0)
      throw new UsageError("a gradient has one target", { hint: "Run the command once per target." });
    const feeds = await readFeeds(item, shared, input.name);
    const {
      gradient: found,
      scores,
      classes,
      squashedBy,
      precision,
      device: provider,
      ranOn,
    } = await computeGradient(model, feeds, {
      input: input.name,
      output: named.output,
      target: wanted.target,
      wrt,
      device,
      precision: float32 ? "float32" : undefined,
      threads,
    });
    const norm = Math.sqrt(valuesOf(found).reduce((sum, value) => sum + value * value, 0));
    const warnings = [
      ...ranOnWarnings(ranOn),
      ...(norm === 0 ? ["the gradient is zero everywhere: the target doesn't react to this tensor here"] : []),
    ];
    const document = {
      camkit: version,
      command: "gradient",
      time: timeOf(),
      model: { name: model.name, file: model.path, sha256: model.sha256() },
      input: { name: input.name, file: item.file, shape: feeds[input.name]!.shape },
      target: wanted.text,
      ...(classes === undefined ? {} : { classes, labels: classes.map((index) => model.labels[index] ?? null) }),
      scores,
      ...(squashedBy === undefined ? {} : { scoresAreBefore: squashedBy }),
      wrt: wrt ?? input.name,
      dtype: found.dtype,
      shape: found.shape,
      norm,
      provider,
      ranOn,
      precision,
      threads: threads ?? "default",
      seed: null,
      file: out,
      warnings,
    };
    await writeAtomic(out, encodeNpy(found));
    await writeAtomic(`${out.replace(/\.npy$/i, "")}.result.json`, `${toJson(document)}\n`);
    for (const warning of warnings) warn(io, warning);
    return { document, text: () => textOf(document) };
  },
});

type Document = {
  wrt: string;
  target: string;
  scores: readonly number[];
  labels?: readonly (string | null)[];
  classes?: readonly number[];
  dtype: string;
  shape: readonly number[];
  norm: number;
  ranOn: RanOn;
  precision: string;
  file: string;
};

function textOf(document: Document): string {
  const { wrt, target, scores, labels, classes, dtype, shape, norm, ranOn, precision, file } = document;
  const explained = classes?.map((index, i) => labels?.[i] ?? `class ${index}`).join(", ");
  return facts([
    ["gradient", `d ${target === "auto" && explained ? explained : target} / d ${wrt}`],
    ["score", scores.map((score) => significant(score, 6)).join(", ")],
    ["shape", `${dtype} [${shape.join(", ")}]`],
    ["norm", significant(norm, 6)],
    ["ran on", `${ranOnText(ranOn)}, in ${precision}`],
    ["written", file],
  ]);
}

function onlyTensor(items: readonly Item[]): Item {
  const [item, ...more] = items;
  if (item && more.length === 0 && item.kind === "tensor") return item;
  throw new UsageError("a gradient is taken at one .npy tensor", {
    hint: "Further inputs of the model are given as NAME=FILE.npy.",
  });
}

/** Values as numbers; half-precision tensors carry their bit patterns. */
function valuesOf({ dtype, data }: Tensor): number[] {
  const values = numbers(data);
  return dtype === "float16" ? values.map(fromHalf) : values;
}

/** IEEE 754 binary16: 1 sign, 5 exponent, 10 fraction bits. */
function fromHalf(bits: number): number {
  const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

function numbers(data: unknown): number[] {
  return Array.from(data as ArrayLike<number | bigint>, Number);
}
