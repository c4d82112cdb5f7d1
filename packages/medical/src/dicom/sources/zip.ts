import { readSync, statSync } from "node:fs";
import { crc32, inflateRawSync } from "node:zlib";
import { fileError } from "@camkit/cam-core/data";
import { getFileNameLowLevel, openPromise } from "yauzl";
import { DicomError } from "../../errors.ts";
import { withFile } from "../with-file.ts";
import type { Found } from "./entry.ts";

/** A study has some thousand files. */
const mostEntries = 100_000;
/** What deflates better than this is a bomb: CT slices come to a half or a quarter, blank ones to a hundredth. */
const highestRatio = 200;
/** Below this size a high ratio does no harm: a blank slice of 2048 × 2048 pixels has eight. */
const smallEntry = 16 << 20;
/** All entries together, beyond which their ratio counts. */
const smallArchive = 1 << 30;

type ZipEntry = {
  readonly name: string;
  readonly offset: number;
  readonly method: number;
  readonly packed: number;
  readonly unpacked: number;
  readonly checksum: number;
  readonly isEncrypted: boolean;
};

/**
 * The files in a zip archive. Nothing is written anywhere: names are names, whatever paths they spell, and the bytes of an entry
 * are inflated whenever they are asked for. Encrypted entries and bombs are passed over, each with its reason.
 * Throws DicomError for an archive that is damaged or a bomb as a whole, FileError.
 */
export async function* filesInZip(path: string): AsyncGenerator<Found> {
  let size: number;
  try {
    size = statSync(path).size;
  } catch (cause) {
    throw fileError(path, cause);
  }
  for (const entry of await listed(path, size)) {
    const name = `${path}:${entry.name}`;
    if (entry.name.endsWith("/")) continue;
    const reason = refusal(entry);
    if (reason !== undefined) yield { name, reason };
    else
      yield {
        name,
        store: {
          get bytes() {
            return inflated(path, name, entry);
          },
        },
      };
  }
}

async function listed(path: string, size: number): Promise<ZipEntry[]> {
  const entries: ZipEntry[] = [];
  let packed = 0;
  let unpacked = 0;
  try {
    // Names stay bytes here: yauzl would refuse the archive for one name that leads out of it, and nothing is written by name.
    const archive = await openPromise(path, { decodeStrings: false, validateEntrySizes: false });
    if (archive.entryCount > mostEntries) {
      archive.close();
      throw new DicomError(path, `claims ${archive.entryCount} entries, at most ${mostEntries} are read`);
    }
    for await (const entry of archive.eachEntry()) {
      entries.push({
        name: getFileNameLowLevel(entry.generalPurposeBitFlag, entry.fileNameRaw, entry.extraFields, false),
        offset: entry.relativeOffsetOfLocalHeader,
        method: entry.compressionMethod,
        packed: entry.compressedSize,
        unpacked: entry.uncompressedSize,
        checksum: entry.crc32,
        isEncrypted: (entry.generalPurposeBitFlag & 1) === 1,
      });
      packed += entry.compressedSize;
      unpacked += entry.uncompressedSize;
    }
  } catch (cause) {
    if (cause instanceof DicomError) throw cause;
    throw new DicomError(path, `no readable zip archive: ${(cause as Error).message}`, {
      hint: "Fetch it again.",
      cause,
    });
  }
  if (packed > size)
    throw new DicomError(path, `its entries overlap: they claim ${packed} bytes in a file of ${size}`, {
      hint: bombHint,
    });
  if (unpacked > smallArchive && unpacked > highestRatio * size)
    throw new DicomError(path, `${size} bytes that claim to hold ${unpacked}`, { hint: bombHint });
  return entries;
}

const bombHint = "An archive made to fill memory; if it is yours, unpack it and give the folder.";

function refusal({ isEncrypted, method, packed, unpacked }: ZipEntry): string | undefined {
  if (isEncrypted) return "encrypted";
  if (method !== 0 && method !== 8) return `compressed by method ${method}, expected stored (0) or deflated (8)`;
  if (unpacked > smallEntry && unpacked > highestRatio * packed)
    return `${packed} bytes that claim to hold ${unpacked}: a bomb`;
  return undefined;
}

/** One entry's bytes. Throws DicomError where they aren't what the directory says; FileError. */
function inflated(path: string, name: string, entry: ZipEntry): Uint8Array {
  const packed = packedBytes(path, name, entry);
  const bytes = entry.method === 0 ? packed : inflate(name, packed, entry.unpacked);
  if (bytes.length !== entry.unpacked)
    throw new DicomError(name, `has ${bytes.length} bytes, its archive says ${entry.unpacked}`);
  if (crc32(bytes) !== entry.checksum) throw new DicomError(name, "damaged: its checksum isn't that of the archive");
  return bytes;
}

function inflate(name: string, packed: Uint8Array, size: number): Uint8Array {
  try {
    return inflateRawSync(packed, { maxOutputLength: Math.max(1, size) });
  } catch (cause) {
    throw new DicomError(name, `can't be inflated to the ${size} bytes that its archive says`, { cause });
  }
}

const localHeader = 30;

function packedBytes(path: string, name: string, entry: ZipEntry): Uint8Array {
  return withFile(path, (file) => {
    const header = Buffer.alloc(localHeader);
    const read = readSync(file, header, 0, localHeader, entry.offset);
    if (read < localHeader || header.readUInt32LE(0) !== 0x04034b50)
      throw new DicomError(name, `no entry at byte ${entry.offset} of its archive`);
    // The lengths of name and extra field may differ from those in the directory.
    const start = entry.offset + localHeader + header.readUInt16LE(26) + header.readUInt16LE(28);
    const bytes = new Uint8Array(entry.packed);
    const got = readSync(file, bytes, 0, bytes.length, start);
    if (got < bytes.length) throw new DicomError(name, `truncated: ${got} of ${bytes.length} bytes in its archive`);
    return bytes;
  });
}
