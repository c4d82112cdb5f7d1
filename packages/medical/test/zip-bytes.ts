import { crc32, deflateRawSync } from "node:zlib";

/** An entry of a zip archive. What is set beside name and content is written instead of the truth. */
export type ZipPart = {
  readonly name: string;
  readonly content: Uint8Array;
  /** Deflates the content; without it, the content is written as it is. */
  readonly deflate?: boolean;
  readonly method?: number;
  readonly flags?: number;
  readonly checksum?: number;
  readonly unpacked?: number;
  readonly offset?: number;
  /** So many entries of the directory lead to this one. */
  readonly copies?: number;
};

/** A zip archive, made by hand: yazl refuses names that lead out, and doesn't lie. */
export function zip(parts: readonly ZipPart[]): Uint8Array {
  const body: Buffer[] = [];
  const directory: Buffer[] = [];
  let length = 0;
  let entries = 0;
  for (const part of parts) {
    const data = Buffer.from(part.deflate ? deflateRawSync(part.content) : part.content);
    const name = Buffer.from(part.name);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(part.flags ?? 0, 2);
    common.writeUInt16LE(part.method ?? (part.deflate ? 8 : 0), 4);
    common.writeUInt32LE(part.checksum ?? crc32(part.content), 10);
    common.writeUInt32LE(data.length, 14);
    common.writeUInt32LE(part.unpacked ?? part.content.length, 18);
    common.writeUInt16LE(name.length, 22);
    const place = Buffer.alloc(14); // comment, disk, attributes: none
    place.writeUInt32LE(part.offset ?? length, 10);
    const entry = Buffer.concat([Buffer.from("PK\x01\x02\x14\0", "latin1"), common, place, name]);
    for (let copy = 0; copy < (part.copies ?? 1); copy++, entries++) directory.push(entry);
    const local = Buffer.concat([Buffer.from("PK\x03\x04", "latin1"), common, name, data]);
    body.push(local);
    length += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(entries, 8);
  end.writeUInt16LE(entries, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(length, 16);
  return new Uint8Array(Buffer.concat([...body, central, end]));
}
