import { describe, expect, test } from "vitest";
import {
  addDims,
  atLeast,
  broadcastDim,
  broadcastShapes,
  ceilDivDims,
  compareDims,
  divDims,
  estimateDim,
  maxDims,
  minDims,
  mulDims,
  quotient,
  subDims,
} from "./dims.ts";
import { opaque } from "./expression.ts";
import type { Dim } from "./graph.ts";

/** The number an expression stands for, computed from its text alone. */
function evaluate(dim: Dim, sizes: Record<string, number>): number {
  const code = String(dim)
    .replaceAll("·", "*")
    .replace(/floor|min/g, "Math.$&");
  return new Function(...Object.keys(sizes), `return 0 + ${code}`)(...Object.values(sizes)) as number;
}

/** A small random generator with a seed (mulberry32). */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

type Step = { symbolic: (a: Dim, b: Dim, k: number) => Dim; numeric: (a: number, b: number, k: number) => number };

const steps: readonly Step[] = [
  { symbolic: addDims, numeric: (a, b) => a + b },
  { symbolic: (a, _, k) => addDims(a, k - 4), numeric: (a, _, k) => a + k - 4 },
  { symbolic: subDims, numeric: (a, b) => a - b },
  { symbolic: (a, b) => mulDims(a, b), numeric: (a, b) => a * b },
  { symbolic: (a, _, k) => mulDims(a, k), numeric: (a, _, k) => a * k },
  { symbolic: (a, _, k) => divDims(a, k), numeric: (a, _, k) => Math.floor(a / k) },
  { symbolic: (a, _, k) => ceilDivDims(a, k), numeric: (a, _, k) => Math.ceil(a / k) },
  { symbolic: (a, _, k) => minDims(a, k), numeric: (a, _, k) => Math.min(a, k) },
  { symbolic: minDims, numeric: (a, b) => Math.min(a, b) },
  { symbolic: maxDims, numeric: (a, b) => Math.max(a, b) },
];

describe("arithmetic on symbols agrees with arithmetic on numbers", () => {
  test.each(Array.from({ length: 25 }, (_, seed) => seed))("random computations, seed %i", (seed) => {
    const below = random(seed + 1);
    const sizes = { h: 1 + below(40), w: 1 + below(40), n: 1 + below(4) };
    // A pool of values known both ways; every step adds one made of two earlier ones.
    const pool: [Dim, number][] = [...Object.entries(sizes), [3, 3], [1, 1]];
    for (let i = 0; i < 25; i++) {
      const [a, x] = pool[below(pool.length)]!;
      const [b, y] = pool[below(pool.length)]!;
      const k = 1 + below(8);
      const step = steps[below(steps.length)]!;
      const dim = step.symbolic(a, b, k);
      const number = step.numeric(x, y, k);
      expect.soft(evaluate(dim, sizes), `${dim} from ${a}, ${b}, ${k}`).toBe(number + 0); // no -0
      if (Math.abs(number) < 1e6 && String(dim).length < 60) pool.push([dim, number]);
    }
  });

  test.each(Array.from({ length: 25 }, (_, seed) => seed))("what is said of their order holds, seed %i", (seed) => {
    const below = random(seed + 100);
    const pool: Dim[] = ["h", "w", 2];
    for (let i = 0; i < 7; i++)
      pool.push(
        steps[below(steps.length)]!.symbolic(pool[below(pool.length)]!, pool[below(pool.length)]!, 1 + below(5)),
      );
    for (const a of pool)
      for (const b of pool)
        for (const sizes of [
          { h: 1, w: 1 },
          { h: 7, w: 2 },
          { h: 1, w: 30 },
          { h: 1 + below(50), w: 1 + below(50) },
        ]) {
          const [x, y] = [evaluate(a, sizes), evaluate(b, sizes)];
          if (atLeast(a, b)) expect(x, `${a} >= ${b}`).toBeGreaterThanOrEqual(y);
          const order = compareDims(a, b);
          if (order !== undefined) expect(Math.sign(x - y), `${a} ? ${b}`).toBe(order);
        }
  });
});

