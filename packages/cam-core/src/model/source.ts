/**
 * Random access to the bytes of a model: all in memory, or a file of which only the structure is read. `file` says where
 * on disk the bytes lie, for a runtime that can map weights from there.
 */
export type ByteSource = {
  readonly size: number;
  /** Exactly `length` bytes from `offset`, which lie within the source. A view or a copy; not to be written to. */
  read(offset: number, length: number): Uint8Array<ArrayBuffer>;
  readonly file?: { readonly folder: string; readonly name: string };
};

/** Bytes in memory; reads are views. */
export function sourceOf(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.byteLength,
    read: (offset, length) => bytes.subarray(offset, offset + length) as Uint8Array<ArrayBuffer>,
  };
}
