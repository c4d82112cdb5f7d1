import { leastOfSum } from "./bounds.ts";
import {
  asProduct,
  cancel,
  collect,
  commonOf,
  constantOf,
  gcd,
  negated,
  parse,
  print,
  type Sum,
  sideOf,
  sidesOf,
  type Term,
  times,
} from "./expression.ts";
import type { Dim, Shape } from "./graph.ts";

/**
 * Arithmetic on dimensions. A symbolic result is an expression over its symbols (see expression.ts), written the same way each
 * time, so that two sizes that must be equal have equal names; null swallows everything.
 */

/** Whether every size of a shape is known. */
export function isStatic(shape: Shape | undefined): shape is readonly number[] {
  return shape?.every((dim) => typeof dim === "number") ?? false;
}

/** Whether two dimensions are certainly the same size. */
export function sameDim(a: Dim | undefined, b: Dim | undefined): boolean {
  return a !== null && a !== undefined && a === b;
}

export function sameShape(a: Shape | undefined, b: Shape | undefined): boolean {
  return a !== undefined && b !== undefined && a.length === b.length && a.every((dim, i) => sameDim(dim, b[i]));
}

/** Expressions that are longer describe no network's sizes, and their arithmetic takes for ever. */
const longestExpression = 512;

function isUnknown(dim: Dim): dim is null {
  return dim === null || (typeof dim === "string" && dim.length > longestExpression);
}

/** The sum of two sizes. */
export function addDims(a: Dim, b: Dim): Dim {
  if (typeof a === "number" && typeof b === "number") return a + b;
  if (isUnknown(a) || isUnknown(b)) return null;
  if (a === 0) return b;
  if (b === 0) return a;
  return print(joinHalves([...parse(a), ...parse(b)]));
}

export function subDims(a: Dim, b: Dim): Dim {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (sameDim(a, b)) return 0;
  if (isUnknown(a) || isUnknown(b)) return null;
  return b === 0 ? a : print(joinHalves([...parse(a), ...negated(parse(b))]));
}

export function mulDims(...dims: Dim[]): Dim {
  if (dims.includes(0)) return 0;
  if (dims.some(isUnknown)) return null;
  if (dims.every((dim) => typeof dim === "number")) return (dims as number[]).reduce((a, b) => a * b, 1);
  const others = dims.filter((dim) => dim !== 1);
  return others.length === 1 ? others[0]! : print([productOf(dims)]);
}

/**
 * a / b rounded down; exact where b's factors cancel. Whole multiples of b come out, then what remains is made small:
 *
 *   floor((h+5)/2) = floor((h+1)/2)+2      floor((floor(h/2)+1)/2) = floor((h+2)/4)      floor(-h/7) = -floor((h+6)/7)
 */
export function divDims(a: Dim, b: Dim): Dim {
  if (isUnknown(a) || isUnknown(b) || b === 0) return null;
  if (typeof a === "number" && typeof b === "number") return Math.floor(a / b);
  if (b === 1) return a;
  const exact = quotient([a], [b]);
  if (exact !== null) return exact;
  if (typeof b === "number" && b > 0) return print(joinHalves(floorOf(parse(a), b)));
  const [over, under] = [productOf([a]), productOf([b])];
  const common = commonOf(over, under);
  const [left, right] = [print([cancel(over, common)!]), print([cancel(under, common)!])];
  return typeof right === "number" && right > 0 ? divDims(left, right) : `floor(${left}/${right})`;
}

/** a / b rounded up. */
export function ceilDivDims(a: Dim, b: number): Dim {
  return typeof a === "number" ? Math.ceil(a / b) + 0 : divDims(addDims(a, b - 1), b);
}

function floorOf(sum: Sum, by: number): Sum {
  const terms = collect(sum);
  // The multiple taken out leaves the smallest remainder, of either sign for symbols, 0 to by-1 for the number.
  const outside = terms.map((term) => {
    const nearest = term.factors.length === 0 ? Math.floor(term.number / by) : Math.ceil(term.number / by - 0.5);
    return { number: nearest, factors: term.factors };
  });
  const inside = collect([...terms, ...negated(outside.map((term) => ({ ...term, number: term.number * by })))]);
  const symbols = inside.filter((term) => term.factors.length > 0);
  if (symbols.length === 0) return outside;
  if (symbols[0]!.number < 0) {
    const turned = floorOf([...negated(inside), { number: by - 1, factors: [] }], by);
    return collect([...outside, ...negated(turned)]);
  }
  // What all symbols and the divisor have in common goes: floor((2h+1)/4) = floor(h/2).
  const common = symbols.reduce((so, term) => gcd(so, term.number), by);
  const constant = Math.floor(constantOf(inside) / common);
  const rest = [
    ...symbols.map((term) => ({ number: term.number / common, factors: term.factors })),
    { number: constant, factors: [] },
  ];
  return [...outside, ...innermost(rest, by / common)];
}