test.each<[string, Dim, Dim]>([
  ["a sum in any order", addDims("w", addDims("h", 1)), addDims(addDims(1, "w"), "h")],
  ["a sum taken apart again", subDims(addDims("h", "w"), "w"), "h"],
  ["half of a doubled size", divDims(mulDims("h", 2), 2), "h"],
  ["half of twice a padded size", divDims(mulDims(2, addDims("h", 1)), 2), "(h+1)"],
  ["a token count without its class token", subDims(addDims(mulDims("h", "w"), 1), 1), mulDims("w", "h")],
  [
    "windows of 3 with padding 1 and windows of 1, stride 2",
    addDims(divDims(addDims("h", -1), 2), 1),
    ceilDivDims("h", 2),
  ],
  [
    "halving five times and once by 32",
    [1, 2, 3, 4, 5].reduce<Dim>((so) => ceilDivDims(so, 2), "h"),
    ceilDivDims("h", 32),
  ],
  ["floor(h/2)+ceil(h/2)", addDims(divDims(addDims("h", 6), 2), -3), divDims("h", 2)],
  ["what is left of a size cut in half", subDims("h", divDims("h", 2)), ceilDivDims("h", 2)],
  ["two halves", addDims(divDims("h", 2), ceilDivDims("h", 2)), "h"],
  ["and of a half cut in half", subDims(divDims("h", 2), divDims("h", 4)), divDims(addDims("h", 2), 4)],
  ["twice a size less half of it", subDims(mulDims("h", 2), ceilDivDims("h", 2)), divDims(mulDims("h", 3), 2)],
  ["a roll: what is cut off is put back", addDims(subDims("h", minDims("h", 3)), minDims("h", 3)), "h"],
  [
    "padding to a multiple by remainder and by rounding up",
    addDims("h", subDims(subDims(7, "h"), mulDims(7, divDims(subDims(6, "h"), 7)))),
    addDims(7, mulDims(7, divDims(addDims("h", -7 + 7), 7))),
  ],
])("equal sizes have equal names: %s", (_, a, b) => {
  expect(a).toEqual(b);
});

test.each<[Dim, Dim]>([
  [addDims("h", 0), "h"],
  [mulDims("h", 1), "h"],
  [mulDims("w", 2, "h"), "2·h·w"],
  [mulDims(addDims("h", 1), 2), "2·(h+1)"],
  [divDims(addDims("h", 5), 2), "(floor((h+1)/2)+2)"],
  [subDims(0, "h"), "-1·h"],
  [minDims("h", 1), 1],
  [maxDims("h", 1), "h"],
  [minDims(addDims("h", 2), 5), "(min(h,3)+2)"],
  [mulDims(0, null), 0],
  [mulDims("h", null), null],
  [addDims(null, 1), null],
  [divDims("h", 0), null],
  [divDims(mulDims("h", "w", 6), mulDims("w", 4)), "(floor(h/2)+h)"],
])("written form %#", (dim, text) => {
  expect(dim).toBe(text);
});

test("a name that looks like arithmetic stays one symbol", () => {
  expect(addDims("batch-size", 1)).toBe("(‹batch-size›+1)");
  expect(subDims(addDims("batch-size", 1), 1)).toBe("batch-size");
  expect(quotient(["batch size", 6], [3])).toBe("2·‹batch size›");
  expect(subDims("2n", "n")).toBe("(-n+‹2n›)");
});

test("a name from a file that reads like an expression is no expression", () => {
  const names = ["n", "batch size", "s0//2", "2n", "7", "(n", "‹›"];
  expect(names.map(opaque)).toEqual(names);
  for (const name of ["floor(n/0)", "(n+1)", "min(n,3)", "m·n", "2·n", "-1·n"]) {
    const symbol = opaque(name);
    expect(symbol).not.toBe(name);
    expect(subDims(addDims(symbol, 1), 1), name).toBe(symbol);
    expect(atLeast(symbol, 2), name).toBe(false);
  }
});

test("expressions that no network has are given up before their arithmetic takes for ever", () => {
  let sum: Dim = "n";
  for (let i = 0; i < 60; i++) sum = mulDims(addDims(sum, `m${i}`), addDims(sum, 1));
  expect(sum).toBeNull();
  // Each min would be looked at from both sides, which is 2^24 ways.
  const minima = Array.from({ length: 24 }, (_, i) => minDims(`a${i}`, `b${i}`) as Dim);
  expect(atLeast(minima.reduce(addDims), 24)).toBe(true);
  expect(atLeast(minima.reduce(addDims), 25)).toBe(false);
});

test("a quotient is exact or null", () => {
  expect(quotient(["n", 12, "h", "w"], ["h", 4])).toBe("3·n·w");
  expect(quotient(["n", 3], [2])).toBeNull();
  expect(quotient([mulDims("n", addDims(mulDims("h", "w"), 1)), 64], ["n", 64])).toBe("(h·w+1)");
  expect(quotient([0, 5], [5])).toBe(0);
});

test("broadcasting", () => {
  expect(broadcastDim(1, "n")).toBe("n");
  expect(broadcastDim("n", 4)).toBe(4);
  expect(broadcastDim("n", "m")).toBeNull();
  expect(broadcastDim(null, 5)).toBe(5);
  expect(broadcastShapes(["n", 1, 4], [3, 1])).toEqual(["n", 3, 4]);
  expect(broadcastShapes([2], undefined)).toBeUndefined();
});

test.each<[Dim, number]>([
  ["h", 224],
  [null, 224],
  [divDims(mulDims("h", 3), mulDims("w", 2)), 1],
  [mulDims(3, divDims(mulDims("h", "w"), mulDims(3, "w"))), 222],
  ["floor(h*0.5)", 112],
  ["min(floor((h+1)/2),3)", 3],
])("about how much %s is", (dim, expected) => {
  expect(estimateDim(dim)).toBe(expected);
});

test("a name that reads like arithmetic and comes to no number is a name", () => {
  expect(estimateDim("../../x")).toBe(224);
  expect(estimateDim("../../x", (name) => (name === "../../x" ? 5 : 1))).toBe(5);
});
