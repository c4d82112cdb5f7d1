import { expect, test } from "vitest";
import type { Rule } from "../autodiff/rule.ts";
import { float32, int64 } from "../tensor.ts";
import { checkSecondOrder } from "./check-second-order.ts";
import { checkVjp } from "./check-vjp.ts";
import { checkHessian } from "./hessian.ts";

// A product's gradient as y / x, 0 where more than one x is 0: right there, but the second derivative isn't 0.
const byDivision: Rule = {
  kind: "smooth",
  vjp: ({ op, inputs: [x], outputs: [y], dy }) => {
    const isZero = op.equal(x!, 0);
    const rest = op.where(isZero, 1, x!);
    const zeros = op.reduceSum(op.cast(isZero, op.dtype(x!)), { axes: [1] });
    const ofZero = op.where(op.greater(zeros, 1), 0, op.mul(dy, op.reduceProd(rest, { axes: [1] })));
    return [op.div(op.where(isZero, ofZero, op.mul(dy, y!)), rest)];
  },
  sample: () => [{ inputs: [float32([2, 3], [2, 0.5, 3, 0, 0, 1.5]), int64([1], [1])] }],
};

test("a rule that is right, but whose derivative is wrong, is caught", async () => {
  await checkVjp("ReduceProd", { seed: 1, rule: byDivision });
  const checked = checkSecondOrder("ReduceProd", { seed: 1, rule: byDivision });
  await expect(checked).rejects.toThrow(/sample 0, d²\/dx0dx0: second derivative differs/);
});

test("a rule that calls itself linear, but has a second derivative, is caught", async () => {
  const rule: Rule = {
    kind: "linear",
    vjp: ({ op, outputs: [y], dy }) => [op.mul(dy, y!)],
    sample: (rng) => [rng.normal([2, 3])],
  };
  await expect(checkSecondOrder("Exp", { seed: 1, rule })).rejects.toThrow(/calls itself linear/);
});

test("gradients that belong to no scalar have a Hessian that isn't symmetric", async () => {
  const rule: Rule = {
    kind: "linear",
    vjp: ({ op, inputs: [a, b], dy }) => [op.mul(dy, op.mul(b!, 2)), op.mul(dy, a!)],
    sample: (rng) => [rng.normal([2, 3]), rng.normal([2, 3])],
  };
  await expect(checkHessian("Mul", { seed: 1, rule })).rejects.toThrow(/not symmetric/);
});

test("what is checked is counted: exp has one second derivative in x and one in the cotangent", async () => {
  expect(await checkSecondOrder("Exp", { seed: 1 })).toMatchObject({ precision: "float64", nonZero: 2 });
});
