import { colorTables } from "./color-tables.ts";

/**
 * A colour scale: 256 colours from cold to hot as bytes, R, G, B each. `even` says that lightness rises steadily, so that
 * equal steps of the map look equal and a grey print still reads; jet and turbo are not, and show edges that are not there.
 */
export type Colormap = { readonly name: ColormapName; readonly even: boolean; readonly table: Uint8Array }; // [256, 3]

export const colormapNames = ["inferno", "magma", "viridis", "cividis", "turbo", "jet", "grey"] as const;
export type ColormapName = (typeof colormapNames)[number];

export const defaultColormap: ColormapName = "inferno";

/** matplotlib's jet, the look of the papers: each channel by straight lines between (position, value) knots. */
const jetKnots: readonly (readonly (readonly [number, number])[])[] = [
  [
    [0, 0],
    [0.35, 0],
    [0.66, 1],
    [0.89, 1],
    [1, 0.5],
  ], // red
  [
    [0, 0],
    [0.125, 0],
    [0.375, 1],
    [0.64, 1],
    [0.91, 0],
    [1, 0],
  ], // green
  [
    [0, 0.5],
    [0.11, 1],
    [0.34, 1],
    [0.65, 0],
    [1, 0],
  ], // blue
];

const makers: Readonly<Record<ColormapName, () => Colormap>> = {
  inferno: () => fromHex("inferno", true),
  magma: () => fromHex("magma", true),
  viridis: () => fromHex("viridis", true),
  cividis: () => fromHex("cividis", true),
  turbo: () => fromHex("turbo", false),
  jet: () => ({
    name: "jet",
    even: false,
    table: tableOf((i) => jetKnots.map((knots) => Math.trunc(interpolate(knots, i) * 255))),
  }),
  grey: () => ({ name: "grey", even: true, table: tableOf((i) => [i, i, i]) }),
};
const made = new Map<ColormapName, Colormap>();

/** The colour scale of this name; made once. */
export function colormap(name: ColormapName): Colormap {
  const found = made.get(name) ?? makers[name]();
  made.set(name, found);
  return found;
}

/** The table's row for a value in 0..1: 256 equal steps, 1 belonging to the last (matplotlib's rule). */
export function colorIndex(value: number): number {
  return Math.min(255, Math.max(0, Math.trunc(value * 256)));
}

function fromHex(name: keyof typeof colorTables, even: boolean): Colormap {
  const hex = colorTables[name];
  return {
    name,
    even,
    table: tableOf((i) => [0, 2, 4].map((at) => Number.parseInt(hex.slice(i * 6 + at, i * 6 + at + 2), 16))),
  };
}

function tableOf(colorAt: (i: number) => number[]): Uint8Array {
  return Uint8Array.from(Array.from({ length: 256 }, (_, i) => colorAt(i)).flat());
}

/** In units of table rows and in matplotlib's order of operations, because `trunc` magnifies the last bit. */
function interpolate(knots: readonly (readonly [number, number])[], row: number): number {
  const next = Math.max(
    1,
    knots.findIndex(([position]) => position * 255 >= row),
  );
  const [[x0, y0], [x1, y1]] = [knots[next - 1]!, knots[next]!];
  return ((row - x0 * 255) / (x1 * 255 - x0 * 255)) * (y1 - y0) + y0;
}