/** floor((floor(x/m)+c)/b) = floor((x+c·m)/(m·b)). */
function innermost(sum: Sum, by: number): Sum {
  if (by === 1) return sum;
  const [first, ...others] = collect(sum);
  const single =
    first!.number === 1 && first!.factors.length === 1 && others.every((term) => term.factors.length === 0);
  const sides = single ? sidesOf(first!.factors[0]!, "floor") : undefined;
  const inner = sides && sideOf(sides[1]);
  if (typeof inner === "number")
    return floorOf([...parse(sides![0]), { number: constantOf(sum) * inner, factors: [] }], by * inner);
  return [{ number: 1, factors: [`floor(${print(sum)}/${by})`] }];
}

/** The two halves of x, floor(x/2) and floor((x+1)/2), make x: x less one of them is the other one. */
function joinHalves(sum: Sum): Sum {
  const terms = collect(sum);
  for (const half of terms) {
    const whole = half.factors.length === 1 ? doubled(half.factors[0]!) : undefined;
    if (!whole) continue;
    const other = floorOf([...whole, { number: 1, factors: [] }], 2);
    // In which the sum has as much of `present` as of the half: it goes, and what it stands for comes.
    const exchange = (present: Sum, sign: number) => {
      const same = terms.find((term) => term.factors.length > 0 && sameFactors(term, collect(present)[0]!));
      const times =
        same && same.number * half.number * sign > 0 ? Math.min(Math.abs(same.number), Math.abs(half.number)) : 0;
      return times * Math.sign(half.number);
    };
    const atom = { ...half, number: 1 };
    const joined = exchange(other, 1);
    if (joined !== 0) return joinHalves([...terms, ...scaled([...whole, ...negated([atom, ...other])], joined)]);
    const left = half.number < 0 ? exchange(whole, -1) : 0;
    if (left !== 0) return joinHalves([...terms, ...scaled([...whole, ...negated([atom, ...other])], left)]);
  }
  return terms;
}

/** x, where the factor is floor(x/2) and x a single size, a number added to it perhaps. */
function doubled(factor: string): Sum | undefined {
  const sides = sidesOf(factor, "floor");
  const by = sides && sideOf(sides[1]);
  if (typeof by !== "number" || by % 2 !== 0) return undefined;
  const whole = collect(innermost(parse(sides![0]), by / 2));
  const [x, ...others] = whole;
  return x?.number === 1 && others.every((term) => term.factors.length === 0) ? whole : undefined;
}

function sameFactors(a: Term, b: Term): boolean {
  return a.factors.length === b.factors.length && a.factors.every((factor, i) => factor === b.factors[i]);
}

function scaled(sum: Sum, by: number): Sum {
  return sum.map(({ number, factors }) => ({ number: number * by, factors }));
}

/** The product of `over` divided by the product of `under` where everything cancels; null where it doesn't. */
export function quotient(over: readonly Dim[], under: readonly Dim[]): Dim {
  if (over.includes(null) || under.includes(null)) return null;
  const left = cancel(productOf(over), productOf(under));
  return left ? print([left]) : null;
}

function productOf(dims: readonly Dim[]): Term {
  return times(...dims.map((dim) => asProduct(parse(dim!))));
}

/** Below, at or above zero as a is certainly smaller than b, equal to it or greater; undefined where it depends on symbols. */
export function compareDims(a: Dim, b: Dim): number | undefined {
  const difference = subDims(a, b);
  if (difference === null) return undefined;
  if (typeof difference === "number") return Math.sign(difference) + 0;
  if (leastOfSum(parse(difference)) > 0) return 1;
  return leastOfSum(negated(parse(difference))) > 0 ? -1 : undefined;
}

/** Whether a >= b for all sizes that the symbols can have. */
export function atLeast(a: Dim, b: Dim): boolean {
  const difference = subDims(a, b);
  return difference !== null && leastOfSum(parse(difference)) >= 0;
}

