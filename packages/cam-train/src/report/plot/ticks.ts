/** Where an axis has its marks, rising, in equal steps of 1, 2 or 5 times a power of ten. */
export type Ticks = { readonly values: readonly number[]; readonly step: number };

/** About `wanted` marks inside low … high (low < high). `whole`: only whole numbers. */
export function ticks(low: number, high: number, wanted: number, whole = false): Ticks {
  const raw = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(raw));
  const fitting = [1, 2, 5, 10].find((factor) => factor * power >= raw * 0.999) ?? 10;
  const step = whole ? Math.max(1, fitting * power) : fitting * power;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return { values: Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step), step };
}

/** A range that begins and ends on a mark; at zero where the values come near it. Equal ends get some room. */
export function niceRange(low: number, high: number, wanted: number): readonly [number, number] {
  const room = high > low ? 0 : Math.abs(high) * 0.1 || 1;
  const from = low >= 0 && low < 0.35 * high ? 0 : low - room;
  const { step } = ticks(from, high + room, wanted);
  return [Math.floor(from / step + 1e-9) * step, Math.ceil((high + room) / step - 1e-9) * step];
}

/** A mark's number with as many digits as its step needs: "0.25", "12,000", "5e-5". */
export function tickLabel(value: number, step: number): string {
  if (value === 0) return "0";
  if (step < 1e-4) {
    const digits = Math.max(0, Math.floor(Math.log10(Math.abs(value)) + 1e-9) - Math.floor(Math.log10(step) + 1e-9));
    return value.toExponential(digits);
  }
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const [whole, fraction] = value.toFixed(decimals).split(".");
  const grouped = whole!.replace(/\B(?=(\d{3})+$)/g, ",");
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}
