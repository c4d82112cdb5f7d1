/** DICOM in: studies as series, series as scans, headers, radiographs. Pixels have a door of their own. */

export { readHeader } from "./header.ts";
export type { ByteStore, Frame, Instance, PixelLayout } from "./instance.ts";
export { isRadiograph, type Radiograph, radiographOf } from "./radiograph.ts";
export { type Resampling, resampled } from "./resampling.ts";
export type { Identity, RemappedUid, Scan, SliceSource } from "./scan.ts";
export { type OrderedScan, type ScanOptions, scanOf } from "./scan-of.ts";
export { describeSeries, type Selected, selectSeries } from "./selection.ts";
export { readSelectionRules, type SelectionRules } from "./selection-rules.ts";
export { type Series, seriesOf } from "./series.ts";
export type { Slice } from "./slice.ts";
export type { Entry, Found, SetAside } from "./sources/entry.ts";
export { openStudy, type Study, type StudyOptions } from "./study.ts";
