import type { Rng } from "../../rng.ts";
import { pick } from "./mutation.ts";

type ByteMutation = (bytes: Uint8Array<ArrayBuffer>, random: Rng) => Uint8Array<ArrayBuffer>;

/** Damage that knows nothing of what the bytes mean. */
export const byteMutations: Readonly<Record<string, ByteMutation>> = {
  flipped: (bytes, random) => {
    const damaged = bytes.slice();
    for (let i = 0; i <= random.int(16); i++) {
      const at = random.int(damaged.byteLength);
      damaged[at] = damaged[at]! ^ (1 << random.int(8));
    }
    return damaged;
  },
  overwritten: (bytes, random) => {
    const damaged = bytes.slice();
    const at = random.int(damaged.byteLength);
    damaged.fill(random.int(2) === 0 ? 0xff : random.int(256), at, at + 1 + random.int(12));
    return damaged;
  },
  truncated: (bytes, random) => bytes.slice(0, random.int(bytes.byteLength)),
  repeated: (bytes, random) => {
    const at = random.int(bytes.byteLength);
    const end = at + random.int(64);
    return Uint8Array.from([...bytes.slice(0, end), ...bytes.slice(at)]);
  },
  removed: (bytes, random) => {
    const at = random.int(bytes.byteLength);
    return Uint8Array.from([...bytes.slice(0, at), ...bytes.slice(at + 1 + random.int(32))]);
  },
};

/** One of the ways, and its name; again where what it wrote was there already. */
export function damagedAnyhow(bytes: Uint8Array<ArrayBuffer>, random: Rng) {
  for (;;) {
    const way = pick(random, Object.keys(byteMutations))!;
    const damaged = byteMutations[way]!(bytes, random);
    if (!Buffer.from(damaged).equals(bytes)) return { bytes: damaged, way };
  }
}
