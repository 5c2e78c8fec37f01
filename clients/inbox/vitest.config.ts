import { existsSync } from "node:fs";
import { configDefaults, defineConfig } from "vitest/config";
import { alias } from "./vite.config.ts";

// Where there is no Chromium, what needs none is tested all the same.
const hasChromium = existsSync(process.env["CHROMIUM"] ?? "/usr/bin/chromium");
if (!hasChromium) console.warn("There is no Chromium (CHROMIUM=/path/to/it): the tests in a browser are left out.");
// A browser or a stack of processes on a busy machine may be late once: CI tries such a test again, and says so.
const retry = process.env["CARILLON_CI"] ? 1 : 0;

export default defineConfig({
  resolve: { alias },
  test: {
    include: ["tests/**/*.test.ts"],
    exclude: [...configDefaults.exclude, ...(hasChromium ? [] : ["tests/**/*.browser.test.ts"])],
    globalSetup: "tests/build.ts",
    retry,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // One Chromium at a time: frames are measured, and others share this machine.
    fileParallelism: false,
  },
});
