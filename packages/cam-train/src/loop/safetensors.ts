import { readBytes, writeAtomic } from "@camkit/cam-core";
import { z } from "zod";
import { CheckpointError } from "../errors.ts";

/** Named float32 arrays with their shapes, and text about them. */
export type Tensors = {
  readonly tensors: Readonly<Record<string, { readonly shape: readonly number[]; readonly data: Float32Array }>>;
  readonly metadata: Readonly<Record<string, string>>;
};

const entry = z.object({
  dtype: z.literal("F32"),
  shape: z.array(z.int().nonnegative()),
  data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
});

/**
 * Writes a .safetensors file, whole or not at all: the length of a JSON header in 8 bytes, the header, the numbers. A format
 * that PyTorch, JAX and NumPy read without running anything from it. Source: github.com/huggingface/safetensors, format.
 * Throws FileError.
 */
export async function writeSafetensors(path: string, { tensors, metadata }: Tensors): Promise<void> {
  let end = 0;
  const header: Record<string, unknown> = { __metadata__: metadata };
  for (const [name, { shape, data }] of Object.entries(tensors)) {
    header[name] = { dtype: "F32", shape, data_offsets: [end, end + data.byteLength] };
    end += data.byteLength;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const padding = (8 - (text.length % 8)) % 8; // so that the numbers are aligned
  const start = 8 + text.length + padding;
  const file = new Uint8Array(start + end).fill(0x20, 8 + text.length, start);
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length + padding), true);
  file.set(text, 8);
  let at = start;
  for (const { data } of Object.values(tensors)) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  await writeAtomic(path, file);
}

/** Throws FileError, and CheckpointError for what isn't a whole .safetensors file of float32. */
export async function readSafetensors(path: string): Promise<Tensors> {
  const file = await readBytes(path);
  const refuse = (reason: string) => new CheckpointError(`${path}: ${reason}`);
  if (file.length < 8) throw refuse("not a .safetensors file: too short");
  const length = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  if (length > file.length - 8) throw refuse("not a .safetensors file, or its end is missing");
  let header: Record<string, unknown>;
  try {
    header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length)));
  } catch {
    throw refuse("not a .safetensors file: its header is not JSON");
  }
  const body = new Uint8Array(file.subarray(8 + length)); // a copy, which is aligned (a Buffer's slice is a view)
  const { __metadata__: metadata = {}, ...entries } = header;
  const tensors = Object.fromEntries(
    Object.entries(entries).map(([name, given]) => {
      const found = entry.safeParse(given);
      if (!found.success) throw refuse(`"${name}" is not a float32 tensor`);
      const [begin, end] = found.data.data_offsets;
      const { shape } = found.data;
      const size = 4 * shape.reduce((a, b) => a * b, 1);
      if (end > body.length || end - begin !== size) throw refuse(`"${name}" is not whole`);
      return [name, { shape, data: new Float32Array(body.buffer, begin, size / 4) }];
    }),
  );
  return { tensors, metadata: metadata as Record<string, string> };
}
