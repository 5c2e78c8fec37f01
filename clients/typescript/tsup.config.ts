import { defineConfig } from "tsup";
import { INTERNAL_NAMES } from "./scripts/internal-names";

export default defineConfig({
  entry: { index: "src/index.ts", react: "src/react.ts", testing: "src/testing/index.ts" },
  format: ["esm", "cjs"],
  target: "es2022",
  dts: true,
  sourcemap: true,
  clean: true,
  splitting: false,
  // The React hooks and the fake server take the client as their users do, so that there is one of it.
  external: ["react", "@carillon/client"],
  esbuildOptions(options) {
    options.mangleProps = new RegExp(`^(${INTERNAL_NAMES.join("|")})$`);
  },
});
