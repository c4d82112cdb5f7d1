/** A decoded picture: 8-bit sRGB, row-major, interleaved; `rgb.length` is width * height * 3. */
export type Picture = {
  readonly width: number;
  readonly height: number;
  readonly rgb: Uint8Array; // [height, width, 3]
};
