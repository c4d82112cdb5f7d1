import { open } from "node:fs/promises";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { fileError } from "@camkit/cam-core/data";
import { NiftiError } from "../errors.ts";
import type { Volume } from "../volume/volume.ts";
import { geometryIn } from "./geometry-in.ts";
import { headerSize } from "./header.ts";
import { readHeader, type ScanHeader } from "./scan-header.ts";
import { VoxelSink } from "./voxel-sink.ts";

/** Deflate can't make more of a byte than this, so a header that promises more lies. */
const largestRatio = 1032;

/**
 * A scan from a NIfTI-1 file (.nii, .nii.gz; any byte order; 8 to 64 bits), with its slope and intercept, on its own grid: axes
 * [k, j, i] as slices, rows, columns, which may run any way in the patient. Whole numbers that fit stay int16.
 * Memory holds the volume (one and a half where whole numbers turn out not to be) and a piece of the file.
 * Throws NiftiError: not NIfTI, pairs of files, NIfTI-2, colour, several times, no orientation, skewed axes, voxels that are no numbers, cut off;
 * FileError.
 */
export async function readNifti(path: string): Promise<Volume> {
  const file = await open(path).catch((cause: unknown) => {
    throw fileError(path, cause);
  });
  try {
    const size = (await file.stat()).size;
    const first = new Uint8Array(2);
    await file.read(first, 0, 2, 0);
    const isGzip = first[0] === 0x1f && first[1] === 0x8b;
    const raw = file.createReadStream({ start: 0, autoClose: false, highWaterMark: 1 << 18 });
    const gunzip = isGzip ? createGunzip({ chunkSize: 1 << 18 }) : undefined;
    if (gunzip) raw.on("error", (cause) => gunzip.destroy(cause)).pipe(gunzip);
    try {
      return await volumeIn(path, gunzip ?? raw, isGzip ? size * largestRatio : size);
    } catch (cause) {
      throw isGzip && isZlibError(cause) ? new NiftiError(path, "damaged gzip data", { cause }) : cause;
    } finally {
      gunzip?.destroy();
      raw.destroy();
    }
  } finally {
    await file.close();
  }
}

const isZlibError = (cause: unknown): boolean =>
  cause instanceof Error && "code" in cause && String(cause.code).startsWith("Z_");

async function volumeIn(path: string, stream: Readable, mostBytes: number): Promise<Volume> {
  let head: Uint8Array = new Uint8Array(0);
  let header: ScanHeader | undefined;
  let sink: VoxelSink | undefined;
  let at = 0; // offset in the file of the piece at hand
  for await (const piece of stream as AsyncIterable<Uint8Array>) {
    if (sink === undefined) {
      head = Buffer.concat([head, piece]);
      if (head.length < headerSize) continue;
      header = readHeader(path, head);
      const bytes = header.voxOffset + header.voxels * header.type.bytes;
      if (bytes > mostBytes)
        throw new NiftiError(
          path,
          `cut off: its header promises ${bytes} bytes, the file can't hold more than ${mostBytes}`,
        );
      sink = new VoxelSink(header);
      sink.take(head, -header.voxOffset);
      at = head.length;
      head = new Uint8Array(0);
    } else {
      sink.take(piece, at - header!.voxOffset);
      at += piece.length;
    }
    if (sink.isFull) break;
  }
  if (header === undefined || sink === undefined)
    throw new NiftiError(path, `${head.length} bytes, expected a header of ${headerSize}`);
  if (!sink.isFull)
    throw new NiftiError(path, `cut off after ${sink.count} of ${header.voxels} voxels`, {
      hint: "Copy the file again.",
    });
  const data = sink.data();
  checkFinite(path, header.dims, data);
  return { geometry: geometryIn(path, header), data };
}

/** One NaN makes a network's every score one. */
function checkFinite(path: string, [columns, rows]: ScanHeader["dims"], data: Volume["data"]): void {
  if (data instanceof Int16Array) return;
  const bad = data.reduce((count, value) => (Number.isFinite(value) ? count : count + 1), 0);
  if (bad === 0) return;
  const first = data.findIndex((value) => !Number.isFinite(value));
  const at = [Math.floor(first / (rows * columns)), Math.floor(first / columns) % rows, first % columns];
  throw new NiftiError(
    path,
    `${bad} of ${data.length} voxels are no numbers, ${data[first]} at slice, row, column ${at.join(", ")} for one`,
    { hint: "Programs put NaN where they saw nothing: replace it, by -1024 in a CT." },
  );
}
