import { type FileHandle, open } from "node:fs/promises";
import { constants, inflateRawSync } from "node:zlib";
import { fileError } from "@camkit/cam-core/data";
import dicomParser from "dicom-parser";
import { DicomError } from "../errors.ts";

/** Which instance a DICOM file holds: what its first groups say. */
export type InstanceHead = {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly modality: string;
  readonly transferSyntaxUid: string;
};
export type InstanceFile = InstanceHead & { readonly path: string; readonly size: number };

const firstBytes = 65_536;
/** What has no series by then is no DICOM file, however it begins. */
const mostBytes = 2 ** 26;
const seriesInstanceUid = "x0020000e";

/**
 * Reads as much of a file as has its UIDs, mostly 64 KiB: what references hundreds of instances has more before them.
 * Throws FileError, and DicomError on what is no DICOM file.
 */
export async function readHead(path: string): Promise<InstanceFile> {
  let file: FileHandle | undefined;
  try {
    file = await open(path);
    const { size } = await file.stat();
    for (let length = Math.min(firstBytes, size); ; length = Math.min(length * 8, size)) {
      const bytes = new Uint8Array(length);
      let read = 0;
      for (let got = -1; got !== 0 && read < length; read += got)
        got = (await file.read(bytes, read, length - read, read)).bytesRead;
      const head = headOf(bytes.subarray(0, read), path, read >= size);
      if (head === undefined && length >= mostBytes)
        throw new DicomError(path, `no Series Instance UID in its first ${length} bytes`);
      if (head) return { path, size, ...head };
    }
  } catch (cause) {
    throw cause instanceof DicomError ? cause : fileError(path, cause);
  } finally {
    await file?.close();
  }
}

/** The head of a file in memory. Throws DicomError. */
export function headOfBytes(bytes: Uint8Array, name: string): InstanceHead {
  return headOf(bytes, name, true)!;
}

/** Undefined where more of the file is needed. */
function headOf(bytes: Uint8Array, name: string, complete: boolean): InstanceHead | undefined {
  if (Buffer.from(bytes.subarray(128, 132)).toString("latin1") !== "DICM")
    throw new DicomError(name, "not a DICOM file: no DICM after the preamble");
  let data: dicomParser.DataSet;
  try {
    data = dicomParser.parseDicom(bytes, { untilTag: seriesInstanceUid, inflater } as dicomParser.ParseDicomOptions);
    if (data.elements[seriesInstanceUid] === undefined) throw new Error("no Series Instance UID");
  } catch (cause) {
    if (!complete) return undefined;
    const { message = String((cause as { exception?: string }).exception ?? cause) } = cause as Error;
    throw new DicomError(name, `not a DICOM file that can be identified: ${message}`, { cause });
  }
  return {
    sopClassUid: data.string("x00080016") ?? "",
    sopInstanceUid: data.string("x00080018") ?? "",
    studyInstanceUid: data.string("x0020000d") ?? "",
    seriesInstanceUid: data.string(seriesInstanceUid) ?? "",
    modality: data.string("x00080060") ?? "",
    transferSyntaxUid: data.string("x00020010") ?? "",
  };
}

/** Deflated transfer syntax: the stream's start, which is enough here, and can't swell to more than a thousand times its size. */
function inflater(bytes: Uint8Array, position: number): Uint8Array {
  const start = bytes.subarray(position, position + firstBytes);
  const inflated = inflateRawSync(start, { finishFlush: constants.Z_SYNC_FLUSH });
  const whole = new Uint8Array(position + inflated.length);
  whole.set(bytes.subarray(0, position));
  whole.set(inflated, position);
  return whole;
}
