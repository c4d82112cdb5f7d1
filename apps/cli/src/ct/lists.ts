import { UsageError } from "../errors.ts";

/** "a,b" as some of `known`; "all" and "none" as what they say. Throws UsageError for anything else. */
export function someOf<K extends string>(given: string, known: readonly K[], what: string): readonly K[] {
  if (given === "all") return known;
  if (given === "none") return [];
  const asked = given.split(",").map((word) => word.trim());
  const unknown = asked.find((word) => !(known as readonly string[]).includes(word));
  if (unknown !== undefined)
    throw new UsageError(`unknown ${what} "${unknown}"`, { hint: `Known: ${known.join(", ")}; or all, or none.` });
  return known.filter((word) => asked.includes(word));
}
