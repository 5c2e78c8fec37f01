/** The inbox in a real Chromium, with the fake client: `fake` and `inbox` in the page. */
import { readFileSync } from "node:fs";
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

const AXE = readFileSync(new URL("../node_modules/axe-core/axe.min.js", import.meta.url), "utf8");

export const DESKTOP = { width: 1180, height: 760 };
export const PHONE = { width: 390, height: 780 };

export interface Opened {
  /** `language`, `theme`, `peer`, `many`, `all`, `fail`, `delay` of dev/dev.ts. */
  query?: string;
  viewport?: { width: number; height: number };
  /** When it is, as the page's clock says, which the test turns on: as RFC 3339 has it. */
  time?: string;
  /** Open the page of /inbox, and not the inbox with the fake client; called before anything is loaded. */
  prepare?: (page: Page) => Promise<unknown>;
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

  return async ({ query = "", viewport = DESKTOP, time, prepare } = {}) => {
    const page = await browser.newPage({ viewport });
    pages.push(page);
    page.on("pageerror", (error) => errors.push(error.message));
    page.on("console", (one) => {
      // What a policy forbids is said on the console only.
      if (/Content Security Policy/i.test(one.text())) errors.push(one.text());
    });
    if (time) await page.clock.install({ time: new Date(time) });
    await prepare?.(page);
    await page.goto(`${inject(prepare ? "page" : "inbox")}?${query}`);
    return page;
  };
}

/** What axe finds on the page as it is now: the rule, how grave it is, and where. */
export async function listBarriers(page: Page): Promise<string[]> {
  await page.evaluate(() => Promise.all(document.getAnimations().filter((one) => one.effect?.getTiming().iterations === 1).map((one) => one.finished)));
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    interface Found {
      violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[];
    }
    const { axe } = window as unknown as { axe: { run(root: Document, options: object): Promise<Found> } };
    const { violations } = await axe.run(document, { resultTypes: ["violations"] });
    return violations.map((one) => `${one.id} (${one.impact}): ${one.nodes.map((node) => `${node.html.slice(0, 160)} ${node.failureSummary.slice(0, 260)}`).join(" | ")}`);
  });
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
