import { sha256Hex } from "@camkit/cam-core/data";

/** Whether text is a UID as PS3.5, 9.1 has it: up to 64 digits and dots, components without leading zeros. */
export function isUid(text: string): boolean {
  return text.length <= 64 && /^(0|[1-9]\d*)(\.(0|[1-9]\d*))+$/.test(text);
}

/**
 * A UID that always comes out the same for the same parts: 2.25 and a UUID (version 8) from their SHA-256, as PS3.5, B.2 allows.
 * So what is written twice has one name, and a store that is tried again stores nothing twice.
 */
export function derivedUid(...parts: readonly string[]): string {
  const hash = sha256Hex(JSON.stringify(parts));
  const uuid = `${hash.slice(0, 12)}8${hash.slice(13, 16)}${((Number.parseInt(hash[16]!, 16) & 3) | 8).toString(16)}${hash.slice(17, 32)}`;
  return `2.25.${BigInt(`0x${uuid}`)}`;
}
