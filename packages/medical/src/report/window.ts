/** The HU that become black and white: [low, high]. */
export type WindowHu = readonly [low: number, high: number];

/** The usual windows of chest CT, in words of centre and width: −600/1500, 40/400, 400/1800. */
export const windowPresets = {
  lung: [-1350, 150],
  mediastinum: [-160, 240],
  bone: [-500, 1300],
} as const satisfies Readonly<Record<string, WindowHu>>;

/** A grey of 0 … 255 for a number of HU. */
export function greyOf(hu: number, [low, high]: WindowHu): number {
  return Math.min(255, Math.max(0, Math.round(((hu - low) / (high - low)) * 255)));
}
