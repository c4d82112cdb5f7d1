import { z } from "zod";
import { descriptions } from "./descriptions.ts";
import { configSchema } from "./schema.ts";

type Schema = {
  description?: string;
  properties?: Record<string, Schema>;
  $defs?: Record<string, Schema>;
  const?: unknown;
} & { readonly [key in (typeof inside)[number]]?: Schema | readonly Schema[] };

/** Where schemas lie in schemas, beside properties and definitions. */
const inside = ["anyOf", "oneOf", "allOf", "items", "prefixItems", "additionalProperties"] as const;

/** The schema of a configuration as JSON Schema (2020-12): editors complete keys by it, show what each means, and mark slips. */
export function trainJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(configSchema, { io: "input", unrepresentable: "any" }) as Schema;
  for (const { owner, parent, name, property } of propertiesIn(schema, "")) {
    // `{ conv: … }`, an object of one key, is described as a whole.
    const alone = Object.keys(parent.properties!).length === 1 ? parent.description : undefined;
    const found = descriptions[`${owner}.${name}`] ?? alone ?? descriptions[name];
    if (property.description === undefined && found !== undefined) property.description = found;
  }
  return schema as Record<string, unknown>;
}

type Place = { readonly owner: string; readonly parent: Schema; readonly name: string; readonly property: Schema };

/** Every property of a schema, with what it belongs to: the `kind` of its object, else the key that holds the object. */
export function* propertiesIn(schema: Schema | undefined, holder: string): Generator<Place> {
  if (schema === null || typeof schema !== "object") return;
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    yield { owner: String(schema.properties!.kind?.const ?? holder), parent: schema, name, property };
    yield* propertiesIn(property, name);
  }
  for (const [name, definition] of Object.entries(schema.$defs ?? {})) yield* propertiesIn(definition, name);
  for (const key of inside) for (const each of [schema[key]].flat()) yield* propertiesIn(each as Schema, holder);
}
