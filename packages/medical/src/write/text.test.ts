import { expect, test } from "vitest";
import { dateOf, dateTimeOf, legal, longString, shortString, text, timeOf } from "./text.ts";

test("text is cut between characters, to bytes of UTF-8, without what parts values", () => {
  expect(text("Lunge\\rechts\n\u0007 oben", 64)).toBe("Lunge rechts oben");
  expect(shortString("sechzehn Zeichen")).toBe("sechzehn Zeichen");
  expect(shortString("siebzehn  Zeichen")).toBe("siebzehn Zeichen"); // one space
  expect(shortString("Überlänge überall")).toBe("Überlänge ..."); // 12 bytes and 3; with "ü" it would be 14 and 3
  expect(longString("肺".repeat(30))).toBe(`${"肺".repeat(20)}...`); // 3 bytes each: 60 + 3
});

test("dates and times are local, a date with time says its zone", () => {
  const time = new Date(2026, 0, 2, 3, 4, 5);
  expect([dateOf(time), timeOf(time)]).toEqual(["20260102", "030405"]);
  expect(dateTimeOf(time)).toMatch(/^20260102030405[+-]\d{4}$/);
  const zone = dateTimeOf(time).slice(-5);
  expect(new Date(`2026-01-02T03:04:05${zone.slice(0, 3)}:${zone.slice(3)}`)).toEqual(time);
});

test.each([
  ["DA", "19700101", "19700101"],
  ["DA", "1970-01-01", undefined],
  ["DA", "19701301", undefined],
  ["TM", "120000.123456", "120000.123456"],
  ["TM", "12:00", undefined],
  ["AS", "056Y", "056Y"],
  ["AS", "56", undefined],
  ["CS", "CHEST", "CHEST"],
  ["CS", "Chest", undefined],
  ["DS", "72.5", "72.5"],
  ["DS", "72,5", undefined],
  ["DS", "1e-3", "1e-3"],
  ["DS", "0.12345678901234567", undefined],
  ["LO", " ", undefined],
  ["PN", "Yamada^Tarou=山田^太郎=やまだ^たろう", "Yamada^Tarou=山田^太郎=やまだ^たろう"],
  ["PN", `${"山".repeat(70)}^x`, "山".repeat(64)],
] as const)("%s %s becomes %s", (vr, value, expected) => {
  expect(legal[vr](value)).toBe(expected);
});
