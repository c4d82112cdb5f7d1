import { z } from "zod";
import { SelectionRulesError } from "../errors.ts";
import type { Series } from "./series.ts";
import { seriesFacts } from "./series-facts.ts";

/**
 * Rules for choosing a series, in the vocabulary of MONAI Deploy's series selector: named selections, tried in their order, whose
 * conditions on attributes (by DICOM keyword) must all hold; a list of such sets holds where one of them does.
 *
 *   "Lung|Thorax"            text: equal, or a regular expression found anywhere; upper and lower case are one
 *   3                        a number: equal
 *   [2, 5]                   between, both included
 *   [2, ">"]                 compared: > >= < <= !=
 *   ["AXIAL", "!DERIVED"]    several values (ImageType): holds these, not those after "!"
 *   "Axial"                  of ImageOrientationPatient: Axial, Coronal, Sagittal
 *
 * Beside attributes: NumberOfSlices, SliceSpacing (mm, between positions).
 */
const comparison = z.tuple([z.number(), z.enum([">", ">=", "<", "<=", "!="])]);
const condition = z.union([
  z.string(),
  z.number(),
  z.tuple([z.number(), z.number()]),
  comparison,
  z.array(z.string()).min(1),
]);
const conditions = z.record(z.string(), condition);
const rulesSchema = z.strictObject({
  selections: z
    .array(
      z.strictObject({ name: z.string().default(""), conditions: z.union([conditions, z.array(conditions).min(1)]) }),
    )
    .min(1),
});

export type SelectionRules = z.infer<typeof rulesSchema>;
type Condition = z.infer<typeof condition>;

/** Throws SelectionRulesError: not of this form, a keyword that isn't known, a regular expression that is none. */
export function readSelectionRules(value: unknown): SelectionRules {
  const parsed = rulesSchema.safeParse(value);
  if (!parsed.success) throw new SelectionRulesError(`selection rules: ${z.prettifyError(parsed.error)}`);
  for (const { conditions } of parsed.data.selections)
    for (const set of [conditions].flat())
      for (const [keyword, condition] of Object.entries(set)) {
        if (!(keyword in seriesFacts))
          throw new SelectionRulesError(`selection rules: "${keyword}" is nothing that series are chosen by`, {
            hint: `Known: ${Object.keys(seriesFacts).sort().join(", ")}.`,
          });
        if (typeof condition === "string") pattern(condition);
      }
  return parsed.data;
}

/** Why a series isn't what conditions ask for; undefined where it is. */
export function unmet(
  series: Series,
  conditions: SelectionRules["selections"][number]["conditions"],
): string | undefined {
  const reasons = [conditions].flat().map((set) => {
    for (const [keyword, condition] of Object.entries(set)) {
      const fact = seriesFacts[keyword]!(series);
      if (!holds(fact, condition))
        return `${keyword} is ${fact.length === 0 ? "missing" : fact.join("\\")}, asked for ${JSON.stringify(condition)}`;
    }
    return undefined;
  });
  return reasons.includes(undefined) ? undefined : reasons.join("; or ");
}

/** `values`: of the attribute, none where it is missing. */
function holds(values: readonly string[], condition: Condition): boolean {
  if (values.length === 0) return false;
  const text = values.join("\\");
  if (typeof condition === "string") return same(text, condition) || pattern(condition).test(text);
  if (typeof condition === "number") return Number(text) === condition;
  if (isComparison(condition)) return compare[condition[1]]!(Number(text), condition[0]);
  if (isRange(condition)) return Number(text) >= condition[0] && Number(text) <= condition[1];
  return condition.every((term) =>
    term.startsWith("!")
      ? !values.some((value) => same(value, term.slice(1)))
      : values.some((value) => same(value, term)),
  );
}

const compare: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  "!=": (a, b) => a !== b,
};

const isComparison = (condition: readonly unknown[]): condition is [number, string] =>
  typeof condition[0] === "number" && typeof condition[1] === "string";
const isRange = (condition: readonly unknown[]): condition is [number, number] => typeof condition[0] === "number";

const same = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();

/** Python's inline flag for either case, which such rules often begin with, means nothing here: it is always so. */
function pattern(text: string): RegExp {
  try {
    return new RegExp(text.replace(/^\(\?i\)/, ""), "i");
  } catch (cause) {
    throw new SelectionRulesError(`selection rules: "${text}" is no regular expression: ${(cause as Error).message}`);
  }
}
