/** What the shipped chest-CT model is measured by. Its script uses this, packages don't. */

export { accuracyOf, meanAims, measurePhantoms, type PhantomCase, type Way } from "./measure.ts";
export { aimsBySize, phantomResults } from "./results.ts";
