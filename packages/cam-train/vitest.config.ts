import { mergeConfig, type ViteUserConfig } from "vitest/config";
import shared from "../../vitest.config.ts";

/** Batches are made in workers, which run the built package; `vitest.build.ts` builds it where it is older than its source. */
const config: ViteUserConfig = mergeConfig(shared, { test: { globalSetup: ["../../vitest.build.ts"] } });

export default config;
