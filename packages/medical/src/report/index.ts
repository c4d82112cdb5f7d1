/** An explained scan in pictures and numbers: drawings, statistics, the page. */
export { type ContactSheetOptions, contactSheet, drawContactSheet } from "./contact-sheet.ts";
export { drawPlane, drawSlice } from "./draw-plane.ts";
export type { OutputFile } from "./facts.ts";
export type { Faithfulness } from "./faithfulness.ts";
export { disclaimer, type FusedOptions, type FusedPicture, fusedPictures } from "./fused-picture.ts";
export { reportPage, type ScanReport } from "./page.ts";
export { type LungLabels, type MapStatistics, type RegionStatistics, statistics, voxelMl } from "./statistics.ts";
export { ctDisplay, type Display, pictureDisplay, type WindowHu, windowPresets } from "./window.ts";
