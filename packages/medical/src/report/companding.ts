import { type Display, greyOf, type WindowHu } from "./window.ts";

type Knots = Display["knots"];

/** The line through the knots, from one side of them to the other; beyond the ends it is flat. */
function along(knots: Knots, from: 0 | 1, at: number): number {
  const to = from === 0 ? 1 : 0;
  const within = Math.min(knots.at(-1)![from], Math.max(knots[0]![from], at));
  const next = Math.max(
    1,
    knots.findIndex((knot) => knot[from] >= within),
  );
  const [a, b] = [knots[next - 1]!, knots[next]!];
  return a[to] + ((within - a[from]) / (b[from] - a[from])) * (b[to] - a[to]);
}

/** The byte of each whole value of 16 bits, at index value + 32768. */
export function bytesOfValues({ knots }: Pick<Display, "knots">): Uint8Array {
  return Uint8Array.from({ length: 65536 }, (_, i) => Math.round(along(knots, 0, i - 32768)));
}

/** The value that a byte stands for. */
export const valueOfByte = ({ knots }: Pick<Display, "knots">, byte: number): number => along(knots, 1, byte);

/** The grey of each byte in a window: what the page looks up. */
export function greysOf(display: Pick<Display, "knots">, window: WindowHu): number[] {
  return Array.from({ length: 256 }, (_, byte) => greyOf(valueOfByte(display, byte), window));
}
