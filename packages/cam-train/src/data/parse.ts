import type { z } from "zod";
import { ConfigError } from "../errors.ts";

/** A value that fits its schema, defaults filled in. Throws ConfigError that lists every problem as `where: what`. */
export function parsed<T>(schema: z.ZodType<T>, value: unknown, where: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => `  ${[where, ...path].join(".")}: ${message}`);
  throw new ConfigError(`not a valid configuration\n${problems.join("\n")}`);
}
