import type { InputManifest } from "@camkit/cam-core/data";
import type { Dataset } from "./dataset.ts";
import { openFolder } from "./folder.ts";
import { openList } from "./list.ts";
import { openModule } from "./module.ts";
import { openNpy } from "./npy.ts";
import type { DataSpec } from "./spec.ts";

export type DatasetOptions = {
  /** What a picture becomes: size, resize, channel order. Pictures need it. */
  readonly input?: InputManifest;
  /** Prepared pictures are kept in memory where all of them fit into this many bytes. Default 1 GiB; 0 keeps none. */
  readonly cacheBytes?: number;
  /** Whether a folder may lack some of the classes that are named. */
  readonly someClasses?: boolean;
};

const openers: {
  readonly [K in DataSpec["kind"]]: (spec: Extract<DataSpec, { kind: K }>, options: DatasetOptions) => Promise<Dataset>;
} = { folder: openFolder, list: openList, npy: openNpy, module: openModule };

/**
 * Lists the samples of a data set; pixels are read later, by a feeder.
 * Throws DataError: no samples, sizes or labels that don't fit, a class without pictures; FileError for what can't be read.
 */
export function openDataset(spec: DataSpec, options: DatasetOptions = {}): Promise<Dataset> {
  const open = openers[spec.kind] as (spec: DataSpec, options: DatasetOptions) => Promise<Dataset>;
  return open(spec, options);
}
