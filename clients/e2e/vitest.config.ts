import { existsSync } from "node:fs";
import { configDefaults, defineConfig } from "vitest/config";

const hasChromium = existsSync(process.env["CHROMIUM"] ?? "/usr/bin/chromium");
if (!hasChromium) console.warn("There is no Chromium (CHROMIUM=/path/to/it): nobody looks at the inbox.");
// A browser or a stack of processes on a busy machine may be late once: CI tries such a test again, and says so.
const retry = process.env["CARILLON_CI"] ? 1 : 0;

export default defineConfig({
  test: {
    include: ["tests/**/*.test.ts"],
    exclude: [...configDefaults.exclude, ...(hasChromium ? [] : ["tests/**"])],
    passWithNoTests: !hasChromium,
    globalSetup: hasChromium ? ["support/setup.ts"] : [],
    retry,
    testTimeout: 90_000,
    hookTimeout: 60_000,
    // One stack, which tests kill and restart.
    fileParallelism: false,
  },
});
