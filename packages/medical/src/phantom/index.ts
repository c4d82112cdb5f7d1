/** Synthetic chest CT with exact truth, and how well a map agrees with it. */

export { maskAtCells } from "./cells.ts";
export { classOf, drawThorax, type Lesion, type Thorax, type ThoraxOptions } from "./draw.ts";
export { default as phantoms, type PhantomsOptions } from "./generator.ts";
export { type GridOptions, leaning, thoraxGeometry, thoraxThickness } from "./grid.ts";
export { type PhantomClass, phantomClasses } from "./lesions.ts";
export {
  averagePrecision,
  energyInside,
  type LesionSize,
  lesionSizes,
  pointing,
  pointingByChance,
} from "./truth.ts";
export { writePhantom } from "./write-phantom.ts";
