/** Once a run: builds the inbox with the fake client, and the page as it is shipped, and serves both. */
import { build, preview, type InlineConfig } from "vite";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** Where the inbox with the fake client is. */
    inbox: string;
    /** Where the page of /inbox is. */
    page: string;
  }
}

/** As the server sends it with the page (ingest/inbox/content_policy.py). */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; " +
  "connect-src 'self'; base-uri 'self'; form-action 'none'; frame-ancestors 'none'";

const at = (path: string): string => new URL(path, import.meta.url).pathname;

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // vitest's is `test`, and Lit would be built for development.
  process.env["NODE_ENV"] = "production";
  const inbox = await serve({ configFile: at("../dev/vite.config.ts") });
  const page = await serve({
    configFile: at("../vite.config.ts"),
    root: at(".."),
    build: { outDir: "node_modules/.page-build", emptyOutDir: true },
    preview: { headers: { "Content-Security-Policy": POLICY } },
  });
  project.provide("inbox", inbox.address);
  project.provide("page", page.address);
  return async () => {
    await Promise.all([inbox.close(), page.close()]);
  };
}

async function serve(config: InlineConfig): Promise<{ address: string; close(): Promise<void> }> {
  await build({ ...config, logLevel: "warn" });
  const server = await preview({ ...config, logLevel: "warn", preview: { ...config.preview, port: 0, host: "127.0.0.1" } });
  const address = server.resolvedUrls?.local[0];
  if (!address) throw new Error("The preview has no address.");
  return { address, close: () => server.close() };
}
