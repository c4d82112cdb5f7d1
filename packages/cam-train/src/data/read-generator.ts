import type { Tensor } from "@camkit/cam-core/data";
import { DataError } from "../errors.ts";
import type { Fields, Label } from "./dataset.ts";
import type { GeneratorSource, Reader, Sample } from "./source.ts";

/** Samples made in code. The module's export is one, or a function (async too) from its options to one. */
export type Generator = {
  readonly count: number;
  readonly classes?: readonly string[];
  /** Each sample's tensors, without the batch axis: `input` (of pictures uint8 [H, W, 1 or 3], RGB), `label`, others. */
  readonly fields: Fields;
  /**
   * The same sample for the same index, whatever was loaded before and in which thread. Asked for one after the other: its
   * tensors may lie in the memory of the one before.
   */
  load(index: number): Sample | Promise<Sample>;
  /** Needed to split by label, and to see that labels changed. */
  labelOf?(index: number): Label;
  /** What must not straddle a split. */
  groupOf?(index: number): string;
};

/** Imports the generator. Throws DataError when the module can't be loaded or its export is none. */
export async function openGenerator({ url, export: name, options }: GeneratorSource): Promise<Generator> {
  let found: unknown;
  try {
    const module = (await import(/* @vite-ignore */ url)) as Record<string, unknown>;
    found =
      typeof module[name] === "function"
        ? await (module[name] as (options: unknown) => unknown)(options)
        : module[name];
  } catch (cause) {
    throw new DataError(`the generator ${url} can't be loaded: ${(cause as Error).message}`, { cause });
  }
  const { count, fields, load } = (found ?? {}) as Partial<Generator>;
  if (!Number.isSafeInteger(count) || typeof fields !== "object" || typeof load !== "function")
    throw new DataError(`the export "${name}" of ${url} is no generator: expected { count, fields, load(index) }`, {
      hint: "Export such an object, or a function from the options to one.",
    });
  return found as Generator;
}

export async function generatorReader(source: GeneratorSource): Promise<Reader> {
  const generator = await openGenerator(source);
  const expected = Object.entries(generator.fields);
  const { classes } = generator;
  const isClass = generator.fields.label?.shape.length === 0;
  return async (index) => {
    const sample = await generator.load(index);
    for (const [name, field] of expected) checkField(name, field, sample[name]);
    const label = isClass ? Number(sample.label!.data[0]) : undefined;
    if (classes !== undefined && label !== undefined && !isClassNumber(label, classes))
      throw new Error(`its label is ${label}, expected 0 to ${classes.length - 1}`);
    return sample;
  };
}

/** Whether a label is the number of a class: a loss would take others for no class at all, or for the last. */
export function isClassNumber(label: unknown, classes: readonly string[]): boolean {
  return Number.isInteger(label) && (label as number) >= 0 && (label as number) < classes.length;
}

function checkField(name: string, field: Fields[string], tensor: Tensor | undefined): void {
  const { dtype, shape } = field;
  if (tensor === undefined || tensor.dtype !== dtype || String(tensor.shape) !== String(shape))
    throw new Error(
      `"${name}" is ${tensor ? `${tensor.dtype} [${tensor.shape.join(", ")}]` : "missing"}; the generator's fields say ${dtype} [${shape.join(", ")}]`,
    );
  const size = shape.reduce((product, dim) => product * dim, 1);
  if (tensor.data.length !== size)
    throw new Error(`"${name}" has ${tensor.data.length} elements for the shape [${shape.join(", ")}]`);
}
