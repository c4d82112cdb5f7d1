/**
 * Data elements out of bytes: PS3.5, 7. Only what is asked for is kept, all else is stepped over: a header costs what it says,
 * not what lies in it. dicom-parser makes an object of every element, without a bound on their number, recurses as deep as a
 * file nests, and takes the 32-bit lengths of OV, SV and UV for 16-bit ones, so that it goes astray in an extended offset table.
 */

/** How a data set is written: transfer syntaxes differ in nothing else, up to the pixels. */
export type Encoding = { readonly explicit: boolean; readonly littleEndian: boolean };

export type DataElement = {
  /** Undefined where the file doesn't say: implicit VR. */
  readonly vr: string | undefined;
  /** The value as it stands, padding included; a view, gone when the buffer is used again. Empty for a sequence. */
  readonly bytes: Uint8Array;
  readonly littleEndian: boolean;
  /** Of a sequence. */
  readonly items: readonly DataSet[];
};

/** By tag, (gggg,eeee) as 0xggggeeee. */
export type DataSet = ReadonlyMap<number, DataElement>;

/** Which elements are read: tags, and for a sequence those inside its items. */
export interface Wanted extends ReadonlyMap<number, Wanted | undefined> {}

export type Head = {
  readonly elements: DataSet;
  /** The first tag of the pixels, or of what ends the search; where its element starts. */
  readonly end: { readonly tag: number; readonly offset: number } | undefined;
};

/** The bytes at hand end before the header does. */
export class EndOfBytes extends Error {
  constructor(
    /** 0 where not even that is there. */
    readonly tag: number,
    readonly offset: number,
    readonly needed: number,
  ) {
    super(`${tag === 0 ? "an element" : `element ${tagName(tag)}`} at byte ${offset} needs ${needed} bytes`);
  }
}

/** The bytes aren't a data set. */
export class NotADataSet extends Error {}

/** Deeper than any object of the standard, and shallow enough for the stack. */
const deepest = 64;
/** All items of the sequences asked for: some 15,000 frames of an enhanced image. Each costs more memory than it takes in a file. */
const mostItems = 100_000;
const empty: DataSet = new Map();

const undefinedLength = 0xffffffff;
const item = 0xfffee000;
const itemEnd = 0xfffee00d;
const sequenceEnd = 0xfffee0dd;

/** VRs whose explicit form has a 32-bit length after two reserved bytes: PS3.5, 7.1.2. */
const longVrs = new Set(["OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"]);
const implicitLittleEndian: Encoding = { explicit: false, littleEndian: true };

/** (7FE0,0010), as the standard prints a tag. */
export function tagName(tag: number): string {
  const hex = tag.toString(16).padStart(8, "0").toUpperCase();
  return `(${hex.slice(0, 4)},${hex.slice(4)})`;
}

/**
 * Reads a data set from `offset` up to the first top-level element for which `until` says so, or to the end of the bytes.
 * Throws EndOfBytes when an element goes on beyond them, NotADataSet when they aren't a data set.
 */
export function readElements(
  bytes: Uint8Array,
  offset: number,
  encoding: Encoding,
  wanted: Wanted,
  until: (tag: number, elements: DataSet) => boolean,
): Head {
  const cursor = new Cursor(bytes, offset);
  const elements = new Map<number, DataElement>();
  while (cursor.offset < bytes.length) {
    const { offset: start } = cursor;
    const tag = cursor.tag(encoding);
    if (until(tag, elements)) return { elements, end: { tag, offset: start } };
    if (tag >>> 16 === 0xfffe) throw new NotADataSet(`${tagName(tag)} at byte ${start} ends nothing`);
    cursor.element(cursor.header(encoding), encoding, wanted, elements, 0);
  }
  return { elements, end: undefined };
}

type Header = {
  readonly tag: number;
  readonly vr: string | undefined;
  readonly length: number;
  readonly start: number;
};

class Cursor {
  offset: number;
  private items = 0;
  private readonly view: DataView;

