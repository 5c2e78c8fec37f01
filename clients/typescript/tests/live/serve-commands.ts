/** The commands of a live stack over HTTP, for tests that run in other processes than the one that started it: see `live.ts`. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { LiveAbout, LiveStack } from "./live-stack";

declare module "vitest" {
  export interface ProvidedContext {
    liveAbout: LiveAbout;
    /** Where commands are posted. */
    liveCommands: string;
  }
}

export async function serveCommands(stack: LiveStack): Promise<{ url: string; close(): void }> {
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (part) => (body += String(part)));
    request.on("end", () => {
      const { command, options } = JSON.parse(body) as { command: string; options: Record<string, unknown> };
      stack.do<unknown>(command, options).then(
        (ok) => response.end(JSON.stringify({ ok })),
        (error: unknown) => response.end(JSON.stringify({ error: String(error) })),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: () => void server.close() };
}
