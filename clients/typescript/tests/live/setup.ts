/** One live stack for all tests under `tests/live` and `tests/browser`; they ask it over HTTP, for they run in other processes. */
import type { TestProject } from "vitest/node";
import { LiveStack } from "./live-stack";
import { serveCommands } from "./serve-commands";

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const stack = await LiveStack.start();
  const commands = await serveCommands(stack);
  project.provide("liveAbout", stack.about);
  project.provide("liveCommands", commands.url);
  return async () => {
    commands.close();
    await stack.stop();
  };
}
