import { defineConfig } from "vitest/config";

const source = (path: string): string => new URL(`./src/${path}`, import.meta.url).pathname;
// The longer name first: the shorter one is the beginning of it.
const alias = { "@carillon/client/testing": source("testing/index.ts"), "@carillon/client": source("index.ts") };
const WITH_STACK = ["tests/{live,browser}/**/*.test.{ts,tsx}", "tests/conformance/live.test.ts"];
// A browser or a stack of processes on a busy machine may be late once: CI tries such a test again, and says so.
const retry = process.env["CARILLON_CI"] ? 1 : 0;

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
        test: { name: "live", include: WITH_STACK, retry, testTimeout: 60_000, globalSetup: ["tests/live/setup.ts"], fileParallelism: false },
      },
    ],
  },
});
