/** The inbox in a real Chromium, with the fake client: `fake` and `inbox` in the page. */
import { chromium, type Browser, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, inject } from "vitest";
import type { FakeClient } from "../dev/fake-client";
import type { CarillonInbox } from "../src/inbox";

declare global {
  interface Window {
    fake: FakeClient;
    inbox: CarillonInbox;
    CarillonError: typeof import("@carillon/client").CarillonError;
  }
}

export const DESKTOP = { width: 1180, height: 760 };
export const PHONE = { width: 390, height: 780 };

export interface Opened {
  /** `language`, `theme`, `peer`, `many`, `all`, `fail`, `delay` of dev/dev.ts. */
  query?: string;
  viewport?: { width: number; height: number };
}

/** For a file of tests: a browser; each `open` gives a page, and an error in one fails its test. */
export function useBrowser(): (given?: Opened) => Promise<Page> {
  let browser: Browser;
  let pages: Page[] = [];
  let errors: string[] = [];

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
  });
  afterEach(async () => {
    await Promise.all(pages.map((page) => page.close()));
    const found = errors;
    pages = [];
    errors = [];
    expect(found).toEqual([]);
  });
  afterAll(() => browser.close());

  return async ({ query = "", viewport = DESKTOP } = {}) => {
    const page = await browser.newPage({ viewport });
    pages.push(page);
    page.on("pageerror", (error) => errors.push(error.message));
    page.on("console", (one) => {
      // What a policy forbids is said on the console only.
      if (/Content Security Policy/i.test(one.text())) errors.push(one.text());
    });
    await page.goto(`${inject("inbox")}?${query}`);
    return page;
  };
}

/** Wait until every row that the history wants is drawn and measured. */
export async function settle(page: Page): Promise<void> {
  await page.evaluate(async () => {
    await document.fonts.ready;
    for (let frame = 0; frame < 4; frame++) await new Promise(requestAnimationFrame);
  });
}

/** Where the scroller of the open history stands. */
export async function readScroll(page: Page): Promise<{ top: number; height: number; left: number }> {
  return page.locator("carillon-inbox-history .scroller").evaluate((one) => ({
    top: one.scrollTop,
    height: one.clientHeight,
    left: one.scrollHeight - one.scrollTop - one.clientHeight,
  }));
}
