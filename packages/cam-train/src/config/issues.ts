import type { z } from "zod";

/** What is wrong with a value, and where in it. */
export type Problem = { readonly path: readonly PropertyKey[]; readonly what: string };

/**
 * Zod's issues as places and words. Of a union the alternative counts that went furthest: what somebody writes is nearly
 * right, and "invalid input" helps nobody.
 */
export function problemsOf(issues: readonly z.core.$ZodIssue[], above: readonly PropertyKey[] = []): Problem[] {
  return issues.flatMap((issue): Problem[] => {
    const path = [...above, ...issue.path];
    if (issue.code === "unrecognized_keys")
      return issue.keys.map((key) => ({ path: [...path, key], what: "unknown key" }));
    if (issue.code === "invalid_union" && issue.errors.length > 0) {
      const nearest = [...issue.errors].sort((a, b) => strangeness(a) - strangeness(b))[0]!;
      return problemsOf(nearest, path);
    }
    return [{ path, what: issue.message }];
  });
}

/** How far a value is from an alternative: lower is nearer. A wrong value inside beats a wrong kind of value. */
function strangeness(issues: readonly z.core.$ZodIssue[]): number {
  return issues.reduce((sum, issue) => {
    if (issue.code === "unrecognized_keys") return sum + 10 * issue.keys.length + (issue.path.length === 0 ? 5 : 0);
    if (issue.path.length === 0) return sum + 100;
    return sum + (issue.code === "invalid_type" && issue.input === undefined ? 20 : 1);
  }, 0);
}

/** `network.layers[3].conv` */
export function placeOf(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (place, key) =>
      typeof key === "number" ? `${place}[${key}]` : place === "" ? String(key) : `${place}.${String(key)}`,
    "",
  );
}
