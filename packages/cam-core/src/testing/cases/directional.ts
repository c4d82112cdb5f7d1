import { type Precision, tolerances } from "../tolerance.ts";
import { roundoff } from "../vectors.ts";

/** What a function is at a point: differentiable there as the rule says, or not differentiable at all. */
export type Verdict = {
  readonly verdict: "agrees" | "kink" | "edge" | "steep" | "differs";
  /** The largest relative difference among directions that agree. */
  readonly worst: number;
  /** How many coordinates sit on a kink, a jump or an edge. */
  readonly kinks: number;
  readonly detail?: string;
};

/** One output of a graph as a function of one of its inputs, with a cotangent for it and what a rule answers to that. */
export type Directional = {
  readonly x: Float32Array | Float64Array;
  /** The output at another x. */
  readonly f: (x: Float32Array | Float64Array) => Promise<Float32Array | Float64Array>;
  readonly v: ArrayLike<number>;
  readonly dx: ArrayLike<number>;
  readonly precision: Precision;
  readonly kind: "linear" | "smooth" | "kinked";
  /** A tolerance looser than the table's, where the runtime itself rounds more. */
  readonly rtol?: number;
};

/** Steps to try, the tolerance table's own first. A smaller one passes a kink that is near, a larger one drowns rounding. */
const steps: Readonly<Record<Precision, Readonly<Record<"linear" | "curved", readonly number[]>>>> = {
  float64: { linear: [1], curved: [1e-3, 1e-4, 1e-5, 1e-6, 1e-7] },
  float32: { linear: [1, 0.25], curved: [2e-2, 5e-3, 8e-2, 0.3] },
};

/** Two small steps that tell a kink from a curve: the slopes on both sides meet in a curve as the step shrinks. */
const closing: Readonly<Record<Precision, readonly [number, number]>> = {
  float64: [1e-4, 1e-6],
  float32: [4e-2, 1e-2],
};

/** A comparison says something where what rounding may come to is at most this part of the derivative. */
const telling = 8e-4;

/** Most coordinates that are looked at one by one. */
const mostCoordinates = 1000;

/**
 * Compares what a rule answers with finite differences, along each of the directions `us`. Where they don't agree the
 * direction is halved, again and again, down to single coordinates: there a kink shows as two slopes that stay apart when the
 * step shrinks. On a kink the answer must lie between the slopes of its two sides.
 */
export async function checkDirections(given: Directional, us: readonly ArrayLike<number>[]): Promise<Verdict> {
  const check = await prepared(given);
  let result: Verdict = { verdict: "agrees", worst: 0, kinks: 0 };
  for (const u of us) {
    result = worse(result, await alongOrPart(check, Array.from(u), { coordinates: 0 }));
    if (result.verdict === "differs") break;
  }
  return result;
}

const order = ["agrees", "kink", "edge", "steep", "differs"] as const;

function worse(a: Verdict, b: Verdict): Verdict {
  const one = order.indexOf(b.verdict) > order.indexOf(a.verdict) ? b : a;
  return { ...one, worst: Math.max(a.worst, b.worst), kinks: Math.max(a.kinks, b.kinks) };
}

type Prepared = Directional & { y: ArrayLike<number> };

async function prepared(given: Directional): Promise<Prepared> {
  return { ...given, y: await given.f(given.x) };
}

/** A direction, or where it doesn't agree its two halves. */
async function alongOrPart(check: Prepared, u: number[], told: { coordinates: number }): Promise<Verdict> {
  const whole = await along(check, u);
  if (whole.verdict === "agrees") return whole;
  const support = u.flatMap((value, i) => (value === 0 ? [] : [i]));
  if (support.length > 1) {
    const half = support[support.length >> 1]!;
    const parts = [
      longEnough(u.map((value, i) => (i < half ? value : 0))),
      longEnough(u.map((value, i) => (i < half ? 0 : value))),
    ];
    let result: Verdict = { verdict: "agrees", worst: 0, kinks: 0 };
    let kinks = 0;
    for (const part of parts) {
      if (told.coordinates >= mostCoordinates) break;
      const found = await alongOrPart(check, part, told);
      kinks += found.kinks;
      result = worse(result, found);
      if (result.verdict === "differs") return result;
    }
    // The parts explain it.
    if (result.verdict !== "agrees") return { ...result, kinks };
  }
  told.coordinates++;
  return sided(check, u, whole);
}

/** A part of a direction may be very short, and steps along it lost in rounding. */
function longEnough(u: number[]): number[] {
  const longest = u.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return u.map((value) => (value * 0.5) / longest);
}

