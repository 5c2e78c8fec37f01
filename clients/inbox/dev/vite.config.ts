/** The inbox with a fake client: `npm run dev` to look at it, and what the tests build. */
import { defineConfig } from "vite";
import { alias } from "../vite.config.ts";

export default defineConfig({
  root: import.meta.dirname,
  resolve: { alias },
  build: { outDir: "../node_modules/.dev-build", emptyOutDir: true, target: "es2022", modulePreload: { polyfill: false } },
});
