import type { LookupTable, Window } from "./display.ts";
import type { Instance } from "./instance.ts";

/**
 * Stored values as greys, 0 black to 1 white: modality LUT or rescale, then VOI LUT or the first window, then MONOCHROME1's
 * sense. Without any of the latter two the picture's own range is spread, which `notes` is told. Padding is black.
 * Source: PS3.3, C.11.1, C.11.2, C.7.6.3.1.2.
 */
export function displayed(instance: Instance, stored: ArrayLike<number>, notes: string[]): Float32Array {
  const { display, frames, pixels } = instance;
  const { rescaleSlope, rescaleIntercept } = frames[0]!;
  const modality = display?.modalityLut;
  const values = Float32Array.from(stored, (value) =>
    modality === undefined ? value * rescaleSlope + rescaleIntercept : looked(modality, value),
  );
  const isPadding = paddingOf(instance);
  const curve = curveOf(instance, values, (i) => isPadding(stored[i]!), notes);
  const isInverse = pixels!.photometricInterpretation === "MONOCHROME1";
  for (let i = 0; i < values.length; i++) {
    const value = Math.min(1, Math.max(0, curve(values[i]!)));
    values[i] = isPadding(stored[i]!) ? 0 : isInverse ? 1 - value : value;
  }
  return values;
}

function paddingOf({ pixels }: Instance): (stored: number) => boolean {
  const { pixelPaddingValue: from, pixelPaddingRangeLimit: to = from } = pixels!;
  if (from === undefined || to === undefined) return () => false;
  return (stored) => stored >= Math.min(from, to) && stored <= Math.max(from, to);
}

function curveOf({ display }: Instance, values: Float32Array, isLeftOut: (i: number) => boolean, notes: string[]) {
  const voi = display?.voiLut;
  if (voi !== undefined) return (value: number) => looked(voi, value) / (2 ** voi.bits - 1);
  const window = display?.windows[0];
  const make = curves[display?.voiLutFunction ?? "LINEAR"];
  if (window !== undefined && make !== undefined && window.width >= (make === linear ? 1 : Number.MIN_VALUE))
    return make(window);
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  values.forEach((value, i) => {
    if (isLeftOut(i)) return;
    if (value < low) low = value;
    if (value > high) high = value;
  });
  notes.push(
    `${window === undefined ? "no window" : "no usable window"}: its values, ${low} to ${high}, were spread from black to white`,
  );
  return (value: number) => (high > low ? (value - low) / (high - low) : 0);
}

type Curve = (window: Window) => (value: number) => number;

/** PS3.3, C.11.2.1.2.1: the window covers whole stored values, so its ends are half a value inside. */
const linear: Curve =
  ({ center, width }) =>
  (value) =>
    width === 1 ? Number(value > center - 0.5) : (value - (center - 0.5)) / (width - 1) + 0.5;

/** By (0028,1056); results beyond 0 and 1 are black and white. */
const curves: Readonly<Record<string, Curve>> = {
  LINEAR: linear,
  // C.11.2.1.3.2
  LINEAR_EXACT:
    ({ center, width }) =>
    (value) =>
      (value - center) / width + 0.5,
  // C.11.2.1.3.1
  SIGMOID:
    ({ center, width }) =>
    (value) =>
      1 / (1 + Math.exp((-4 * (value - center)) / width)),
};

function looked({ firstMapped, entries }: LookupTable, value: number): number {
  return entries[Math.min(entries.length - 1, Math.max(0, Math.round(value - firstMapped)))]!;
}
