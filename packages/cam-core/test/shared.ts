import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The folder of real inputs and networks beside the checkout, which isn't part of the project. */
export const shared: string =
  process.env.CAMKIT_SHARED ?? fileURLToPath(new URL("../../../../shared", import.meta.url));

export const hasShared: boolean = existsSync(`${shared}/MANIFEST.tsv`);

if (!hasShared)
  console.warn(`skipped: tests on real data need the shared folder (CAMKIT_SHARED=DIR), not found at ${shared}`);
