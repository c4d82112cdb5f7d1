import { z } from "zod";
import { NetworkError } from "../errors.ts";
import type { LayerList } from "../layers/define-layer.ts";

/** A known network as a list of layers: what it would be, written out in a configuration. */
export type Preset<S extends z.ZodRawShape = z.ZodRawShape> = ((
  options?: z.input<z.ZodObject<S, z.core.$strict>>,
) => LayerList) & {
  readonly network: string;
  readonly summary: string;
  /** Sizes of one sample that it was made for: [channels, ...space]. */
  readonly sample: readonly number[];
  readonly schema: z.ZodObject<S, z.core.$strict>;
};

/** Makes a preset of its definition. Its function throws NetworkError for options that don't fit. */
export function definePreset<const S extends z.ZodRawShape>(definition: {
  readonly network: string;
  readonly summary: string;
  readonly sample: readonly number[];
  readonly options: S;
  layers(options: z.output<z.ZodObject<S, z.core.$strict>>): LayerList;
}): Preset<S> {
  const { network, summary, sample, options: shape, layers } = definition;
  const schema = z.strictObject(shape);
  const preset = (given: unknown = {}) => {
    const result = schema.safeParse(given);
    if (result.success) return layers(result.data);
    const problems = result.error.issues.map(({ path, message }) => `${[network, ...path].join(".")}: ${message}`);
    throw new NetworkError(problems.join("\n"));
  };
  return Object.assign(preset, { network, summary, sample, schema }) as Preset<S>;
}

/** Any preset, as a table holds it: what its options are is known to its schema. */
export type AnyPreset = ((...options: never[]) => LayerList) & {
  readonly network: string;
  readonly summary: string;
  readonly sample: readonly number[];
  readonly schema: z.ZodObject<Record<string, z.ZodType>>;
};
