import type { Value } from "@camkit/cam-core";
import { labelsLike } from "./binary.ts";
import { type Compared, defineLoss } from "./define-loss.ts";

/** What is y - t, of the output's shape. */
const error = (compared: Compared) => compared.op.sub(compared.y, labelsLike(compared));
const mean = ({ op }: Compared, value: Value) => op.reduceMean(value, { axes: "all", keepdims: false });

/** The mean of (y - t)² over all numbers. */
export const meanSquared = defineLoss({
  kind: "meanSquared",
  summary: "squared distance to numbers",
  options: {},
  build: (compared) => {
    const difference = error(compared);
    return mean(compared, compared.op.mul(difference, difference));
  },
});

/** The mean of |y - t| over all numbers; its gradient at 0 is 0. */
export const l1 = defineLoss({
  kind: "l1",
  summary: "distance to numbers",
  options: {},
  build: (compared) => mean(compared, compared.op.abs(error(compared))),
});
