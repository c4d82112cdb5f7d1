import { type Rng, sizeOf } from "@camkit/cam-core";
import { z } from "zod";
import { keyed } from "../random.ts";

/**
 * How the first values of a parameter are made: a named scheme, which takes its width from the parameter's shape, or a
 * distribution with its width. `identity` draws nothing: what goes in comes out. `pytorch` is also what a bias beside such a weight is drawn from.
 */
export type Init = z.output<typeof initSchema>;

const width = z.number().positive();
export const initSchema = z.union([
  z.enum(["pytorch", "kaiming-normal", "glorot-uniform", "identity", "zeros", "ones"]),
  z.strictObject({ uniform: width.meta({ description: "uniform in ±this" }) }),
  z.strictObject({ normal: width.meta({ description: "standard deviation" }) }),
  z.strictObject({ truncatedNormal: width.meta({ description: "standard deviation, cut at two of them" }) }),
]);

/** What one number is drawn from. */
type Draw =
  | { readonly constant: number }
  | { readonly uniform: number }
  | { readonly normal: number }
  | { readonly truncatedNormal: number };

/**
 * Named schemes: the width from fanIn and fanOut, the connections into and out of one unit.
 *
 * Sources: torch.nn.modules.{conv,linear}.reset_parameters (PyTorch 2.13: kaiming_uniform_ with a = √5, whose bound is
 * gain · √(3 / fanIn) with gain² = 2 / (1 + a²) = 1/3); He et al. 2015, arXiv:1502.01852, eq. 10 and 14; Glorot and Bengio
 * 2010, eq. 16 (Keras' default for Dense and Conv).
 */
const schemes: Readonly<Record<Exclude<Extract<Init, string>, "identity">, (fanIn: number, fanOut: number) => Draw>> = {
  pytorch: (fanIn) => ({ uniform: 1 / Math.sqrt(fanIn) }),
  "kaiming-normal": (_, fanOut) => ({ normal: Math.sqrt(2 / fanOut) }),
  "glorot-uniform": (fanIn, fanOut) => ({ uniform: Math.sqrt(6 / (fanIn + fanOut)) }),
  zeros: () => ({ constant: 0 }),
  ones: () => ({ constant: 1 }),
};

/** Connections into one unit of a weight [out, in / groups, ...kernel]; of one axis, its size. */
export function fanIn(shape: readonly number[]): number {
  return shape.length < 2 ? sizeOf(shape) : sizeOf(shape.slice(1));
}

function fanOut(shape: readonly number[]): number {
  return shape.length < 2 ? sizeOf(shape) : shape[0]! * sizeOf(shape.slice(2));
}

/** A bias starts beside its weight: in the bounds of PyTorch's default, at 0 under every other scheme. */
export function biasInit(init: Init, weightShape: readonly number[]): Init {
  return init === "pytorch" ? { uniform: 1 / Math.sqrt(fanIn(weightShape)) } : "zeros";
}

/**
 * The first values of a parameter, row-major. They depend on the seed and the parameter's own name alone: another layer more
 * changes none of them.
 */
export function initialValues(init: Init, shape: readonly number[], seed: number, name: string): Float32Array {
  if (init === "identity") return identity(shape);
  const drawn = typeof init === "string" ? schemes[init](fanIn(shape), fanOut(shape)) : init;
  const values = new Float32Array(sizeOf(shape));
  if ("constant" in drawn) return values.fill(drawn.constant);
  const rng = keyed(seed, "parameter", name);
  if ("uniform" in drawn) return values.map(() => rng.uniform(-drawn.uniform, drawn.uniform));
  const gauss = normals(rng);
  if ("normal" in drawn) return values.map(() => drawn.normal * gauss());
  const cut = () => {
    for (;;) {
      const value = gauss();
      if (Math.abs(value) <= 2) return value;
    }
  };
  return values.map(() => drawn.truncatedNormal * cut());
}

/** A convolution [out, in, ...kernel] that hands input channel i on as output channel i, as torch.nn.init.dirac_. */
function identity(shape: readonly number[]): Float32Array {
  const [out = 1, channels = 1, ...kernel] = shape;
  const taps = sizeOf(kernel);
  const middle = kernel.reduce((at, size) => at * size + Math.floor(size / 2), 0);
  const values = new Float32Array(sizeOf(shape));
  for (let i = 0; i < Math.min(out, channels); i++) values[(i * channels + i) * taps + middle] = 1;
  return values;
}

/** Normal numbers of mean 0 and deviation 1, two from each pair of uniform ones. Source: Box and Muller 1958. */
function normals(rng: Rng): () => number {
  let spare: number | undefined;
  return () => {
    const kept = spare;
    spare = undefined;
    if (kept !== undefined) return kept;
    const radius = Math.sqrt(-2 * Math.log(1 - rng.unit()));
    const angle = 2 * Math.PI * rng.unit();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
}
