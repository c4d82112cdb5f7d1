import { colormap, decodePicture, type Picture, type TextStyle, textPath } from "@camkit/cam-core";
import { mapColors } from "./draw-plane.ts";

/** Letters to be burnt into a picture: the pixels that they or their rim touch, and how much of each they cover, 0 … 255. */
export type Stamp = {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint32Array;
  readonly letters: Uint8Array;
  readonly rims: Uint8Array;
};

export type StampText = Omit<TextStyle, "fill"> & { readonly text: string };

/** How dark the rim around letters is, so that they read on bone as well as on air. */
const rim = 0.75;

/** Texts as one stamp of this size. Drawn from outlines: no font of the machine's is used. */
export async function stampOf(width: number, height: number, texts: readonly StampText[]): Promise<Stamp> {
  const paths = texts.map(({ text, ...style }) => textPath(text, { ...style, fill: "#fff" }));
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><rect width="100%" height="100%" fill="#000"/>${paths.join("")}</svg>`;
  const { rgb } = await decodePicture(new TextEncoder().encode(svg), "stamp");
  const letters = Uint8Array.from({ length: width * height }, (_, i) => rgb[3 * i]!);
  const rims = rimsOf(letters, width, height);
  const touched: number[] = [];
  for (let i = 0; i < rims.length; i++) if (rims[i]! > 0) touched.push(i);
  const pixels = Uint32Array.from(touched);
  return {
    width,
    height,
    pixels,
    letters: Uint8Array.from(pixels, (i) => letters[i]!),
    rims: Uint8Array.from(pixels, (i) => rims[i]!),
  };
}

/** The greatest cover of each pixel and its eight neighbours. */
function rimsOf(letters: Uint8Array, width: number, height: number): Uint8Array {
  const rims = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) {
    if (letters[i] === 0) continue;
    const [x, y] = [i % width, Math.floor(i / width)];
    for (let v = Math.max(0, y - 1); v <= Math.min(height - 1, y + 1); v++)
      for (let u = Math.max(0, x - 1); u <= Math.min(width - 1, x + 1); u++)
        rims[v * width + u] = Math.max(rims[v * width + u]!, letters[i]!);
  }
  return rims;
}

/** White letters with a dark rim, burnt into a picture in place; what reaches over its edge is cut. */
export function burn(picture: Picture, { width, pixels, letters, rims }: Stamp, left = 0, top = 0): void {
  for (let i = 0; i < pixels.length; i++) {
    const x = left + (pixels[i]! % width);
    const y = top + Math.floor(pixels[i]! / width);
    if (x >= picture.width || y >= picture.height) continue;
    const to = (y * picture.width + x) * 3;
    const dark = 1 - (rim * rims[i]!) / 255;
    const letter = letters[i]! / 255;
    for (let c = 0; c < 3; c++) {
      const shaded = picture.rgb[to + c]! * dark;
      picture.rgb[to + c] = Math.round(shaded + (255 - shaded) * letter);
    }
  }
}

/** The colour scale, upright, 1 at the top, in a thin frame. */
export function burnColorBar(
  picture: Picture,
  box: { left: number; top: number; width: number; height: number },
): void {
  const { table } = colormap(mapColors);
  for (let y = -1; y <= box.height; y++)
    for (let x = -1; x <= box.width; x++) {
      const isFrame = y < 0 || x < 0 || y === box.height || x === box.width;
      const row = Math.round((1 - y / Math.max(1, box.height - 1)) * 255) * 3;
      const to = ((y + box.top) * picture.width + x + box.left) * 3;
      for (let c = 0; c < 3; c++) picture.rgb[to + c] = isFrame ? 150 : table[row + c]!;
    }
}
