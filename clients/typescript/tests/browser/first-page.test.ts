/** The first page of the README, as it stands there, in a browser, on another origin than the API's. */
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { build } from "esbuild";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { live } from "../live/live";
import type { LivePerson } from "../live/live-stack";
import { findChromium } from "./chromium";

const executable = findChromium();
const ROOT = new URL("../..", import.meta.url).pathname;
let browser: Browser;
let server: Server;

/** What a reader who copies the page has: the page, with their own server's address, and the package's one file. */
async function serveFirstPage(): Promise<Server> {
  const readme = readFileSync(`${ROOT}README.md`, "utf8");
  const page = /```html file=first\.html\n([^]*?)```/.exec(readme)?.[1]?.replace("http://localhost:8000", live.url);
  if (!page) throw new Error("README.md has no first page.");
  const made = await build({ entryPoints: [`${ROOT}src/index.ts`], bundle: true, format: "esm", write: false });
  const files: Record<string, [string, string]> = {
    "/first.html": ["text/html", page],
    "/index.js": ["text/javascript", made.outputFiles[0]?.text ?? ""],
  };
  const started = createServer(({ url }, response) => {
    const [type, text] = files[url ?? ""] ?? ["text/plain", ""];
    response.setHeader("Content-Type", type).end(text);
  });
  await new Promise<void>((resolve) => started.listen(0, "localhost", resolve));
  return started;
}

beforeAll(async () => {
  if (!executable) return;
  server = await serveFirstPage();
  browser = await chromium.launch({ executablePath: executable, args: ["--no-sandbox"] });
});

afterAll(async () => {
  await browser?.close();
  server?.close();
});

/** The page of one person, in a browser of their own. */
async function open(me: LivePerson, peer: LivePerson, mistakes: string[]): Promise<Page> {
  const page = await (await browser.newContext()).newPage();
  const answers = [me.token, String(peer.id)];
  page.on("dialog", (dialog) => void dialog.accept(answers.shift()));
  page.on("pageerror", (error) => mistakes.push(error.message));
  await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/first.html`);
  await page.getByText("open", { exact: true }).waitFor();
  return page;
}

test.runIf(executable)("two people who copied the first page of the README write to each other", async () => {
  const [one, other] = [await live.newPerson(), await live.newPerson()];
  const mistakes: string[] = [];
  const pages = [await open(one, other, mistakes), await open(other, one, mistakes)] as const;
  await pages[0].locator("#text").fill("你好");
  await pages[0].getByRole("button").click();
  await pages[1].getByText("← 你好").waitFor();
  await pages[1].locator("#text").fill("<b>在</b>");
  await pages[1].getByRole("button").click();
  await pages[0].getByText("← <b>在</b>").waitFor();
  for (const page of pages) expect(await page.locator("li").count()).toBe(2);
  expect(mistakes).toEqual([]);
});
