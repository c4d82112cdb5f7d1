import { expect, test } from "vitest";
import { decodeText } from "./charset.ts";

const bytes = (hex: string) => new Uint8Array(Buffer.from(hex.replaceAll(" ", ""), "hex"));

// Names as PS3.5 prints them, with their bytes: annexes H (Japanese), I (Korean), J and K (Chinese), and PS3.5, 6.1.2.
test.each([
  [
    "H.3.1",
    "\\ISO 2022 IR 87",
    "Yamada^Tarou=山田^太郎=やまだ^たろう",
    "59 61 6D 61 64 61 5E 54 61 72 6F 75 3D 1B 24 42 3B 33 45 44 1B 28 42 5E 1B 24 42 42 40 4F 3A 1B 28 42 3D 1B 24 42 24 64 24 5E 24 40 1B 28 42 5E 1B 24 42 24 3F 24 6D 24 26 1B 28 42",
  ],
  [
    "H.3.2",
    "ISO 2022 IR 13\\ISO 2022 IR 87",
    "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう",
    "D4 CF C0 DE 5E C0 DB B3 3D 1B 24 42 3B 33 45 44 1B 28 4A 5E 1B 24 42 42 40 4F 3A 1B 28 4A 3D 1B 24 42 24 64 24 5E 24 40 1B 28 4A 5E 1B 24 42 24 3F 24 6D 24 26 1B 28 4A",
  ],
  [
    "I.2",
    "\\ISO 2022 IR 149",
    "Hong^Gildong=洪^吉洞=홍^길동",
    "48 6F 6E 67 5E 47 69 6C 64 6F 6E 67 3D 1B 24 29 43 FB F3 5E 1B 24 29 43 D1 CE D4 D7 3D 1B 24 29 43 C8 AB 5E 1B 24 29 43 B1 E6 B5 BF",
  ],
  [
    "J.1",
    "ISO_IR 192",
    "Wang^XiaoDong=王^小東=",
    "57 61 6E 67 5E 58 69 61 6F 44 6F 6E 67 3D E7 8E 8B 5E E5 B0 8F E6 9D B1 3D",
  ],
  ["J.3", "GB18030", "Wang^XiaoDong=王^小东=", "57 61 6E 67 5E 58 69 61 6F 44 6F 6E 67 3D CD F5 5E D0 A1 B6 AB 3D"],
  [
    "K.2",
    "\\ISO 2022 IR 58",
    "Zhang^XiaoDong=张^小东=",
    "5A 68 61 6E 67 5E 58 69 61 6F 44 6F 6E 67 3D 1B 24 29 41 D5 C5 5E 1B 24 29 41 D0 A1 B6 AB 3D",
  ],
  ["Arabic", "ISO_IR 127", "قباني^لنزار", "E2 C8 C7 E6 EA 5E E4 E6 D2 C7 D1"],
  ["French", "ISO_IR 100", "Buc^Jérôme", "42 75 63 5E 4A E9 72 F4 6D 65"],
  ["German", "ISO_IR 100", "Äneas^Rüdiger", "C4 6E 65 61 73 5E 52 FC 64 69 67 65 72"],
  ["Greek", "ISO_IR 126", "Διονυσιος", "C4 E9 EF ED F5 F3 E9 EF F2"],
  ["Hebrew", "ISO_IR 138", "שרון^דבורה", "F9 F8 E5 EF 5E E3 E1 E5 F8 E4"],
  ["Cyrillic", "ISO_IR 144", "Люкceмбypг", "BB EE DA 63 65 DC D1 79 70 D3"],
  ["Polish", "ISO_IR 101", "Łukasz", "A3 75 6B 61 73 7A"],
  ["Maltese", "ISO_IR 109", "Ġ", "D5"],
  ["Latvian", "ISO_IR 110", "Ķ", "D3"],
  ["Turkish", "ISO_IR 148", "Şahin", "DE 61 68 69 6E"],
  ["Thai", "ISO_IR 166", "ไทย", "E4 B7 C2"],
  [
    "Latin and Greek by escapes",
    "ISO 2022 IR 100\\ISO 2022 IR 126",
    "Äneas=Διο",
    "C4 6E 65 61 73 3D 1B 2D 46 C4 E9 EF",
  ],
  ["JIS X 0212", "\\ISO 2022 IR 159", "丂", "1B 24 28 44 30 21 1B 28 42"],
  ["nothing said", "", "José", "4A 6F 73 E9"],
  ["an unknown set", "ISO_IR 999", "José", "4A 6F 73 E9"],
])("%s: %s", (_, charset, expected, hex) => {
  expect(decodeText(bytes(hex), charset.split("\\"), "PN")).toBe(expected);
});

test("a name's parts end an extension, those of other text don't", () => {
  // ESC - F, one Greek letter, a delimiter, and 0xC4 once more: Ä in the first set, Δ in the second.
  const greek = bytes("1B 2D 46 C4 5E C4");
  expect(decodeText(greek, ["ISO 2022 IR 100", "ISO 2022 IR 126"], "PN")).toBe("Δ^Ä");
  expect(decodeText(greek, ["ISO 2022 IR 100", "ISO 2022 IR 126"], "LO")).toBe("Δ^Δ");
});

test("what can't be decoded is marked, not thrown", () => {
  expect(decodeText(bytes("C3 28"), ["ISO_IR 192"])).toBe("\ufffd(");
  expect(decodeText(bytes("1B 24 42 3B"), ["", "ISO 2022 IR 87"])).toContain("\ufffd");
});
