import { AbortedError, InputError } from "../errors.ts";
import { float32, sizeOf, type Tensor } from "../tensor.ts";
import type { Evidence, Measured, MeasureOptions, Scorer } from "./metric.ts";
import { descendingOrder, randomOrder, tiedShare } from "./order.ts";

export type PerturbationOptions = MeasureOptions & {
  /** What stands where the input was removed: of the input's shape. */
  readonly baseline: Tensor;
  /** Default 100. */
  readonly steps?: number;
  /** Each gives a random order whose curve is measured too; none to leave them out. Default [0, 1, 2] */
  readonly randomSeeds?: readonly number[];
};

/** The target's score over the share of positions that were changed, from 0 to 1, and the area under it (trapezoids). */
export type Curve = {
  readonly fractions: readonly number[];
  readonly scores: readonly number[];
  readonly area: number;
};

export type PerturbationMeasured = Measured & {
  readonly curve: Curve;
  /** The mean over random orders: what a map that knows nothing gets. */
  readonly random?: Curve;
  /** The area of each random order, in the order of the seeds. */
  readonly randomAreas: readonly number[];
  /** The share of positions in groups of equal values larger than a step: within these the curve follows the indices. */
  readonly tied: number;
  readonly quantity: Scorer["quantity"];
};

/** Above this share of ties the curve says more about the order of the indices than about the map. */
const manyTies = 0.5;

/**
 * Walks from one input to another, the map's highest positions first, and measures the target's score on the way. All channels
 * of a position change together. Memory: one batch of inputs.
 *
 * Throws InputError when map, input and baseline don't fit together or the map isn't finite, AbortedError.
 */
export async function perturb(
  { map, input, scorer }: Pick<Evidence, "map" | "input" | "scorer">,
  ends: { readonly from: Tensor; readonly to: Tensor },
  { steps = 100, randomSeeds = [0, 1, 2], signal, onProgress }: PerturbationOptions,
): Promise<PerturbationMeasured> {
  const values = valuesOf(map, input, ends);
  if (!(Number.isInteger(steps) && steps >= 1)) throw new InputError(`a curve has 1 step or more, found ${steps}`);
  const count = values.length;
  const bounds = Array.from({ length: Math.min(steps, count) + 1 }, (_, i) =>
    Math.round((i * count) / Math.min(steps, count)),
  );
  const walk = { ...ends, bounds, places: placesOf(input), scorer, signal };
  const total = bounds.length * (1 + randomSeeds.length);
  let done = 0;
  const tell = (runs: number) => {
    done += runs;
    onProgress?.(done, total);
  };
  const order = descendingOrder(values);
  const curve = await curveAlong(order, walk, tell);
  const randoms: Curve[] = [];
  for (const seed of randomSeeds) randoms.push(await curveAlong(randomOrder(count, seed), walk, tell));
  const tied = tiedShare(values, order, Math.ceil(count / (bounds.length - 1)));
  const isConstant = values[order[0]!] === values[order.at(-1)!];
  return {
    value: isConstant ? Number.NaN : curve.area,
    ...(isConstant ? { reason: "the map is constant, so it puts the positions in no order" } : {}),
    warnings:
      tied > manyTies && !isConstant
        ? [
            `${Math.round(100 * tied)} % of the positions share their value with more others than a step holds, and are taken in the order of the array`,
          ]
        : [],
    curve,
    ...(randoms.length > 0 ? { random: meanCurve(randoms) } : {}),
    randomAreas: randoms.map(({ area }) => area),
    tied,
    quantity: scorer.quantity,
  };
}

type Walk = {
  readonly from: Tensor;
  readonly to: Tensor;
  /** How many positions are changed at each point of the curve. */
  readonly bounds: readonly number[];
  readonly places: Places;
  readonly scorer: Scorer;
  readonly signal?: AbortSignal | undefined;
};

