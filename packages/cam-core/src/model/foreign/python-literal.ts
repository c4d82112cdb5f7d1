/** What Python's `repr` writes of plain data. Mappings keep their keys as text. */
export type PythonValue = null | boolean | number | string | PythonValue[] | { [key: string]: PythonValue };

/**
 * Reads a Python literal: dictionaries, lists, tuples, strings, numbers, None, True, False. Throws SyntaxError with the place where
 * it isn't one.
 */
export function parsePythonLiteral(text: string): PythonValue {
  const reader = { text, at: 0 };
  const value = read(reader, 0);
  skip(reader);
  if (reader.at < text.length) throw unexpected(reader);
  return value;
}

type Reader = { readonly text: string; at: number };

const words: Readonly<Record<string, null | boolean>> = { None: null, True: true, False: false };
const escapes: Readonly<Record<string, string>> = {
  "\\": "\\",
  "'": "'",
  '"': '"',
  n: "\n",
  r: "\r",
  t: "\t",
  "0": "\0",
  a: "\x07",
  b: "\b",
  f: "\f",
  v: "\v",
};
/** Digits of escapes that name a character by its number. */
const numbered: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };
/** What a file in the wild has no reason to exceed, and the stack can bear. */
const deepest = 100;

function read(reader: Reader, depth: number): PythonValue {
  if (depth > deepest) throw new SyntaxError(`nested more than ${deepest} deep`);
  skip(reader);
  const first = reader.text[reader.at] ?? "";
  if (first === "{") return dictionary(reader, depth);
  if (first === "[" || first === "(") return list(reader, first === "[" ? "]" : ")", depth);
  if (first === "'" || first === '"') return string(reader, first);
  const [word] = /^[-+.\w]+/.exec(reader.text.slice(reader.at, reader.at + 64)) ?? [];
  if (word === undefined) throw unexpected(reader);
  const value = word in words ? words[word]! : Number(word.replaceAll("_", ""));
  if (Number.isNaN(value)) throw unexpected(reader);
  reader.at += word.length;
  return value;
}

function dictionary(reader: Reader, depth: number): { [key: string]: PythonValue } {
  const entries: [string, PythonValue][] = [];
  reader.at++;
  while (!ends(reader, "}")) {
    const key = read(reader, depth + 1);
    expect(reader, ":");
    entries.push([String(key), read(reader, depth + 1)]);
    separate(reader, "}");
  }
  return Object.fromEntries(entries);
}

function list(reader: Reader, close: string, depth: number): PythonValue[] {
  const values: PythonValue[] = [];
  reader.at++;
  while (!ends(reader, close)) {
    values.push(read(reader, depth + 1));
    separate(reader, close);
  }
  return values;
}

function string(reader: Reader, quote: string): string {
  let value = "";
  for (reader.at++; reader.text[reader.at] !== quote; reader.at++) {
    const character = reader.text[reader.at];
    if (character === undefined || character === "\n") throw unexpected(reader);
    value += character === "\\" ? escaped(reader) : character;
  }
  reader.at++;
  return value;
}

function escaped(reader: Reader): string {
  const kind = reader.text[++reader.at] ?? "";
  const digits = numbered[kind];
  if (digits === undefined) return escapes[kind] ?? `\\${kind}`; // Python leaves what it doesn't know
  const code = reader.text.slice(reader.at + 1, reader.at + 1 + digits);
  const number = Number.parseInt(code, 16);
  if (!/^[0-9a-fA-F]+$/.test(code) || code.length < digits || number > 0x10ffff) throw unexpected(reader);
  reader.at += digits;
  return String.fromCodePoint(number);
}

/** Whether the closing bracket is next; it is then read. */
function ends(reader: Reader, close: string): boolean {
  skip(reader);
  if (reader.text[reader.at] !== close) return false;
  reader.at++;
  return true;
}

/** The comma between two elements, which may also stand after the last. */
function separate(reader: Reader, close: string): void {
  skip(reader);
  if (reader.text[reader.at] !== close) expect(reader, ",");
}

function expect(reader: Reader, character: string): void {
  skip(reader);
  if (reader.text[reader.at] !== character) throw unexpected(reader);
  reader.at++;
}

function skip(reader: Reader): void {
  while (/\s/.test(reader.text[reader.at] ?? "")) reader.at++;
}

function unexpected({ text, at }: Reader): SyntaxError {
  const found = at < text.length ? `"${text.slice(at, at + 12)}"` : "the end";
  return new SyntaxError(`${found} at character ${at} is no Python literal`);
}
