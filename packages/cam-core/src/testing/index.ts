/**
 * What a plugin's own tests need: `@camkit/cam-core/testing`. A rule that isn't in the table is checked like one that is,
 * `checkVjp(opType, { seed: 1, rule })` and `checkSecondOrder(opType, { seed: 1, rule })`.
 */

export type { Rule, Sample, VjpContext } from "../autodiff/rule.ts";
export { type CheckedSecondOrder, checkSecondOrder, type SecondOrderOptions } from "./check-second-order.ts";
export { type CheckedVjp, type CheckVjpOptions, checkVjp } from "./check-vjp.ts";
export { type CheckedHessian, checkHessian, hessianProduct } from "./hessian.ts";
export { type Rng, rng } from "./rng.ts";
export { formula, named, referenceInput, referenceNetwork, tinyModel } from "./tiny-models.ts";
export { tolerances } from "./tolerance.ts";
export { dynamicDifference, type VjpAtOptions, vjpAt } from "./vjp-at.ts";
