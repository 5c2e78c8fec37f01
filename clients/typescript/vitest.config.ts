import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { alias: { "@carillon/client": new URL("./src/index.ts", import.meta.url).pathname } },
  test: { include: ["tests/**/*.test.{ts,tsx}"], testTimeout: 20_000 },
});