async function curveAlong(order: Uint32Array, walk: Walk, tell: (runs: number) => void): Promise<Curve> {
  const { bounds, places, scorer } = walk;
  const from = walk.from.data as Float32Array;
  const to = walk.to.data as Float32Array;
  const now = Float32Array.from(from);
  const batch = new Float32Array(Math.min(scorer.batch, bounds.length) * now.length);
  const shape = walk.from.shape.slice(1);
  const scores: number[] = [];
  let [changed, filled] = [0, 0];
  for (const [i, bound] of bounds.entries()) {
    for (; changed < bound; changed++) {
      const first = places.first[order[changed]!]!;
      for (const offset of places.offsets) now[first + offset] = to[first + offset]!;
    }
    batch.set(now, filled++ * now.length);
    if (filled * now.length < batch.length && i < bounds.length - 1) continue;
    if (walk.signal?.aborted) throw new AbortedError();
    scores.push(...(await scorer.score(float32([filled, ...shape], batch.subarray(0, filled * now.length)))));
    tell(filled);
    filled = 0;
  }
  const fractions = bounds.map((bound) => bound / order.length);
  return { fractions, scores, area: areaUnder(fractions, scores) };
}

/** Where in the tensor the elements of a position lie: at `first[position] + offset` for each offset, one per channel. */
type Places = { readonly first: Uint32Array; readonly offsets: readonly number[] };

function placesOf({ tensor, space }: Evidence["input"]): Places {
  const { shape } = tensor;
  const stride = (axis: number) => sizeOf(shape.slice(axis + 1));
  const over = (axes: readonly number[]) =>
    axes.reduce<number[]>(
      (found, axis) =>
        found.flatMap((base) => Array.from({ length: shape[axis]! }, (_, at) => base + at * stride(axis))),
      [0],
    );
  const others = shape.flatMap((_, axis) => (space.includes(axis) ? [] : [axis]));
  return { first: Uint32Array.from(over(space)), offsets: over(others) };
}

function valuesOf(
  map: Tensor,
  { tensor, space }: Evidence["input"],
  { from, to }: { from: Tensor; to: Tensor },
): Float32Array {
  const wanted = space.map((axis) => tensor.shape[axis]);
  const found = map.shape.slice(-space.length);
  if (tensor.shape[0] !== 1 || map.data.length !== sizeOf(found) || wanted.some((size, i) => size !== found[i]))
    throw new InputError(
      `a map of shape [${map.shape.join(", ")}] for an input of shape [${tensor.shape.join(", ")}] with space on axes ${space.join(", ")}`,
      { hint: "Measure one sample at a time, with its map at the input's resolution." },
    );
  for (const { dtype, shape } of [tensor, from, to])
    if (dtype !== "float32" || shape.join() !== tensor.shape.join())
      throw new InputError(
        `input and baseline are float32 of one shape, found ${dtype} [${shape.join(", ")}] beside [${tensor.shape.join(", ")}]`,
      );
  const values = Float32Array.from(map.data as ArrayLike<number>);
  const odd = values.findIndex((value) => !Number.isFinite(value));
  if (odd >= 0)
    throw new InputError(`the map is ${values[odd]} at position ${odd}`, {
      hint: "A map has a finite number everywhere.",
    });
  return values;
}

/** Trapezoids over the fractions as they are: rounding may have made the steps uneven. */
export function areaUnder(fractions: readonly number[], scores: readonly number[]): number {
  return fractions.reduce(
    (sum, at, i) => (i === 0 ? 0 : sum + ((at - fractions[i - 1]!) * (scores[i]! + scores[i - 1]!)) / 2),
    0,
  );
}

function meanCurve(curves: readonly Curve[]): Curve {
  const { fractions } = curves[0]!;
  const scores = fractions.map((_, i) => curves.reduce((sum, curve) => sum + curve.scores[i]!, 0) / curves.length);
  return { fractions, scores, area: areaUnder(fractions, scores) };
}
