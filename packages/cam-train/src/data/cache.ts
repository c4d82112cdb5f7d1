/**
 * Prepared pictures in memory that all threads share, filled by whoever reads one first, so that the second epoch decodes
 * nothing. Memory is taken as it is filled.
 */
export type Cache = {
  readonly bytes: SharedArrayBuffer; // [count, stride]
  readonly filled: SharedArrayBuffer; // int32 [count]: 1 where the bytes are there
  readonly stride: number;
};

/** Undefined when `count` pictures of `stride` bytes don't fit into `limit` bytes: a part of them would save little. */
export function createCache(count: number, stride: number, limit: number): Cache | undefined {
  if (count * stride > limit) return undefined;
  return { bytes: new SharedArrayBuffer(count * stride), filled: new SharedArrayBuffer(4 * count), stride };
}

/** A picture's bytes, a view on the cache; undefined until they were put there. */
export function cached({ bytes, filled, stride }: Cache, index: number): Uint8Array | undefined {
  if (Atomics.load(new Int32Array(filled), index) === 0) return undefined;
  return new Uint8Array(bytes, index * stride, stride);
}

/** Two threads may put the same picture at once: they write the same bytes. The flag is set after them. */
export function putCached({ bytes, filled, stride }: Cache, index: number, picture: Uint8Array): void {
  new Uint8Array(bytes, index * stride, stride).set(picture);
  Atomics.store(new Int32Array(filled), index, 1);
}
