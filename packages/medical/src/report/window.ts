/** The HU that become black and white: [low, high]. */
export type WindowHu = readonly [low: number, high: number];

/** The usual windows of chest CT, in words of centre and width: −600/1500, 40/400, 400/1800. */
export const windowPresets = {
  lung: [-1350, 150],
  mediastinum: [-160, 240],
  bone: [-500, 1300],
} as const satisfies Readonly<Record<string, WindowHu>>;

/** How a scan's values are shown. */
export type Display = {
  /** To choose from; the first is shown. */
  readonly windows: Readonly<Record<string, WindowHu>>;
  /** Values in a byte, as a line through (value, byte): finer where contrast is low. */
  readonly knots: readonly (readonly [value: number, byte: number])[];
  readonly unit: string;
};

/** One set of pictures serves every window: lung has steps of 12 HU, mediastinum of 3.6, bone of 23. */
export const ctDisplay: Display = {
  windows: windowPresets,
  knots: [
    [-1350, 0],
    [-160, 96],
    [240, 208],
    [1300, 255],
  ],
  unit: "HU",
};

/** A radiograph's volume is one slice: its picture as displayed, 0 … 255. */
export const pictureDisplay = {
  windows: { picture: [0, 255] },
  knots: [
    [0, 0],
    [255, 255],
  ],
  unit: "of 255",
} as const satisfies Display;

/** A grey of 0 … 255 for a number of HU. */
export function greyOf(hu: number, [low, high]: WindowHu): number {
  return Math.min(255, Math.max(0, Math.round(((hu - low) / (high - low)) * 255)));
}
