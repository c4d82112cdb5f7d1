import type { Provenance } from "../provenance.ts";
import { affine } from "../volume/geometry.ts";
import { provenanceFacts } from "./common.ts";
import { gzipped } from "./gzip.ts";
import { dtypeOf, sliceBytes, type Voxels } from "./voxels.ts";
import { writePieces } from "./write-pieces.ts";

/**
 * A map or a scan as NRRD, one file, float32 or int16, gzip; axes [column, row, slice], LPS millimetres. How a map came about
 * stands in key/value pairs. Slice by slice, as NIfTI. Throws FileError.
 */
export async function writeNrrd(path: string, voxels: Voxels, provenance?: Provenance): Promise<void> {
  await writePieces(path, nrrdPieces(voxels, provenance));
}

async function* nrrdPieces(voxels: Voxels, provenance: Provenance | undefined): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(nrrdHeader(voxels, provenance));
  yield* gzipped(sliceBytes(voxels));
}

/** https://teem.sourceforge.net/nrrd/format.html */
export function nrrdHeader(voxels: Voxels, provenance: Provenance | undefined): string {
  const matrix = affine(voxels.geometry, "lps");
  const column = (i: number) => `(${[0, 1, 2].map((axis) => matrix[axis]![i]).join(",")})`;
  const facts = provenance ? [["use", "research use only"] as const, ...provenanceFacts(provenance)] : [];
  return [
    "NRRD0005", // the first with key/value pairs, directions and units together
    `type: ${dtypeOf(voxels) === "int16" ? "int16" : "float"}`,
    "dimension: 3",
    "space: left-posterior-superior",
    `sizes: ${[...voxels.geometry.shape].reverse().join(" ")}`,
    `space directions: ${[0, 1, 2].map(column).join(" ")}`,
    "kinds: domain domain domain",
    "endian: little",
    "encoding: gzip",
    'space units: "mm" "mm" "mm"',
    `space origin: ${column(3)}`,
    ...facts.map(([name, value]) => `camkit ${name}:=${String(value).replace(/\\/g, "\\\\").replace(/\r?\n/g, "\\n")}`),
    "",
    "",
  ].join("\n");
}