/** The smaller of two sizes: decided where it can be told, `min(a,b)` otherwise. */
export function minDims(a: Dim, b: Dim): Dim {
  if (a === null || b === null) return null;
  if (atLeast(b, a)) return a;
  if (atLeast(a, b)) return b;
  // A number common to both stands outside: min(h+2,5) = min(h,3)+2.
  const [left, right] = [a, b].map((dim) =>
    typeof dim === "string" ? constantOf(parse(dim)) : Number.POSITIVE_INFINITY,
  );
  const shift = Math.min(left!, right!);
  const sides = [subDims(a, shift), subDims(b, shift)].sort((x, y) => (String(x) < String(y) ? -1 : 1));
  // Symbols before numbers, as everywhere.
  if (typeof sides[0] === "number") sides.reverse();
  return addDims(`min(${sides[0]},${sides[1]})`, shift);
}

export function maxDims(a: Dim, b: Dim): Dim {
  if (a === null || b === null) return null;
  if (atLeast(a, b)) return a;
  if (atLeast(b, a)) return b;
  return subDims(addDims(a, b), minDims(a, b));
}

/** The size two dimensions broadcast to, by ONNX's rule; null where it depends on a symbol's value. */
export function broadcastDim(a: Dim, b: Dim): Dim {
  if (a === 1) return b;
  if (b === 1 || a === b) return a;
  // A known size other than 1 decides: the other one is it, or 1.
  if (typeof a === "number") return a;
  if (typeof b === "number") return b;
  // So does an expression that is certainly more than 1; of two, which then are the same size, the shorter one.
  const deciding = [a, b].filter((dim) => dim !== null && atLeast(dim, 2)) as string[];
  return deciding.sort((x, y) => x.length - y.length || (x < y ? -1 : 1))[0] ?? null;
}

/** The shape that shapes broadcast to; undefined when one of the ranks is unknown. */
export function broadcastShapes(...shapes: (Shape | undefined)[]): Shape | undefined {
  if (shapes.some((shape) => shape === undefined)) return undefined;
  const rank = Math.max(...shapes.map((shape) => shape!.length));
  return Array.from({ length: rank }, (_, axis) =>
    shapes
      .map((shape) => shape![axis - rank + shape!.length] ?? (axis - rank + shape!.length < 0 ? 1 : null))
      .reduce((a, b) => broadcastDim(a!, b!) as Dim),
  ) as Shape;
}

/**
 * A size in numbers, where every plain symbol counts as what `symbol` says, and null, too; for a rough comparison all count
 * alike.
 */
export function estimateDim(dim: Dim, symbol: number | ((name: string) => number) = 224): number {
  const sizeNamed = (name: string) => (typeof symbol === "number" ? symbol : symbol(name));
  if (typeof dim === "number") return dim;
  if (dim === null) return sizeNamed("");
  const tokens = dim.match(/(?:floor|min|max)?\(|‹[^›]*›|[(),+\-/·*]|[^(),+\-/·*]+/g) ?? [];
  let at = 0;
  const atom = (): number => {
    const token = tokens[at++] ?? "";
    if (token.endsWith("(")) {
      const values = [sum()];
      while (tokens[at] === ",") {
        at++;
        values.push(sum());
      }
      at++;
      return functions[token]!(...values);
    }
    if (token === "-") return -atom();
    return /^[\d.]+$/.test(token) ? Number(token) : sizeNamed(token.replace(/^‹|›$/g, ""));
  };
  // What follows a stroke is the divisor, up to the end of its product.
  const product = (): number => {
    let value = atom();
    while (tokens[at] === "·" || tokens[at] === "*") {
      at++;
      value *= atom();
    }
    if (tokens[at] !== "/") return value;
    at++;
    return value / product();
  };
  const sum = (): number => {
    let value = product();
    while (tokens[at] === "+" || tokens[at] === "-")
      value = tokens[at++] === "+" ? value + product() : value - product();
    return value;
  };
  const size = sum();
  return Number.isNaN(size) ? sizeNamed(dim) : size; // a name such as "../../x"
}

const functions: Readonly<Record<string, (...values: number[]) => number>> = {
  "(": (value) => value!,
  "floor(": (value) => Math.floor(value!),
  "min(": Math.min,
  "max(": Math.max,
};
