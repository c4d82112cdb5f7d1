/**
 * Sizes as expressions over symbols, in one normal form: equal strings are equal sizes, and the sizes networks compute along
 * different ways (a 3×3 and a 1×1 window of stride 2, a picture cut in windows and put together) get equal strings.
 *
 *   h    2·h·w    (h+1)    (h-2·w+3)    n·(h·w+1)    floor((h+1)/2)    min(h,3)
 *
 * A sum is a list of terms, a term a whole number times factors. Common factors of a sum stand before it; the numbers inside
 * floor are the smallest possible. A name that doesn't look like one is put in ‹›. A symbol stands for a size of at least 1.
 */

export type Term = { readonly number: number; readonly factors: readonly string[] };
export type Sum = readonly Term[];

/** The terms of a size. Text that isn't in normal form is a symbol as a whole. */
export function parse(dim: number | string): Sum {
  if (typeof dim === "number") return dim === 0 ? [] : [{ number: dim, factors: [] }];
  const sum = /^[\w.]+$/.test(dim) ? undefined : new Parser(dim).whole();
  return sum && print(sum) === dim ? sum : [{ number: 1, factors: [quote(dim)] }];
}

/**
 * A name from outside, which could be any text, as a symbol: what `parse` would take for an expression gets other brackets.
 * Whatever a file says in this way isn't known to hold.
 */
