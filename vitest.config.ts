import { defineConfig, type ViteUserConfig } from "vitest/config";

// "source" lets tests read a sibling package's TypeScript, so nothing needs a build to be tested.
// The native runtime does not survive vitest's vm pools: forks only.
const config: ViteUserConfig = defineConfig({
  resolve: { conditions: ["source"] },
  ssr: { resolve: { conditions: ["source"] } },
  test: {
    pool: "forks",
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    testTimeout: 60_000,
  },
});

export default config;
