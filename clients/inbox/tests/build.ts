/** Once a run: builds the inbox with the fake client and serves it. Tests get its address as `inbox`. */
import { build, preview } from "vite";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    inbox: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const configFile = new URL("../dev/vite.config.ts", import.meta.url).pathname;
  await build({ configFile, logLevel: "warn" });
  const server = await preview({ configFile, logLevel: "warn", preview: { port: 0, host: "127.0.0.1" } });
  const address = server.resolvedUrls?.local[0];
  if (!address) throw new Error("The preview has no address.");
  project.provide("inbox", address);
  return () => server.close();
}
