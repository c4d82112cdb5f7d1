import { mergeConfig, type ViteUserConfig } from "vitest/config";
import shared from "../../vitest.config.ts";

/**
 * `npm run coverage`: the rooms that read files of any origin have few lines that no test has been through. Their own tests and
 * those of the rooms that lead through them; the gradient checks, which take longest, aren't counted.
 */
const config: ViteUserConfig = mergeConfig(shared, {
  test: {
    coverage: {
      provider: "v8",
      include: ["src/model/**/*.ts", "src/graph/**/*.ts"],
      exclude: ["**/*.test.ts"],
      reporter: ["text"],
      thresholds: { "src/model/**": { branches: 90 }, "src/graph/**": { branches: 90 } },
    },
  },
});

export default config;
