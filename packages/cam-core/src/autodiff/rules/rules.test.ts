import { describe, expect, test } from "vitest";
import { checkVjp } from "../../testing/check-vjp.ts";
import { rules } from "./index.ts";

const differentiated = Object.keys(rules).filter((name) => rules[name]!.kind !== "zero");

describe("every rule is the derivative", () => {
  // CAMKIT_RULES=Conv,Gemm checks a few while a rule is being written.
  const only = process.env.CAMKIT_RULES?.split(",");
  const names = only ? differentiated.filter((name) => only.includes(name)) : differentiated;
  test.each(names)("%s", async (opType) => {
    await checkVjp(opType, { seed: 1 });
  });
  test.each(names)("%s: a rule 0.1 % wrong is caught", async (opType) => {
    await expect(checkVjp(opType, { seed: 1, scaleGradient: 1.001 })).rejects.toThrow(/projection differs/);
  });
});
