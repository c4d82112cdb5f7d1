/** The PACS room: DICOMweb and DIMSE, storing results, watching for new series. */

export { type DicomwebClient, type DicomwebOptions, dicomweb } from "./client.ts";
export { authorizationFrom } from "./credentials.ts";
export { type Destination, dicomwebDestination } from "./destination.ts";
export { type DicomJson, itemsOf, textOf } from "./dicom-json.ts";
export { type DimseOptions, dimseAvailable, dimseDestination } from "./dimse.ts";
export { type Filter, findInstances, findSeries, findStudies } from "./query.ts";
export { type Retrieved, retrieve, retrieveMetadata } from "./retrieve.ts";
export { type PacsInstance, pacsSource } from "./source.ts";
export { type StoreOutcome, storeInstances } from "./store.ts";
export { type Stored, storeResults } from "./store-results.ts";
export { type Arrival, imageClasses, type Stray, type WatchSource } from "./watch/arrival.ts";
export { type FolderOptions, folderSource } from "./watch/folder.ts";
export { type PacsWatchOptions, pacsSeriesSource } from "./watch/pacs.ts";
export { type WatchEvent, type WatchedSeries, type WatchOptions, watch } from "./watch/watch.ts";
