import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/**/*.test.ts"],
    globalSetup: ["support/setup.ts"],
    testTimeout: 90_000,
    hookTimeout: 60_000,
    // One stack, which tests kill and restart.
    fileParallelism: false,
  },
});
