import { describe, expect, test } from "vitest";
import { checkSecondOrder } from "../../testing/check-second-order.ts";
import { checkVjp } from "../../testing/check-vjp.ts";
import { checkHessian } from "../../testing/hessian.ts";
import { isDerivative } from "../rule.ts";
import { rules } from "./index.ts";

const differentiated = Object.keys(rules).filter((name) => isDerivative(rules[name]));
// CAMKIT_RULES=Conv,Gemm checks a few while a rule is being written.
const only = process.env.CAMKIT_RULES?.split(",");
const names = only ? differentiated.filter((name) => only.includes(name)) : differentiated;

describe("every rule is the derivative", () => {
  test.each(names)("%s", async (opType) => {
    await checkVjp(opType, { seed: 1 });
  });
  test.each(names)("%s: a rule 0.1 % wrong is caught", async (opType) => {
    await expect(checkVjp(opType, { seed: 1, scaleGradient: 1.001 })).rejects.toThrow(/projection differs/);
  });
});

describe("every rule can be differentiated again", () => {
  test.each(names)("%s", async (opType) => {
    await checkSecondOrder(opType, { seed: 1 });
  });
  test.each(names)("%s: a second derivative 0.1 % wrong is caught", async (opType) => {
    const checked = checkSecondOrder(opType, { seed: 1, scaleSecond: 1.001 });
    await expect(checked).rejects.toThrow(/second derivative differs/);
  });
  test.each(names)("%s: its Hessian is symmetric, and the same at sizes known in the run only", async (opType) => {
    await checkHessian(opType, { seed: 1 });
  });
});
