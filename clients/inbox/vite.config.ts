/**
 * Two builds into `dist/`, with names that stay: the page of /inbox (`index.html`, `inbox.js`, `inbox.css`), and with
 * `--mode element` the element alone as one module for portals (`carillon-inbox.js`).
 */
import { defineConfig, type UserConfig } from "vite";

const sdk = (path: string): string => new URL(`../typescript/src/${path}`, import.meta.url).pathname;

export const alias = [
  { find: "@carillon/client/observable", replacement: sdk("observable.ts") },
  { find: "@carillon/client/testing", replacement: sdk("testing/index.ts") },
  { find: "@carillon/client", replacement: sdk("index.ts") },
];

const page: UserConfig = {
  // The page may lie below any path.
  base: "./",
  build: {
    target: "es2022",
    modulePreload: { polyfill: false },
    rollupOptions: { output: { entryFileNames: "[name].js", chunkFileNames: "[name].js", assetFileNames: "[name][extname]" } },
  },
};

const element: UserConfig = {
  build: {
    target: "es2022",
    modulePreload: false,
    emptyOutDir: false,
    copyPublicDir: false,
    rollupOptions: {
      input: "src/inbox.ts",
      preserveEntrySignatures: "exports-only",
      output: { entryFileNames: "carillon-inbox.js" },
    },
  },
};

export default defineConfig(({ mode }) => ({ resolve: { alias }, ...(mode === "element" ? element : page) }));
