import { DicomError } from "../errors.ts";
import { attributes, type Keyword } from "./attributes.ts";
import { decodeText, latin1 } from "./charset.ts";
import { type DataElement, type DataSet, tagName } from "./elements.ts";

/** A decimal or integer string without its padding: PS3.5, 6.2. */
const decimalString = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
/** Bytes of one value; `xs` and what a file gives another VR than the dictionary are taken care of below. */
const sizes: Readonly<Record<string, number>> = { US: 2, SS: 2, UL: 4, SL: 4, FL: 4, FD: 8 };
/** Text that a Specific Character Set applies to: PS3.5, 6.1.2.2. */
const translated = new Set(["LO", "LT", "PN", "SH", "ST", "UC", "UT"]);

/** Reads values out of one data set: the header's, or that of a sequence's item. */
export class Values {
  constructor(
    private readonly name: string,
    private readonly elements: DataSet,
    private readonly charset: readonly string[] = [],
    private readonly isSigned = false,
  ) {}

  /** The whole value as text, padding gone; "" where it is absent or empty. */
  text(keyword: Keyword): string {
    const [tag, vr] = attributes[keyword];
    const element = this.elements.get(tag);
    if (element === undefined || element.bytes.length === 0) return "";
    const text = translated.has(vr) ? decodeText(element.bytes, this.charset, vr) : latin1(element.bytes);
    return trimPadding(text);
  }

  /** Each value as text. */
  texts(keyword: Keyword): string[] {
    const text = this.text(keyword);
    return text === "" ? [] : text.split("\\").map((value) => value.trim());
  }

  /**
   * Numbers, all values; undefined where the attribute is absent or empty. Throws DicomError where it has another number of
   * values than `count`, or one that isn't a number: what geometry rests on is never guessed.
   */
  numbers(keyword: Keyword, count?: number): number[] | undefined {
    const [tag, dictionaryVr] = attributes[keyword];
    const element = this.elements.get(tag);
    if (element === undefined || element.bytes.length === 0) return undefined;
    const vr = element.vr === undefined || element.vr === "UN" ? dictionaryVr : element.vr;
    const numbers =
      vr in sizes || vr === "xs"
        ? binary(element, vr === "xs" ? (this.isSigned ? "SS" : "US") : vr)
        : this.decimals(keyword);
    if (numbers?.length === 0) return undefined;
    if (numbers !== undefined && count !== undefined && numbers.length !== count)
      throw this.error(keyword, `has ${numbers.length} values, expected ${count}`);
    return numbers;
  }

  /** The first number, where there is one. */
  number(keyword: Keyword): number | undefined {
    return this.numbers(keyword)?.[0];
  }

  /** As `numbers`, for what no arithmetic on the scan rests on: undefined where a text isn't a number. */
  leniently(keyword: Keyword, count?: number): number[] | undefined {
    try {
      return this.numbers(keyword, count);
    } catch {
      return undefined;
    }
  }

  /** The items of a sequence, each a data set of its own. */
  items(keyword: Keyword): Values[] {
    const items = this.elements.get(attributes[keyword][0])?.items ?? [];
    return items.map((item) => new Values(this.name, item, this.charset, this.isSigned));
  }

  /** The value's own bytes, as 16-bit words. */
  words(keyword: Keyword): Uint16Array | undefined {
    const element = this.elements.get(attributes[keyword][0]);
    return element && Uint16Array.from(binary(element, "US"));
  }

  private decimals(keyword: Keyword): number[] | undefined {
    const texts = this.texts(keyword);
    return texts.map((text) => {
      if (!decimalString.test(text)) throw this.error(keyword, `is "${text.slice(0, 40)}", expected a number`);
      const value = Number(text);
      if (!Number.isFinite(value)) throw this.error(keyword, `is ${text}, beyond all numbers`);
      return value;
    });
  }

  private error(keyword: Keyword, reason: string): DicomError {
    return new DicomError(this.name, `${keyword} ${tagName(attributes[keyword][0])} ${reason}`);
  }
}

/** Trailing spaces and NULs, and leading spaces, mean nothing: PS3.5, 6.2. */
export const trimPadding = (text: string): string => text.replace(/[\0 ]+$/, "").replace(/^ +/, "");

function binary({ bytes, littleEndian }: DataElement, vr: string): number[] {
  const size = sizes[vr]!;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const read: Readonly<Record<string, (at: number) => number>> = {
    US: (at) => view.getUint16(at, littleEndian),
    SS: (at) => view.getInt16(at, littleEndian),
    UL: (at) => view.getUint32(at, littleEndian),
    SL: (at) => view.getInt32(at, littleEndian),
    FL: (at) => view.getFloat32(at, littleEndian),
    FD: (at) => view.getFloat64(at, littleEndian),
  };
  return Array.from({ length: Math.floor(bytes.length / size) }, (_, i) => read[vr]!(i * size));
}
