import { pipeline, Readable } from "node:stream";
import { constants, createGzip } from "node:zlib";
import type { Pieces } from "./write-pieces.ts";

/** Floats hardly compress but for runs of zeros, of which maps have many: looking for those alone takes two thirds of the time. */
const settings = { level: 1, strategy: constants.Z_RLE };

/** Pieces as one gzip stream, compressed on a thread of its own; what `pieces` throws comes out here. */
export async function* gzipped(pieces: Pieces): AsyncGenerator<Uint8Array> {
  const compressor = createGzip(settings);
  pipeline(Readable.from(copies(pieces), { highWaterMark: 1 }), compressor, () => {}); // the iteration below throws the error
  yield* compressor as AsyncIterable<Uint8Array>;
}

/** The compressor reads a piece after the next was asked for. */
async function* copies(pieces: Pieces): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) yield Uint8Array.from(piece);
}
