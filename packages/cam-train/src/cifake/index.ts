/** CIFAKE: what its script uses, packages don't. */

export { type Evidence, type EvidenceRow, measureEvidence } from "./evidence.ts";
export { drawExamples, drawMasks } from "./figure.ts";
export { writeObjects } from "./lists.ts";
export { readPictures } from "./pictures.ts";
export { measureRobustness, type RobustnessRow } from "./robustness.ts";
export { ship } from "./ship.ts";
export { evidenceTable, objectTable, robustnessTable } from "./tables.ts";
