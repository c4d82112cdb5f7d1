import { ceilDivDims, divDims, mulDims } from "../dims.ts";
import type { Dim } from "../graph.ts";

/**
 * Sizes on their way through floating point: exporters write floor(float(h) * 0.5). A symbol divided by a number that it may
 * not be a multiple of is `real(h/2)`, scaled by another fraction `real(h*0.3)`; rounding makes it a size again.
 */
const real = /^real\((.*)([/*])([\d.e-]+)\)$/;

export function isReal(dim: Dim): boolean {
  return typeof dim === "string" && real.test(dim);
}

export function realQuotient(a: Dim, b: Dim): Dim {
  if (typeof a !== "string" || typeof b !== "number" || isReal(a) || !Number.isInteger(b) || b <= 0) return null;
  return b === 1 ? a : `real(${a}/${b})`;
}

/** A symbol times a number, whole or not. */
export function realScaled(a: string, factor: number): Dim {
  const parts = real.exec(a);
  if (parts) {
    if (parts[2] === "*" || !Number.isInteger(factor)) return null;
    const product = mulDims(parts[1]!, factor);
    const by = Number(parts[3]);
    return factor % by === 0 ? mulDims(parts[1]!, factor / by) : realQuotient(product, by);
  }
  if (Number.isInteger(factor)) return mulDims(a, factor);
  if (factor <= 0) return null;
  return Number.isInteger(1 / factor) ? realQuotient(a, 1 / factor) : `real(${a}*${factor})`;
}

/** A real size rounded to a whole one; whole ones pass. */
export function roundReal(a: Dim, way: "floor" | "ceil"): Dim {
  const parts = typeof a === "string" ? real.exec(a) : null;
  if (!parts) return typeof a === "number" ? Math[way](a) : a;
  if (parts[2] === "/") return (way === "floor" ? divDims : ceilDivDims)(parts[1]!, Number(parts[3]));
  return `${way}(${parts[1]}*${parts[3]})`;
}
