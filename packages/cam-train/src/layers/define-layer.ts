import type { Value } from "@camkit/cam-core";
import { z } from "zod";
import { NetworkError } from "../errors.ts";
import type { NetworkBuilder } from "../network/network-builder.ts";

/** What every layer takes besides its own options. */
const common = { name: z.string().min(1).exactOptional().meta({ description: "Default: what the layer is called" }) };

type Options<S extends z.ZodRawShape> = z.ZodObject<S & typeof common, z.core.$strict>;

export type LayerDefinition<S extends z.ZodRawShape> = {
  /** What a list calls it. */
  readonly kind: string;
  readonly summary: string;
  /** The option that a bare number or word gives: `{ maxPool: 2 }`. */
  readonly main?: string;
  readonly options: S;
  /** Adds the layer's nodes and gives its result. Runs inside the layer's scope. */
  build(net: NetworkBuilder, x: Value, options: z.output<Options<S>>): Value;
};

/** A layer is a function from value to value that carries its own schema. */
export type Layer<S extends z.ZodRawShape = z.ZodRawShape> = ((
  net: NetworkBuilder,
  x: Value,
  ...options: Record<never, never> extends z.input<Options<S>> ? [z.input<Options<S>>?] : [z.input<Options<S>>]
) => Value) & { readonly kind: string; readonly summary: string; readonly main?: string; readonly schema: Options<S> };

/** Any layer, as a table holds it: what its options are is known to its schema. */
export type AnyLayer = ((net: NetworkBuilder, x: Value, ...options: never[]) => Value) & {
  readonly kind: string;
  readonly summary: string;
  readonly main?: string;
  readonly schema: z.ZodObject<Record<string, z.ZodType>>;
};

/**
 * Makes a layer of its definition: options are checked whoever gives them, and the result bears the layer's name, its kind
 * where it has none of its own. Throws NetworkError that says where, for options and for shapes.
 */
export function defineLayer<const S extends z.ZodRawShape>(definition: LayerDefinition<S>): Layer<S> {
  const { kind, summary, main, options: own, build } = definition;
  const schema = z.strictObject({ ...common, ...own }) as Options<S>;
  const layer = (net: NetworkBuilder, x: Value, given: unknown = {}): Value => {
    const named = (given as { name?: unknown } | null)?.name;
    const name = typeof named === "string" && named !== "" ? named : net.free(kind);
    return net.layer(name, () => build(net, x, checked(net, schema, given)));
  };
  return Object.assign(layer, { kind, summary, schema, ...(main === undefined ? {} : { main }) }) as Layer<S>;
}

/** Options that fit their schema. Throws NetworkError that lists every problem. */
export function checked<T>(net: NetworkBuilder, schema: z.ZodType<T>, given: unknown): T {
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const [first, ...rest] = result.error.issues.map(({ path, message }) =>
    net.refuse(message, { option: path.join(".") }),
  );
  if (rest.length === 0) throw first;
  throw new NetworkError([first!, ...rest].map((problem) => problem.message).join("\n"));
}

/** What shapes of windows are written as: one number for all axes of space, or one for each. */
export const counts = z.union([z.int().positive(), z.array(z.int().positive()).min(1)]);

/** One number for each axis. */
export function perAxis(
  net: NetworkBuilder,
  given: number | readonly number[],
  axes: number,
  option: string,
): number[] {
  if (typeof given === "number") return Array<number>(axes).fill(given);
  if (given.length === axes) return [...given];
  throw net.refuse(`${given.length} numbers for the ${axes} spatial axes of its input`, { option });
}

/**
 * A network as a configuration writes it: a layer's kind with its options, with its main option alone, or with nothing.
 *
 *   [{ conv: { filters: 32, kernel: 3 } }, relu, { maxPool: 2 }, flatten, { dense: 1 }]
 */
export type LayerList = readonly LayerItem[];
export type LayerItem = string | { readonly [kind: string]: unknown };

/** A list inside a layer: its items are checked when they are built, where errors can name their place. */
export const nested = z.array(z.custom<LayerItem>());
