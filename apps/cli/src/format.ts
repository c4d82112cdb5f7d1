type Shape = readonly (number | string | null)[];

/** 1536 → "1.5 kB". */
export function bytes(count: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = count < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(count) / 3));
  const value = count / 1000 ** power;
  return `${power === 0 ? value : significant(value, 3)} ${units[power]}`;
}

/** 25557032 → "25.6 M". */
export function quantity(count: number): string {
  if (count < 10_000) return String(count);
  const units = ["", "k", "M", "G"];
  const power = Math.min(3, Math.floor(Math.log10(count) / 3));
  return `${significant(count / 1000 ** power, 3)} ${units[power]}`;
}

/** At most `digits` significant digits, no trailing zeros: 0.97312 → "0.973". */
export function significant(value: number, digits = 3): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(digits))) : String(value);
}

/** Probabilities are read against each other: always three decimals, never rounded up to 1. */
export function probability(value: number): string {
  return value > 0.9995 && value < 1 ? "> 0.999" : value > 0 && value < 0.0005 ? "< 0.001" : value.toFixed(3);
}

export function shape(dims: Shape | undefined): string {
  return dims === undefined ? "unknown" : `[${dims.map((dim) => dim ?? "?").join(", ")}]`;
}

export function milliseconds(ms: number): string {
  return ms < 10 ? `${ms.toFixed(2)} ms` : ms < 1000 ? `${ms.toFixed(1)} ms` : `${(ms / 1000).toFixed(2)} s`;
}
