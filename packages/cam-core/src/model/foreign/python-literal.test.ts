import { describe, expect, test } from "vitest";
import { parsePythonLiteral } from "./python-literal.ts";

describe("as Python 3.11 writes them with repr", () => {
  test.each([
    ["{0: 'person', 1: \"o'clock\", 2: 'a\\'b\"c'}", { "0": "person", "1": "o'clock", "2": "a'b\"c" }],
    ["[640, 640]", [640, 640]],
    ["(3,)", [3]],
    ["()", []],
    ["{}", {}],
    ["[1.5, -2, 1e-05, True, False, None]", [1.5, -2, 1e-5, true, false, null]],
    ["'caf\\xe9 \\u20ac \\U0001f600 \\\\ \\n \\t'", "café € 😀 \\ \n \t"],
    ["'naïve 猫'", "naïve 猫"],
    ["{'a': [(1, 2), {'b': 'c'}], }", { a: [[1, 2], { b: "c" }] }],
    [" 32 ", 32],
  ])("%s", (text, value) => expect(parsePythonLiteral(text)).toEqual(value));
});

describe("refused, with the place", () => {
  test.each([
    "",
    "{",
    "[1, 2",
    "'open",
    "{1 2}",
    "[1 2]",
    "1 2",
    "lambda: 0",
    "__import__('os')",
    "'\\xg0'",
    "'\\U00110000'",
  ])("%j", (text) => expect(() => parsePythonLiteral(text)).toThrow(/no Python literal/));
  test("a thousand brackets", () => expect(() => parsePythonLiteral("[".repeat(1000))).toThrow(/nested more than 100/));
});
