import { greyOf } from "./window.ts";

/**
 * HU in a byte, finer where contrast is low: knots of a line through (HU, byte). One set of pictures then serves every window in
 * the report: lung has steps of 12 HU, mediastinum of 3.6, bone of 23.
 */
export const knots = [
  [-1350, 0],
  [-160, 96],
  [240, 208],
  [1300, 255],
] as const satisfies readonly (readonly [hu: number, byte: number])[];

/** The byte of each whole HU, at index HU + 32768. */
export function byteOfHu(): Uint8Array {
  return Uint8Array.from({ length: 65536 }, (_, i) => {
    const hu = Math.min(1300, Math.max(-1350, i - 32768));
    const next = Math.max(
      1,
      knots.findIndex(([knot]) => knot >= hu),
    );
    const [[hu0, byte0], [hu1, byte1]] = [knots[next - 1]!, knots[next]!];
    return Math.round(byte0 + ((hu - hu0) / (hu1 - hu0)) * (byte1 - byte0));
  });
}

/** The HU that a byte stands for. */
export function huOfByte(byte: number): number {
  const next = Math.max(
    1,
    knots.findIndex(([, knot]) => knot >= byte),
  );
  const [[hu0, byte0], [hu1, byte1]] = [knots[next - 1]!, knots[next]!];
  return hu0 + ((byte - byte0) / (byte1 - byte0)) * (hu1 - hu0);
}

/** The grey of each byte in a window: what the page looks up. */
export function greysOf(windowHu: readonly [number, number]): number[] {
  return Array.from({ length: 256 }, (_, byte) => greyOf(huOfByte(byte), windowHu));
}
