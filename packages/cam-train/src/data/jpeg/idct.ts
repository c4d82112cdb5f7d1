/** Of constants below, and what a first pass keeps beyond whole numbers. */
const constBits = 13;
const pass1Bits = 2;

const workspace = new Int32Array(64);

/** The SIMD form works in 16 bits, where the sum of two must fit; only a damaged file goes beyond. */
const most = 0x3fff;

/**
 * The inverse transform of 64 dequantised coefficients, columns then rows, as samples 0..255 at `samples[at]`.
 * Loeffler, Ligtenberg and Moschytz 1989 in fixed point, exactly as libjpeg's jidctint.c rounds it.
 * False where the coefficients are beyond all reason.
 *
 * @param isFlat only the first coefficient isn't 0
 */
export function inverseDct(
  block: Int32Array,
  isFlat: boolean,
  samples: Uint8Array,
  at: number,
  stride: number,
): boolean {
  if (isFlat) {
    const value = clamped(((block[0]! << pass1Bits) + (1 << (pass1Bits + 2))) >> (pass1Bits + 3));
    for (let row = 0; row < 8; row++) samples.fill(value, at + row * stride, at + row * stride + 8);
    return magnitude(block[0]! << pass1Bits) <= most;
  }
  for (let x = 0; x < 8; x++) pass(block, x, 8, constBits - pass1Bits, workspace, x, 8);
  let bits = 0;
  for (let i = 0; i < 64; i++) bits |= magnitude(block[i]!) | magnitude(workspace[i]!);
  for (let y = 0; y < 8; y++) {
    pass(workspace, 8 * y, 1, constBits + pass1Bits + 3, workspace, 8 * y, 1);
    const to = at + y * stride;
    for (let x = 0; x < 8; x++) samples[to + x] = clamped(workspace[8 * y + x]!);
  }
  return bits <= most;
}

/** |value|, one less for negative ones: fit for or-ing. */
function magnitude(value: number): number {
  return value ^ (value >> 31);
}

/** Samples are coded around 128. */
function clamped(value: number): number {
  const sample = value + 128;
  return sample < 0 ? 0 : Math.min(sample, 255);
}

/** One line of 8, `step` apart; out in the same places of `to`. The numbers are cosines, times 2^13. */
function pass(
  from: Int32Array,
  at: number,
  step: number,
  shift: number,
  to: Int32Array,
  out: number,
  outStep: number,
): void {
  const half = 1 << (shift - 1);
  const even2 = from[at + 2 * step]!;
  const even6 = from[at + 6 * step]!;
  const turned = Math.imul(even2 + even6, 4433);
  const low = turned - Math.imul(even6, 15137);
  const high = turned + Math.imul(even2, 6270);
  const sum = (from[at]! + from[at + 4 * step]!) << constBits;
  const difference = (from[at]! - from[at + 4 * step]!) << constBits;
  const [a, d] = [sum + high + half, sum - high + half];
  const [b, c] = [difference + low + half, difference - low + half];

  const odd1 = from[at + step]!;
  const odd3 = from[at + 3 * step]!;
  const odd5 = from[at + 5 * step]!;
  const odd7 = from[at + 7 * step]!;
  const all = Math.imul(odd1 + odd3 + odd5 + odd7, 9633);
  const z1 = Math.imul(odd7 + odd1, -7373);
  const z2 = Math.imul(odd5 + odd3, -20995);
  const z3 = all - Math.imul(odd7 + odd3, 16069);
  const z4 = all - Math.imul(odd5 + odd1, 3196);
  const e = Math.imul(odd7, 2446) + z1 + z3;
  const f = Math.imul(odd5, 16819) + z2 + z4;
  const g = Math.imul(odd3, 25172) + z2 + z3;
  const h = Math.imul(odd1, 12299) + z1 + z4;

  to[out] = (a + h) >> shift;
  to[out + 7 * outStep] = (a - h) >> shift;
  to[out + outStep] = (b + g) >> shift;
  to[out + 6 * outStep] = (b - g) >> shift;
  to[out + 2 * outStep] = (c + f) >> shift;
  to[out + 5 * outStep] = (c - f) >> shift;
  to[out + 3 * outStep] = (d + e) >> shift;
  to[out + 4 * outStep] = (d - e) >> shift;
}
