/** One live stack for all tests under `tests/live` and `tests/browser`; they ask it over HTTP, for they run in other processes. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestProject } from "vitest/node";
import { type LiveAbout, LiveStack } from "./live-stack";

declare module "vitest" {
  export interface ProvidedContext {
    liveAbout: LiveAbout;
    /** Where commands are posted: see `live.ts`. */
    liveCommands: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const stack = await LiveStack.start();
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
  project.provide("liveAbout", stack.about);
  project.provide("liveCommands", `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return async () => {
    server.close();
    await stack.stop();
  };
}
