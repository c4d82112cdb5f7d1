import { cancel, collect, commonOf, gcd, parse, type Sum, sideOf, sidesOf, type Term, times } from "./expression.ts";

/** How small symbolic sizes can be, a symbol being at least 1. */

type Side = number | string;

/** A whole number that the sum of whole numbers is never below; -Infinity where none is found. */
export function leastOfSum(sum: Sum): number {
  const terms = collect(sum);
  const shared = terms.reduce((so, { number }) => gcd(so, number), 0);
  const bound = lowerBound(terms.map(({ number, factors }) => ({ number: number / shared, factors })));
  return shared * Math.ceil(bound - 1e-6) + 0;
}

/** As leastOfSum, with fractions on the way. */
function lowerBound(sum: Sum): number {
  const terms = collect(sum);
  const shared = { number: 1, factors: terms.length > 1 ? terms.reduce(commonOf).factors : [] };
  if (shared.factors.length > 0) {
    // A product of positive sizes and one sum: the sum decides.
    const bound = lowerBound(terms.map((term) => cancel(term, shared)!));
    const others = leastOf(shared.factors);
    return others >= 0 && bound >= 0 ? others * bound : Number.NEGATIVE_INFINITY;
  }
  const termwise = terms.reduce((so, { number, factors }) => {
    if (factors.length === 0) return so + number;
    const least = number > 0 ? leastOf(factors) : Number.NEGATIVE_INFINITY;
    return so + Math.abs(number) * least;
  }, 0);
  if (minimaIn(terms) > mostMinima) return termwise;
  // Minima first, as rounding loosens what they hide; added ones before subtracted ones, which may choose their side after.
  const added = [...terms].sort((a, b) => b.number - a.number);
  for (const relax of [withoutMin, withoutFloor])
    for (const term of added) {
      const relaxed = relax(term);
      if (!relaxed) continue;
      const rest = terms.filter((other) => other !== term);
      const bounds = relaxed.map((option) => lowerBound([...rest, ...option]));
      return Math.max(termwise, term.number < 0 ? Math.max(...bounds) : Math.min(...bounds));
    }
  return termwise;
}

/** Each doubles what is to be looked at. */
const mostMinima = 10;

function minimaIn(terms: readonly Term[]): number {
  const texts = terms.flatMap(({ factors }) => factors);
  return texts.reduce((count, factor) => count + factor.split("min(").length - 1, 0);
}

/** The least a product of sizes can be; -Infinity where one of them can be negative. */
function leastOf(factors: readonly string[]): number {
  return factors.reduce((product, factor) => {
    const bound = leastOfFactor(factor);
    return bound < 0 ? Number.NEGATIVE_INFINITY : product * bound;
  }, 1);
}

function leastOfFactor(factor: string): number {
  if (factor.startsWith("(")) return leastOfSum(parse(factor));
  const quotient = sidesOf(factor, "floor")?.map(sideOf);
  if (quotient) return typeof quotient[1] === "number" ? Math.floor(leastOfSum(parse(quotient[0]!)) / quotient[1]) : 0;
  const sides = sidesOf(factor, "min")?.map(sideOf);
  return sides ? Math.min(...sides.map((side) => leastOfSum(parse(side)))) : 1;
}

/** A term with a min replaced by either side: the value is one of them, and above neither. */
function withoutMin(term: Term): Sum[] | undefined {
  return relaxed(term, "min", (sides) => sides.map(parse));
}

/** A term with floor(x/b) replaced by what it is never below, (x-b+1)/b; never above, x/b, for a negative term. */
function withoutFloor(term: Term): Sum[] | undefined {
  return relaxed(term, "floor", ([over, by]) => {
    if (typeof by !== "number") return undefined;
    const sum = term.number < 0 ? parse(over) : [...parse(over), { number: 1 - by, factors: [] }];
    return [sum.map(({ number, factors }) => ({ number: number / by, factors }))];
  });
}

function relaxed(
  term: Term,
  name: "floor" | "min",
  options: (sides: readonly [Side, Side]) => Sum[] | undefined,
): Sum[] | undefined {
  for (const factor of term.factors) {
    const sides = sidesOf(factor, name);
    const rest = cancel(term, { number: 1, factors: [factor] })!;
    if (!sides || !rest.factors.every((other) => leastOfFactor(other) >= 0)) continue;
    const found = options([sideOf(sides[0]), sideOf(sides[1])]);
    if (found) return found.map((sum) => sum.map((part) => times(part, rest)));
  }
  return undefined;
}
