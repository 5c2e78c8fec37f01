/** One stack for all tests, the demo app that its button leads to, and a page of another origin. */
import { existsSync } from "node:fs";
import type { TestProject } from "vitest/node";
import { LiveStack } from "../../typescript/tests/live/live-stack";
import { serveCommands } from "../../typescript/tests/live/serve-commands";
import { startDemoApp } from "./demo-app";
import { startPortal } from "./portal";

declare module "vitest" {
  export interface ProvidedContext {
    /** Where the demo app is. */
    demoApp: string;
    /** Where a page of another origin is, which has `<carillon-inbox>` in it. */
    portal: string;
  }
}

const PAGE = new URL("../../../ingest/inbox/static/index.html", import.meta.url);

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  if (!existsSync(PAGE)) throw new Error("The inbox is not built: make clients.");
  const app = await startDemoApp();
  const stack = await LiveStack.start({ LIVE_STACK_CALLBACK_URL: `${app.url}/callback` });
  app.attach(stack.about);
  const commands = await serveCommands(stack);
  const portal = await startPortal(stack.about.url, (person, seconds) =>
    stack.do<string>("token", { id: person, expires_in: seconds }),
  );
  project.provide("liveAbout", stack.about);
  project.provide("liveCommands", commands.url);
  project.provide("demoApp", app.url);
  project.provide("portal", portal.url);
  return async () => {
    for (const one of [portal, commands, app]) one.close();
    await stack.stop();
  };
}
