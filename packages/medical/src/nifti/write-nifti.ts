import { ResultSizeError } from "../errors.ts";
import type { Provenance } from "../provenance.ts";
import { provenanceText } from "../write/common.ts";
import { gzipped } from "../write/gzip.ts";
import { dtypeOf, sliceBytes, type Voxels } from "../write/voxels.ts";
import { writePieces } from "../write/write-pieces.ts";
import { headerSize, niftiHeader } from "./header.ts";

/** NIFTI_ECODE_COMMENT: plain text. */
const comment = 6;

/**
 * A map or a scan as NIfTI-1 in one file, float32 or int16, on its own grid; compressed where the name ends with .gz. How a map
 * came about stands in the header's description and, in full, in a comment extension.
 * Written by hand, slice by slice: libraries that write NIfTI hold the volume several times over.
 * Throws FileError, ResultSizeError for more than 32,767 voxels along an axis.
 */
export async function writeNifti(path: string, voxels: Voxels, provenance?: Provenance): Promise<void> {
  const pieces = niftiPieces(voxels, provenance);
  await writePieces(path, path.endsWith(".gz") ? gzipped(pieces) : pieces);
}

function* niftiPieces(voxels: Voxels, provenance: Provenance | undefined): Generator<Uint8Array> {
  const longest = Math.max(...voxels.geometry.shape);
  if (longest > 32_767) throw new ResultSizeError(longest, 32_767, "voxels along an axis");
  const extension = provenance ? commentExtension(provenanceText(provenance)) : new Uint8Array(4);
  yield niftiHeader({
    geometry: voxels.geometry,
    dtype: dtypeOf(voxels),
    voxOffset: headerSize + extension.length,
    description: provenance
      ? `camkit ${provenance.camkitVersion} ${provenance.method}, research use only`
      : "camkit, research use only",
    intent: provenance?.method,
  });
  yield extension;
  yield* sliceBytes(voxels);
}

/** The four bytes that say that extensions follow, and one: size and code, then text, to a multiple of 16. */
function commentExtension(text: string): Uint8Array {
  const encoded = new TextEncoder().encode(text);
  const size = Math.ceil((8 + encoded.length + 1) / 16) * 16;
  const bytes = new Uint8Array(4 + size);
  const view = new DataView(bytes.buffer);
  bytes[0] = 1;
  view.setInt32(4, size, true);
  view.setInt32(8, comment, true);
  bytes.set(encoded, 12);
  return bytes;
}
