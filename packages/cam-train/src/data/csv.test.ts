import { expect, test } from "vitest";
import { parseCsv } from "./csv.ts";

const cells = (text: string) => parseCsv(text, "l.csv").rows.map((row) => Object.values(row.cells));

// What Python's csv.reader makes of the same text (skipinitialspace, blanks behind a cell stripped).
test("cells are plain or quoted, lines end as they like", () => {
  expect(cells('a,b\r\n1,"x, ""y"""\r\n\r\n 2 ,"two\nlines"')).toEqual([["1", 'x, "y"'], ["2", "two\nlines"]]); // biome-ignore format: rows
  expect(cells("\uFEFFa,b\n,\nß,é\n")).toEqual([["", ""], ["ß", "é"]]); // biome-ignore format: rows
  expect(parseCsv('a\n"1\n2"\n3', "l.csv").rows.map(({ line }) => line)).toEqual([2, 4]);
});

test.each([
  ["", "an empty list"],
  ["a,a\n1,2", 'two columns are named "a"'],
  ["a,b\n1,2\n1,2,3", "l.csv, line 3: 3 cells, the header has 2"],
  ['a,b\n1,"2', "line 2: a quote that doesn't end"],
  ['a,b\n1,x"y"', "line 2: a quote that doesn't end, or stands inside a cell"],
])("%j is refused", (text, message) => expect(() => parseCsv(text, "l.csv")).toThrow(message));
