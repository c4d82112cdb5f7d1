import { createHash, randomUUID } from "node:crypto";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { FileError } from "../errors.ts";
import type { Graph } from "../graph/graph.ts";
import { modelPieces, type Piece, sizeOf } from "../model/pieces.ts";
import { fileError, makeFolder } from "./files.ts";

export type WriteModelOptions = {
  /** Whether weights go to `<file>.data` beside the model. Default: where they don't fit into one file. */
  readonly externalData?: boolean;
  /** Looks at the written file before it gets its name; what it throws, nobody finds the file. */
  readonly check?: (path: string) => Promise<void>;
};

/** What was written: the files, and the model file's hash. */
export type WrittenFiles = { readonly files: readonly string[]; readonly bytes: number; readonly sha256: string };

/** Protobuf ends at 2 GiB. */
const largestFile = 2 ** 31 - 1;
const block = 2 ** 22;

/**
 * Writes a graph as an ONNX file that needs nothing outside its folder: weights are copied, from the files where they lie, a
 * block at a time. Both files are made in a folder of another name, then renamed; an old model goes first, so that no moment
 * has a model with another one's data. Throws FileError, and what `check` throws; nothing is left of the attempt.
 */
export async function writeModelFile(
  path: string,
  graph: Graph,
  { externalData, check }: WriteModelOptions = {},
): Promise<WrittenFiles> {
  const dataName = `${basename(path)}.data`;
  const whole = externalData ? undefined : modelPieces(graph);
  const outside = whole === undefined || sizeOf(whole.model) > largestFile;
  const { model, data } = outside ? modelPieces(graph, { externalAs: dataName }) : whole;
  const parts = [
    { path: join(dirname(path), dataName), pieces: data },
    { path, pieces: model },
  ].filter(({ pieces }) => pieces.length > 0);
  const staging = join(dirname(path), `.${basename(path).slice(0, 64)}.${randomUUID()}.part`);
  try {
    refuseSources(parts);
    await makeFolder(staging);
    let sha256 = "";
    for (const part of parts) sha256 = await writePieces(join(staging, basename(part.path)), part.pieces);
    await check?.(join(staging, basename(path)));
    await rm(path, { force: true });
    for (const part of parts) await rename(join(staging, basename(part.path)), part.path);
    const bytes = parts.reduce((sum, { pieces }) => sum + sizeOf(pieces), 0);
    return { files: parts.map((part) => part.path).reverse(), bytes, sha256 };
  } catch (cause) {
    throw isSystemError(cause) ? fileError(path, cause) : cause;
  } finally {
    await rm(staging, { recursive: true, force: true }).catch(() => {}); // the first failure is the one to report
  }
}

type Part = { readonly path: string; readonly pieces: readonly Piece[] };

/** A file can't be written over while weights are still read from it, and another model lives on them. Throws FileError. */
function refuseSources(parts: readonly Part[]): void {
  const sources = new Set<string>();
  for (const { pieces } of parts)
    for (const piece of pieces) if ("file" in piece) sources.add(resolve(piece.file.folder, piece.file.name));
  for (const { path } of parts)
    if (sources.has(resolve(path)))
      throw new FileError(path, "holds the weights of the model that is written", { hint: "Choose another name." });
}

/** Writes pieces one after the other and gives the hash of all. */
async function writePieces(path: string, pieces: readonly Piece[]): Promise<string> {
  const hash = createHash("sha256");
  const file = await open(path, "wx");
  let from: { path: string; handle: FileHandle } | undefined;
  const write = async (bytes: Uint8Array) => {
    hash.update(bytes);
    await file.writeFile(bytes);
  };
  try {
    for (const piece of pieces) {
      if (piece instanceof Uint8Array) {
        await write(piece);
        continue;
      }
      const source = join(piece.file.folder, piece.file.name);
      if (from?.path !== source) {
        await from?.handle.close();
        from = { path: source, handle: await open(source, "r") };
      }
      for (let at = 0; at < piece.byteLength; at += block)
        await write(await readPart(from.handle, piece.file.offset + at, Math.min(block, piece.byteLength - at)));
    }
    await file.sync();
  } finally {
    await from?.handle.close();
    await file.close();
  }
  return hash.digest("hex");
}

async function readPart(handle: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let at = 0;
  while (at < length) {
    const { bytesRead } = await handle.read(bytes, at, length - at, offset + at);
    if (bytesRead === 0) throw Object.assign(new Error("the model's weights have become shorter"), { code: "ESHORT" });
    at += bytesRead;
  }
  return bytes;
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).code === "string" && !("blame" in error);
}