  constructor(
    private readonly bytes: Uint8Array,
    offset: number,
  ) {
    this.offset = offset;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** Of the element that starts here; the cursor stays. */
  tag({ littleEndian }: Encoding): number {
    this.need(0, this.offset, 8);
    const group = this.view.getUint16(this.offset, littleEndian);
    return ((group << 16) | this.view.getUint16(this.offset + 2, littleEndian)) >>> 0;
  }

  /** Tag, VR and length; the cursor is then at the value. */
  header(encoding: Encoding): Header {
    const start = this.offset;
    const tag = this.tag(encoding);
    const { explicit, littleEndian } = encoding;
    if (!explicit || tag >>> 16 === 0xfffe) {
      this.offset = start + 8;
      return { tag, vr: undefined, length: this.view.getUint32(start + 4, littleEndian), start };
    }
    const vr = String.fromCharCode(this.bytes[start + 4]!, this.bytes[start + 5]!);
    if (!isVr(vr)) throw new NotADataSet(`${tagName(tag)} at byte ${start} has no value representation`);
    if (!longVrs.has(vr)) {
      this.offset = start + 8;
      return { tag, vr, length: this.view.getUint16(start + 6, littleEndian), start };
    }
    this.need(tag, start, 12);
    this.offset = start + 12;
    return { tag, vr, length: this.view.getUint32(start + 8, littleEndian), start };
  }

  /** Steps over a value, or keeps it. */
  element(
    header: Header,
    encoding: Encoding,
    wanted: Wanted | undefined,
    into: Map<number, DataElement>,
    depth: number,
  ) {
    const { tag, vr, length, start } = header;
    const isAsked = wanted?.has(tag) ?? false;
    const inside = isAsked ? wanted!.get(tag) : undefined;
    if (length === undefinedLength || inside !== undefined) {
      // UN that hides a sequence is implicit VR little endian, whatever is around it: PS3.5, 6.2.2, note 2.
      const form = vr === "UN" && !this.hasVrsInside(header) ? implicitLittleEndian : encoding;
      const items = this.sequence(header, form, inside, depth + 1);
      if (isAsked)
        into.set(tag, { vr: "SQ", bytes: this.bytes.subarray(0, 0), littleEndian: form.littleEndian, items });
      return;
    }
    this.need(tag, start, this.offset - start + length);
    const end = this.offset + length;
    if (isAsked)
      into.set(tag, {
        vr,
        bytes: this.bytes.subarray(this.offset, end),
        littleEndian: encoding.littleEndian,
        items: [],
      });
    this.offset = end;
  }

  /** Whether the first item's first element has a VR: some gateways write UN around a sequence that they leave explicit. */
  private hasVrsInside({ tag, start }: Header): boolean {
    const head = this.offset - start;
    this.need(tag, start, head + 8);
    if (this.tag(implicitLittleEndian) !== item) return false;
    this.need(tag, start, head + 14);
    return isVr(String.fromCharCode(this.bytes[this.offset + 12]!, this.bytes[this.offset + 13]!));
  }

  private sequence(header: Header, encoding: Encoding, wanted: Wanted | undefined, depth: number): DataSet[] {
    const { tag, length, start } = header;
    if (depth > deepest) throw new NotADataSet(`sequences nest deeper than ${deepest} at byte ${start}`);
    const end = length === undefinedLength ? Number.POSITIVE_INFINITY : this.offset + length;
    const items: DataSet[] = [];
    while (this.offset < end) {
      const next = this.header(encoding);
      if (next.tag === sequenceEnd) break;
      if (next.tag !== item)
        throw new NotADataSet(`${tagName(next.tag)} at byte ${next.start}, inside ${tagName(tag)}: expected an item`);
      const content = this.item(next, encoding, wanted, depth);
      if (wanted !== undefined) items.push(content);
    }
    return items;
  }

  private item(header: Header, encoding: Encoding, wanted: Wanted | undefined, depth: number): DataSet {
    if (wanted === undefined && header.length !== undefinedLength) {
      this.need(item, header.start, 8 + header.length);
      this.offset += header.length;
      return empty;
    }
    const content = new Map<number, DataElement>();
    if (wanted !== undefined && ++this.items > mostItems)
      throw new NotADataSet(`more than ${mostItems} items in its sequences`);
    const end = header.length === undefinedLength ? Number.POSITIVE_INFINITY : this.offset + header.length;
    while (this.offset < end) {
      const next = this.header(encoding);
      if (next.tag === itemEnd) break;
      this.element(next, encoding, wanted, content, depth);
    }
    return content;
  }

  private need(tag: number, start: number, length: number) {
    if (start + length > this.bytes.length) throw new EndOfBytes(tag, start, length);
  }
}

/** Whether two characters could be a VR: capital letters. */
export const isVr = (text: string): boolean => /^[A-Z]{2}$/.test(text);
