import { defineConfig } from "vitest/config";

const alias = { "@carillon/client": new URL("./src/index.ts", import.meta.url).pathname };
const WITH_STACK = ["tests/{live,browser,conformance}/**/*.test.{ts,tsx}"];

// Only the tests that need a running Carillon wait for one.
export default defineConfig({
  test: {
    projects: [
      {
        resolve: { alias },
        test: { name: "unit", include: ["tests/**/*.test.{ts,tsx}"], exclude: WITH_STACK, testTimeout: 20_000 },
      },
      {
        resolve: { alias },
        test: { name: "live", include: WITH_STACK, testTimeout: 60_000, globalSetup: ["tests/live/setup.ts"], fileParallelism: false },
      },
    ],
  },
});
