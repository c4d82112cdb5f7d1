import type { Dim, Shape } from "./graph.ts";

/**
 * Arithmetic on dimensions. A symbolic result is an expression over its symbols, written the same way each time, so that two
 * sizes that must be equal have equal names; null swallows everything.
 */

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

export function addDims(a: Dim, b: Dim): Dim {
  if (typeof a === "number" && typeof b === "number") return a + b;
  if (a === null || b === null) return null;
  if (a === 0) return b;
  if (b === 0) return a;
  // symbol + number keeps one trailing number: (h+1)+2 is (h+3)
  const [symbol, number] = typeof a === "number" ? [b as string, a] : [a, b];
  if (typeof number === "number") {
    const inner = /^\((.*)\+(-?\d+)\)$/.exec(symbol);
    if (inner && balanced(inner[1]!)) return addDims(inner[1]!, Number(inner[2]) + number);
    return `(${symbol}+${number})`;
  }
  return `(${[symbol, number].sort().join("+")})`;
}

export function subDims(a: Dim, b: Dim): Dim {
  if (sameDim(a, b)) return 0;
  if (typeof b === "number") return addDims(a, -b);
  if (a === null || b === null) return null;
  return `(${a}-${b})`;
}

export function mulDims(...dims: Dim[]): Dim {
  if (dims.includes(0)) return 0;
  if (dims.includes(null)) return null;
  return fromFactors(factorsOf(dims));
}

/** a / b rounded down; exact where b's factors cancel. */
export function divDims(a: Dim, b: Dim): Dim {
  if (a === null || b === null || b === 0) return null;
  if (typeof a === "number" && typeof b === "number") return Math.floor(a / b);
  const exact = quotient([a], [b]);
  if (exact !== null) return exact;
  return b === 1 ? a : `floor(${a}/${b})`;
}

/** a / b rounded up. */
export function ceilDivDims(a: Dim, b: number): Dim {
  if (typeof a === "number") return Math.ceil(a / b);
  if (a === null) return null;
  return b === 1 ? a : `ceil(${a}/${b})`;
}

/** The product of `over` divided by the product of `under` where everything cancels; null where it doesn't. */
export function quotient(over: readonly Dim[], under: readonly Dim[]): Dim {
  if (over.includes(null) || under.includes(null)) return null;
  const a = factorsOf(over);
  const b = factorsOf(under);
  if (b.number === 0) return null;
  const symbols = [...a.symbols];
  for (const symbol of b.symbols) {
    const at = symbols.indexOf(symbol);
    if (at < 0) return null;
    symbols.splice(at, 1);
  }
  if (a.number % b.number !== 0) return null;
  return fromFactors({ number: a.number / b.number, symbols });
}

/** The size two dimensions broadcast to, by ONNX's rule; null where it depends on a symbol's value. */
export function broadcastDim(a: Dim, b: Dim): Dim {
  if (a === 1) return b;
  if (b === 1 || a === b) return a;
  // A known size other than 1 decides: the other one is it, or 1.
  if (typeof a === "number") return a;
  if (typeof b === "number") return b;
  return null;
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

type Factors = { number: number; symbols: string[] };

function factorsOf(dims: readonly Dim[]): Factors {
  const result: Factors = { number: 1, symbols: [] };
  for (const dim of dims) {
    if (typeof dim === "number") result.number *= dim;
    else if (dim !== null) {
      const product = /^\[(.*)\]$/.exec(dim);
      for (const part of product ? product[1]!.split("·") : [dim])
        if (/^\d+$/.test(part)) result.number *= Number(part);
        else result.symbols.push(part);
    }
  }
  return result;
}

/** A product is written [2·h·w]: the number first, symbols sorted; brackets keep it apart from sums. */
function fromFactors({ number, symbols }: Factors): Dim {
  if (symbols.length === 0 || number === 0) return number;
  if (symbols.length === 1 && number === 1) return symbols[0]!;
  return `[${[...(number === 1 ? [] : [String(number)]), ...symbols.sort()].join("·")}]`;
}

function balanced(text: string): boolean {
  let depth = 0;
  for (const char of text) {
    if (char === "(") depth++;
    if (char === ")" && --depth < 0) return false;
  }
  return depth === 0;
}
