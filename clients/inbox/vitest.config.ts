import { defineConfig } from "vitest/config";
import { alias } from "./vite.config.ts";

export default defineConfig({
  resolve: { alias },
  test: {
    include: ["tests/**/*.test.ts"],
    globalSetup: "tests/build.ts",
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // One Chromium at a time: frames are measured, and others share this machine.
    fileParallelism: false,
  },
});
