import type { Value } from "../../graph/builder.ts";
import { defineRules, type VjpContext } from "../rule.ts";

/** The largest matrix whose adjugate is computed: its error grows with the size, as sums of ever larger terms cancel. */
const largest = 8;

/**
 * d det(A) / dA is the transposed adjugate, which a singular matrix has, too. By Faddeev and LeVerrier, from products alone:
 *
 *   M_1 = I     M_k = A M_{k-1} - tr(A M_{k-1}) / (k - 1) · I     adj(A) = (-1)^(n-1) M_n
 */
function adjugate({ op, inputs: [x], dy, refuse }: VjpContext): Value[] {
  const size = op.dims(x!)?.at(-1);
  if (typeof size !== "number" || size > largest)
    throw refuse(`matrices of more than ${largest} rows, or of unknown size, have no gradient rule`);
  const dtype = op.dtype(x!);
  const eye = op.eye(op.ints([size]), dtype);
  let m = op.expand(eye, op.shape(x!));
  for (let k = 2; k <= size; k++) {
    const product = op.matMul(x!, m);
    const trace = op.reduceSum(op.mul(product, eye), { axes: [-2, -1] });
    m = op.sub(product, op.mul(op.div(trace, k - 1), eye));
  }
  const axes = Array.from({ length: op.rank(x!) }, (_, axis) => axis);
  const turned = op.transpose(m, [...axes.slice(0, -2), axes.at(-1)!, axes.at(-2)!]);
  const rank = op.rank(dy);
  return [op.mul(size % 2 === 0 ? op.neg(turned) : turned, op.unsqueeze(dy, [rank, rank + 1]))];
}

export const determinant = defineRules({
  Det: {
    kind: "smooth",
    vjp: adjugate,
    sample: (rng) => [
      { inputs: [rng.normal([3, 3])] },
      { inputs: [rng.normal([2, 2, 2])] },
      { inputs: [rng.normal([2, 4, 4])] },
      { inputs: [rng.normal([2, 1, 1])] },
    ],
  },
});