/** ⟨v, Δy⟩ − ⟨dx, Δx⟩ over the step, on a central difference; Richardson's extrapolation for what isn't linear. */
async function along(check: Prepared, u: number[]): Promise<Verdict> {
  const { precision, kind, dx } = check;
  const rtol = toleranceOf(check);
  let best: Verdict | undefined;
  for (const h of steps[precision][kind === "linear" ? "linear" : "curved"]) {
    const one = await difference(check, u, h, -h);
    const two = kind === "linear" ? one : await difference(check, u, 2 * h, -2 * h);
    const residual = kind === "linear" ? one.residual : (4 * one.residual - two.residual) / 3;
    const byRule = dotted(dx, u);
    const numeric = byRule + residual;
    const noise = one.noise + floorOf(check, u);
    const scale = Math.max(sizeOfTerms(dx, u), Math.abs(numeric), 1e-300);
    const relative = Math.abs(residual) / scale;
    const allowed = rtol + noise / scale;
    const detail = `finite difference ${numeric}, rule ${byRule} (${precision}, step ${h}, relative ${relative.toExponential(1)})`;
    if (relative <= allowed && (allowed <= telling || scale <= noise || Math.abs(residual) === 0))
      return { verdict: "agrees", worst: relative, kinks: 0 };
    // What extrapolation changed is what the curve's bend may still hide.
    const bend = Math.abs(residual - one.residual) / scale;
    const found: Verdict = { verdict: relative <= allowed + bend ? "steep" : "differs", worst: 0, kinks: 0, detail };
    if (!best || (best.verdict === "differs" && found.verdict === "steep")) best = found;
  }
  return best!;
}

function toleranceOf({ precision, kind, rtol = 0 }: Directional): number {
  return Math.max(tolerances[precision][kind].rtol, rtol);
}

/** What a derivative that is 0 but for rounding may come to. */
function floorOf({ x, y, v, precision }: Prepared, u: readonly number[]): number {
  const size = Math.hypot(...Array.from(y, (value, i) => (v[i] === 0 ? 0 : value * v[i]!)));
  return (roundoff[precision] * size * Math.hypot(...u)) / Math.max(1, ...Array.from(x, Math.abs));
}

async function difference(check: Prepared, u: readonly number[], forward: number, backward: number) {
  const { x, v, dx, f, precision } = check;
  const at = (t: number) => (t === 0 ? x : x.map((value, i) => value + t * u[i]!));
  const [right, left] = [at(forward), at(backward)];
  const [above, below] = [await f(right), await f(left)];
  const step = forward - backward;
  let moved = 0;
  let noise = 0;
  for (let i = 0; i < above.length; i++) {
    const change = above[i]! - below[i]!;
    if (v[i] === 0 || change === 0 || Object.is(above[i], below[i])) continue;
    moved += v[i]! * change;
    noise += (v[i]! * Math.max(Math.abs(above[i]!), Math.abs(below[i]!))) ** 2;
  }
  // The steps as they were taken, after rounding.
  let expected = 0;
  for (let i = 0; i < x.length; i++) expected += u[i] === 0 ? 0 : dx[i]! * (right[i]! - left[i]!);
  return {
    residual: (moved - expected) / step,
    slope: moved / step,
    noise: (2 * roundoff[precision] * Math.sqrt(noise)) / Math.abs(step),
  };
}

/** A direction in which a central difference doesn't agree: are the two sides different, and does the rule lie between? */
async function sided(check: Prepared, u: number[], otherwise: Verdict): Promise<Verdict> {
  const [large, small] = closing[check.precision];
  const sides = async (h: number) => {
    const right = await difference(check, u, h, 0);
    const left = await difference(check, u, 0, -h);
    return {
      right: right.slope,
      left: left.slope,
      gap: Math.abs(right.slope - left.slope),
      noise: right.noise + left.noise,
    };
  };
  const [far, near] = [await sides(large), await sides(small)];
  if (!Number.isFinite(near.gap)) return { verdict: "edge", worst: 0, kinks: 1, detail: "at the edge of its domain" };
  // A slope that grows as the step shrinks is a jump's, whichever way it goes on each side.
  const grows = (side: "left" | "right") => Math.abs(near[side]) > 0.5 * (large / small) * Math.abs(far[side]);
  if ((near.left !== 0 && grows("left")) || (near.right !== 0 && grows("right")))
    return { verdict: "kink", worst: 0, kinks: 1, detail: "a jump" };
  const byRule = dotted(check.dx, u);
  const scale = Math.max(sizeOfTerms(check.dx, u), Math.abs(near.right), Math.abs(near.left));
  // A derivative that bends at this point: on each side, the slope at a step of 0.
  const half = await sides(large / 2);
  const rtol = toleranceOf(check);
  const atZero = [2 * half.right - far.right, 2 * half.left - far.left].map((slope) => Math.abs(slope - byRule));
  const relative = Math.max(...atZero) / scale;
  if (relative <= rtol + (2 * half.noise + far.noise) / scale && relative <= telling)
    return { verdict: "agrees", worst: relative, kinks: 0 };
  if (!(near.gap > 0.5 * far.gap && near.gap > 1e-3 * scale + 4 * near.noise)) return otherwise;
  const slack = 1e-2 * near.gap + near.noise;
  const between =
    byRule >= Math.min(near.left, near.right) - slack && byRule <= Math.max(near.left, near.right) + slack;
  if (!between)
    return {
      verdict: "differs",
      worst: 0,
      kinks: 1,
      detail: `on a kink with slopes ${near.left} and ${near.right} the rule says ${byRule}`,
    };
  return { verdict: "kink", worst: 0, kinks: 1, detail: `slopes ${near.left} and ${near.right}` };
}

function dotted(a: ArrayLike<number>, b: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < b.length; i++) sum += b[i] === 0 ? 0 : a[i]! * b[i]!;
  return sum;
}

function sizeOfTerms(a: ArrayLike<number>, b: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < b.length; i++) sum += b[i] === 0 ? 0 : (a[i]! * b[i]!) ** 2;
  return Math.sqrt(sum);
}
