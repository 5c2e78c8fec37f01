import { existsSync } from "node:fs";
import { defineConfig } from "tsup";

const ENTRIES = { index: "src/index.ts", react: "src/react.ts", testing: "src/testing/index.ts" };

export default defineConfig({
  entry: Object.fromEntries(Object.entries(ENTRIES).filter(([, source]) => existsSync(source))),
  format: ["esm", "cjs"],
  target: "es2022",
  dts: true,
  sourcemap: true,
  clean: true,
  splitting: false,
  // The React hooks and the fake server take the client as their users do, so that there is one of it.
  external: ["react", "@carillon/client"],
});
