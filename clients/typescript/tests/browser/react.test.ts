import { build } from "esbuild";
import { type Browser, chromium, type Page } from "playwright-core";
import { createElement } from "react";
import { renderToString } from "react-dom/server";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { useClient } from "../../src/react";
import { findChromium } from "./chromium";
import { App, FakeClient } from "./react-app";
import type {} from "./react-page";

const executablePath = findChromium();
const run = test.skipIf(!executablePath);
const BEFORE = "idle, 0 unread, loading, history of 8: loading, function";

let browser: Browser;
let page: Page;
let bundle: string;

beforeAll(async () => {
  if (!executablePath) return;
  const built = await build({
    entryPoints: [new URL("./react-page.tsx", import.meta.url).pathname],
    bundle: true,
    format: "iife",
    jsx: "automatic",
    write: false,
    define: { "process.env.NODE_ENV": '"development"' },
  });
  bundle = built.outputFiles[0]?.text ?? "";
  browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
});
afterAll(() => browser?.close());

beforeEach(async () => {
  if (!executablePath) return;
  page = await browser.newPage();
  await page.setContent('<div id="root"></div>');
  await page.evaluate(bundle);
});

const waitForText = (text: string): Promise<unknown> =>
  page.waitForFunction((wanted) => document.querySelector("#root")?.textContent === wanted, text);

run("components show the client's values and every change of them", async () => {
  await page.evaluate(() => window.mount());
  await waitForText("idle, 0 unread, 0 conversations, history of 8: 0, function");
  await page.evaluate(() => {
    window.fake.state.set({ status: "open" });
    window.fake.unreadCount.set(3);
    window.fake.conversations.set({ items: [{} as never, {} as never], hasMore: false, isLoading: false, error: null });
    window.fake.history(8).set({ items: [{} as never], hasOlder: false, isLoading: false, error: null });
  });
  await waitForText("open, 3 unread, 2 conversations, history of 8: 1, function");
});

run("a history is held open while it is shown, and only once under StrictMode", async () => {
  const read = (): Promise<[number, number][]> => page.evaluate(() => [...window.fake.open]);
  await page.evaluate(() => window.mount());
  await waitForText("idle, 0 unread, 0 conversations, history of 8: 0, function");
  expect(await read()).toEqual([[8, 1]]);
  await page.evaluate(() => window.setPeer(-2));
  await waitForText("idle, 0 unread, 0 conversations, history of -2: 0, function");
  expect(await read()).toEqual([[8, 0], [-2, 1]]);
  await page.evaluate(() => window.root.unmount());
  expect(await read()).toEqual([[8, 0], [-2, 0]]);
});

run("the client is started and not stopped under StrictMode, and stopped once when the last provider is gone", async () => {
  await page.evaluate(() => window.mount("two"));
  await page.waitForFunction(() => window.fake.calls.length === 4);
  expect(await page.evaluate(() => window.fake.calls)).toEqual(["start", "start", "start", "start"]);
  await page.evaluate(() => window.root.unmount());
  expect(await page.evaluate(() => window.fake.calls.slice(4))).toEqual(["stop"]);
});

run("a page that a server rendered is taken over without an error, also when the client knows more by then", async () => {
  await page.evaluate(
    (html) => {
      const place = document.getElementById("root");
      if (place) place.innerHTML = html;
      window.fake.unreadCount.set(5);
      window.mount("hydrate");
    },
    renderToString(createElement(App, { client: new FakeClient().client, peer: 8 })),
  );
  await waitForText("idle, 5 unread, 0 conversations, history of 8: 0, function");
  expect(await page.evaluate(() => window.errors)).toEqual([]);
});

test("a server renders what is known before the first answer, and neither starts the client nor opens a history", () => {
  const fake = new FakeClient();
  expect(renderToString(createElement(App, { client: fake.client, peer: 8 }))).toBe(`<p>${BEFORE}</p>`);
  expect(fake.calls).toEqual([]);
  expect(fake.open.size).toBe(0);
});

test("a hook without a provider says what is missing", () => {
  const Lost = () => createElement("p", null, typeof useClient());
  expect(() => renderToString(createElement(Lost))).toThrow("There is no <CarillonProvider client={…}>");
});
