import type { Builder, Shape, Value } from "@camkit/cam-core";
import { z } from "zod";
import { NetworkError } from "../errors.ts";

/** What a loss is written from. */
export type LossContext = {
  readonly op: Builder;
  /** The network's outputs by name, and whatever other value a loss may ask for. */
  readonly outputs: Readonly<Record<string, Value>>;
  /** What the data gives beside the pictures, by name: labels, masks. */
  readonly fields: Readonly<Record<string, Value>>;
};

/** What every loss takes besides its own options. */
const common = {
  weight: z.number().positive().default(1).meta({ description: "its share in the sum of losses" }),
  output: z.string().default("logits").meta({ description: "the network's output that it judges" }),
  field: z.string().default("label").meta({ description: "what it compares with: a field of the data, or an output" }),
};

type Options<S extends z.ZodRawShape> = z.ZodObject<S & typeof common, z.core.$strict>;

/** What a loss compares: both found, their shapes known. */
export type Compared = {
  readonly op: Builder;
  /** What the network says: [N, C] logits, as a rule. */
  readonly y: Value;
  /** What is right. */
  readonly t: Value;
  readonly dims: Shape;
  readonly labelDims: Shape;
  readonly context: LossContext;
  /** An error about this loss. */
  refuse(reason: string, hint?: string): NetworkError;
};

export type Loss<S extends z.ZodRawShape = z.ZodRawShape> = ((
  context: LossContext,
  options?: z.input<Options<S>>,
) => Value) & { readonly kind: string; readonly summary: string; readonly schema: Options<S> };

/** Any loss, as a table holds it: what its options are is known to its schema. */
export type AnyLoss = ((context: LossContext, ...options: never[]) => Value) & {
  readonly kind: string;
  readonly summary: string;
  readonly schema: z.ZodObject<Record<string, z.ZodType>>;
};

/** Makes a loss of its definition: a function to a scalar of the graph. Throws NetworkError for options and shapes. */
export function defineLoss<const S extends z.ZodRawShape>(definition: {
  readonly kind: string;
  readonly summary: string;
  readonly options: S;
  /** Adds the loss's nodes and gives a scalar; `weight` is applied afterwards. */
  build(compared: Compared, options: z.output<Options<S>>): Value;
}): Loss<S> {
  const { kind, summary, options: own, build } = definition;
  const schema = z.strictObject({ ...common, ...own }) as Options<S>;
  const loss = (context: LossContext, given: unknown = {}): Value => {
    const options = checkedOptions(kind, schema, given);
    const { op } = context;
    const refuse = (reason: string, hint?: string) => new NetworkError(`${kind}: ${reason}`, hint ? { hint } : {});
    const { output, field, weight } = options as z.output<z.ZodObject<typeof common>>;
    const y = valueNamed(context.outputs, output, "output", refuse);
    const t = valueNamed({ ...context.outputs, ...context.fields }, field, "field", refuse);
    const compared = { op, y, t, dims: shapeOf(op, y), labelDims: shapeOf(op, t), context, refuse };
    return op.mul(build(compared, options), weight);
  };
  return Object.assign(loss, { kind, summary, schema }) as Loss<S>;
}

function checkedOptions<T>(kind: string, schema: z.ZodType<T>, given: unknown): T {
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => `${[kind, ...path].join(".")}: ${message}`);
  throw new NetworkError(problems.join("\n"));
}

/** The shape of a value, whose rank must be known. */
function shapeOf(op: Builder, value: Value): Shape {
  op.rank(value);
  return op.dims(value)!;
}

export function valueNamed(
  values: Readonly<Record<string, Value>>,
  name: string,
  what: string,
  refuse: Compared["refuse"],
): Value {
  const value = values[name];
  if (value !== undefined) return value;
  throw refuse(`there is no ${what} "${name}"`, `Known: ${Object.keys(values).join(", ") || "none"}.`);
}
