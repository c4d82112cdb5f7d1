/**
 * Text of any Specific Character Set, (0008,0005), as PS3.3, C.12.1.1.2 and PS3.5, 6.1 have them: one set for all, or with code
 * extensions (ISO 2022) several, switched by escape sequences. What a decoder can't read becomes U+FFFD; nothing is thrown:
 * a name in a wrong set must not keep a scan from being read.
 */

const esc = 0x1b;

/** The web's names of the sets without code extensions. They are supersets: windows-1252 of ISO 8859-1, for one. */
const encodings: Readonly<Record<string, string>> = {
  "": "ascii",
  "ISO_IR 6": "ascii",
  "ISO_IR 100": "iso-8859-1",
  "ISO_IR 101": "iso-8859-2",
  "ISO_IR 109": "iso-8859-3",
  "ISO_IR 110": "iso-8859-4",
  "ISO_IR 144": "iso-8859-5",
  "ISO_IR 127": "iso-8859-6",
  "ISO_IR 126": "iso-8859-7",
  "ISO_IR 138": "iso-8859-8",
  "ISO_IR 148": "iso-8859-9",
  "ISO_IR 203": "iso-8859-15",
  "ISO_IR 13": "shift_jis",
  "ISO_IR 166": "windows-874",
  "ISO_IR 192": "utf-8",
  GB18030: "gb18030",
  GBK: "gbk",
};

/** A set that an escape sequence calls into G0 (codes below 0x80) or G1 (above): PS3.3, tables C.12-3 and C.12-4. */
type Element = { readonly half: 0 | 1; readonly encoding: string; readonly prefix?: number; readonly width?: 2 };

/** By the bytes after ESC. Two-byte sets of G0 are those of EUC with the high bits off. */
const escapes: Readonly<Record<string, Element>> = {
  "(B": { half: 0, encoding: "ascii" },
  "(J": { half: 0, encoding: "shift_jis" },
  ")I": { half: 1, encoding: "shift_jis" },
  "-A": { half: 1, encoding: "iso-8859-1" },
  "-B": { half: 1, encoding: "iso-8859-2" },
  "-C": { half: 1, encoding: "iso-8859-3" },
  "-D": { half: 1, encoding: "iso-8859-4" },
  "-L": { half: 1, encoding: "iso-8859-5" },
  "-G": { half: 1, encoding: "iso-8859-6" },
  "-F": { half: 1, encoding: "iso-8859-7" },
  "-H": { half: 1, encoding: "iso-8859-8" },
  "-M": { half: 1, encoding: "iso-8859-9" },
  "-b": { half: 1, encoding: "iso-8859-15" },
  "-T": { half: 1, encoding: "windows-874" },
  $B: { half: 0, encoding: "euc-jp", width: 2 },
  "$(D": { half: 0, encoding: "euc-jp", width: 2, prefix: 0x8f },
  "$)C": { half: 1, encoding: "euc-kr" },
  "$)A": { half: 1, encoding: "gbk" },
};

const decoders = new Map<string, InstanceType<typeof TextDecoder>>();

function decode(bytes: Uint8Array, encoding: string): string {
  // What is beyond ASCII though no set was named is mostly Latin-1; an ASCII decoder would lose it.
  const label = encoding === "ascii" ? "windows-1252" : encoding;
  let decoder = decoders.get(label);
  if (decoder === undefined) {
    decoder = new TextDecoder(label, { ignoreBOM: true });
    decoders.set(label, decoder);
  }
  return decoder.decode(bytes);
}

/** Defined terms of (0008,0005) in the form that the tables have: "ISO IR 100" and "ISO-IR 100" occur, too. */
function termOf(text: string): string {
  return text
    .trim()
    .toUpperCase()
    .replace(/^ISO[ _-]IR[ _-]?/, "ISO_IR ")
    .replace(/^ISO[ _-]2022[ _-]IR[ _-]?/, "ISO 2022 IR ");
}

/**
 * Decodes a text value, all of it: padding and separators are the caller's. `charset`: the values of (0008,0005). Names, VR PN,
 * fall back to the first set at the delimiters of their parts, too.
 */
export function decodeText(bytes: Uint8Array, charset: readonly string[], vr?: string): string {
  if (isPlain(bytes)) return latin1(bytes);
  const first = termOf(charset[0] ?? "");
  const base = encodings[first.replace(/^ISO 2022 IR /, "ISO_IR ")] ?? "ascii";
  // Escapes have no meaning in UTF-8 and GB18030; everywhere else they are followed though the header may not name their sets.
  if (base === "utf-8" || base === "gb18030" || base === "gbk" || !bytes.includes(esc)) return decode(bytes, base);
  return decodeExtended(bytes, base, vr === "PN" ? "\t\n\f\r\\^=" : "\t\n\f\r\\");
}

/** `resets`: what ends every extension, line ends and separators: PS3.5, 6.1.2.5.3. */
function decodeExtended(bytes: Uint8Array, base: string, resets: string): string {
  const initial: readonly [Element, Element] = [
    { half: 0, encoding: base === "shift_jis" ? base : "ascii" },
    { half: 1, encoding: base },
  ];
  let [g0, g1] = initial;
  let text = "";
  for (let i = 0; i < bytes.length; ) {
    if (bytes[i] === esc) {
      const length = bytes[i + 1] === 0x24 && (bytes[i + 2] === 0x28 || bytes[i + 2] === 0x29) ? 3 : 2;
      const called = escapes[latin1(bytes.subarray(i + 1, i + 1 + length))];
      if (called?.half === 0) g0 = called;
      if (called?.half === 1) g1 = called;
      i += 1 + length;
      continue;
    }
    let end = i;
    if (g0.width === 2 && isGraphic(bytes[i]!)) {
      while (end + 1 < bytes.length && isGraphic(bytes[end]!) && isGraphic(bytes[end + 1]!)) end += 2;
      if (end === i) end = bytes.length; // half a character
      text += decode(highBits(bytes.subarray(i, end), g0.prefix), g0.encoding);
    } else {
      const upper = bytes[i]! >= 0x80;
      while (end < bytes.length && bytes[end] !== esc && bytes[end]! >= 0x80 === upper) {
        if (g0.width === 2 && isGraphic(bytes[end]!)) break;
        if (resets.includes(String.fromCharCode(bytes[end++]!))) [g0, g1] = initial;
      }
      text += decode(bytes.subarray(i, end), (upper ? g1 : g0).encoding);
    }
    i = end;
  }
  return text;
}

/** Two 7-bit codes per character, as EUC has them. */
function highBits(codes: Uint8Array, prefix: number | undefined): Uint8Array {
  if (prefix === undefined) return codes.map((code) => code | 0x80);
  return Uint8Array.from({ length: (codes.length / 2) * 3 }, (_, i) =>
    i % 3 === 0 ? prefix : codes[Math.floor(i / 3) * 2 + (i % 3) - 1]! | 0x80,
  );
}

const isGraphic = (byte: number) => byte > 0x20 && byte < 0x7f;

function isPlain(bytes: Uint8Array): boolean {
  for (const byte of bytes) if (byte >= 0x80 || byte === esc) return false;
  return true;
}

/** Bytes as characters of the same code; short ones, as values are. */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}
