/** Scenes with known truth: what the shipped model `scenes` is trained on and measured by. Its scripts use this, packages don't. */

export { draw, drawKept } from "./drawings.ts";
export { drawComparison } from "./figure.ts";
export { measureScenes } from "./measure.ts";
export { aimsByClass, sceneResults } from "./results.ts";