export function opaque(name: string): string {
  const [term, ...more] = parse(name);
  const [factor, ...others] = term?.factors ?? [];
  const single = term?.number === 1 && factor !== undefined && !/^(floor|min)?\(/.test(factor);
  return single && more.length + others.length === 0 ? name : `[${name.replace(/[()·‹›]/g, "|")}]`;
}

/** The size's normal form: its terms collected, what they have in common taken out. */
export function print(sum: Sum): number | string {
  const terms = collect(sum);
  if (terms.length === 0) return 0;
  if (terms.length === 1) return printTerm(terms[0]!);
  const { common, rest } = takeOut(terms);
  return printTerm({ number: common.number, factors: [...common.factors, printSum(rest)] });
}

/** A size as one product; a sum becomes a factor. */
export function asProduct(sum: Sum): Term {
  const terms = collect(sum);
  if (terms.length === 0) return { number: 0, factors: [] };
  if (terms.length === 1) return terms[0]!;
  const { common, rest } = takeOut(terms);
  return { number: common.number, factors: [...common.factors, printSum(rest)].sort() };
}

export function times(...products: readonly Term[]): Term {
  return {
    number: products.reduce((number, term) => number * term.number, 1),
    factors: products.flatMap((term) => term.factors).sort(),
  };
}

/** The product without `divisor`; undefined where it doesn't go in. */
export function cancel(product: Term, divisor: Term): Term | undefined {
  const factors = [...product.factors];
  for (const factor of divisor.factors) {
    const at = factors.indexOf(factor);
    if (at < 0) return undefined;
    factors.splice(at, 1);
  }
  if (divisor.number === 0 || (divisor.number !== 1 && product.number % divisor.number !== 0)) return undefined;
  return { number: product.number / divisor.number, factors };
}

/** What two products share; of numbers that aren't whole, nothing. */
export function commonOf(a: Term, b: Term): Term {
  const left = [...b.factors];
  const factors = a.factors.filter((factor) => {
    const at = left.indexOf(factor);
    if (at >= 0) left.splice(at, 1);
    return at >= 0;
  });
  const whole = Number.isInteger(a.number) && Number.isInteger(b.number);
  return { number: whole ? gcd(a.number, b.number) : 1, factors };
}

export function negated(sum: Sum): Sum {
  return sum.map(({ number, factors }) => ({ number: -number, factors }));
}

/** The number that stands alone in a sum. */
export function constantOf(sum: Sum): number {
  return collect(sum).find((term) => term.factors.length === 0)?.number ?? 0;
}

/** Like terms together, sums inside products multiplied out, in the order they are written: symbols first, the number last. */
export function collect(sum: Sum): Term[] {
  const totals = new Map<string, Term>();
  for (const term of sum.flatMap(distribute)) {
    const key = term.factors.join("·");
    totals.set(key, { number: (totals.get(key)?.number ?? 0) + term.number, factors: term.factors });
  }
  const order = (a: Term, b: Term) =>
    Number(a.factors.length === 0) - Number(b.factors.length === 0) ||
    (a.factors.join("·") < b.factors.join("·") ? -1 : 1);
  return [...totals.values()].filter(({ number }) => number !== 0).sort(order);
}

/** n·(h+1) is n·h+n. Products of several sums stay as they are. */
function distribute(term: Term): Sum {
  const sums = term.factors.filter((factor) => factor.startsWith("("));
  if (sums.length !== 1) return [term];
  const inner = new Parser(sums[0]!).whole() ?? [];
  const rest = cancel(term, { number: 1, factors: sums })!;
  return inner.map((part) => times(part, rest));
}

function takeOut(terms: readonly Term[]): { common: Term; rest: Term[] } {
  const common = terms.reduce(commonOf);
  return { common, rest: collect(terms.map((term) => cancel(term, common)!)) };
}

function printTerm({ number, factors }: Term): number | string {
  if (factors.length === 0) return number;
  const text = [...(number === 1 ? [] : [String(number)]), ...[...factors].sort()].join("·");
  return number === 1 && factors.length === 1 ? unquote(text) : text;
}

function printSum(terms: readonly Term[]): string {
  const parts = terms.map(({ number, factors }, i) => {
    const size = Math.abs(number);
    const text = [...(size === 1 && factors.length > 0 ? [] : [String(size)]), ...factors].join("·");
    return (number < 0 ? "-" : i > 0 ? "+" : "") + text;
  });
  return `(${parts.join("")})`;
}

const symbol = /[\p{L}_][\p{L}\p{N}_.]*/uy;

function quote(name: string): string {
  symbol.lastIndex = 0;
  const plain = symbol.exec(name)?.[0] === name || /^(floor|min)\(/.test(name);
  return plain ? name : `‹${name}›`;
}

function unquote(text: string): string {
  return /^‹[^‹›]*›$/.test(text) ? text.slice(1, -1) : text;
}

/** The largest number that divides both. */
export function gcd(a: number, b: number): number {
  let [x, y] = [Math.abs(a), Math.abs(b)];
  while (y !== 0) [x, y] = [y, x % y];
  return x;
}

/** Reads what print writes; undefined for anything else. */
class Parser {
  #at = 0;
  constructor(readonly text: string) {}

  whole(): Sum | undefined {
    const product = this.#product();
    if (!product || this.#at !== this.text.length) return undefined;
    // A sum that stands alone is its terms.
    return product.number === 1 && product.factors.length === 1 && product.factors[0]!.startsWith("(")
      ? new Parser(product.factors[0]!).#terms()
      : [product];
  }

  #terms(): Sum | undefined {
    if (!this.#take("(")) return undefined;
    const terms: Term[] = [];
    do {
      const sign = this.#take("-") ? -1 : this.#take("+") || terms.length === 0 ? 1 : 0;
      const term = sign === 0 ? undefined : this.#product();
      if (!term) return undefined;
      terms.push({ number: sign * term.number, factors: term.factors });
    } while (!this.#take(")"));
    return terms;
  }

  #product(): Term | undefined {
    let number = 1;
    const factors: string[] = [];
    do {
      const digits = this.#match(/-?\d+/y);
      if (digits !== undefined) number *= Number(digits);
      else {
        const factor = this.#factor();
        if (factor === undefined) return undefined;
        factors.push(factor);
      }
    } while (this.#take("·"));
    return { number, factors: factors.sort() };
  }

  #factor(): string | undefined {
    const start = this.#at;
    const call = this.#match(/(floor|min)\(/y);
    if (call !== undefined) {
      const separator = call === "min(" ? "," : "/";
      if (!this.#product() || !this.#take(separator) || !this.#product() || !this.#take(")")) return undefined;
    } else if (this.text[start] === "(") {
      if (!this.#terms()) return undefined;
    } else if (this.#match(/‹[^‹›]*›/y) === undefined && this.#match(symbol) === undefined) return undefined;
    return this.text.slice(start, this.#at);
  }

  #take(char: string): boolean {
    if (!this.text.startsWith(char, this.#at)) return false;
    this.#at += char.length;
    return true;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }
}

/** The two sides of floor(a/b) or min(a,b); undefined for another factor. */
export function sidesOf(factor: string, name: "floor" | "min"): readonly [string, string] | undefined {
  if (!factor.startsWith(`${name}(`)) return undefined;
  const inner = factor.slice(name.length + 1, -1);
  let depth = 0;
  for (let i = 0; i < inner.length; i++) {
    const char = inner[i];
    if (char === "(" || char === "‹") depth++;
    if (char === ")" || char === "›") depth--;
    if (depth === 0 && char === (name === "floor" ? "/" : ",")) return [inner.slice(0, i), inner.slice(i + 1)];
  }
  return undefined;
}

/** A side as a number where it is one. */
export function sideOf(text: string): number | string {
  return /^-?\d+$/.test(text) ? Number(text) : text;
}
