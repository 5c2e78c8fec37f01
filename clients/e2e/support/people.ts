/** People in front of a browser: what a test does and sees, by the words on the screen. */
import { type Browser, type BrowserContext, chromium, type Locator, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, inject } from "vitest";
import type { LivePerson } from "../../typescript/tests/live/live-stack";

export const DESKTOP = { width: 1180, height: 760 };
export const PHONE = { width: 390, height: 780 };
/** As `src/page/credentials.ts` of the inbox keeps a pasted token. */
const SIGNED_IN = "carillon.inbox.signed-in";

/** Whose inbox it is, on one page. */
export class Inbox {
  constructor(readonly page: Page) {}

  conversation(name: string): Locator {
    return this.page.locator("carillon-inbox-list button.conversation").filter({ hasText: name });
  }

  badge(name: string): Locator {
    return this.conversation(name).locator(".badge");
  }

  /** What is said in the open conversation, the oldest first. */
  said(text?: string): Locator {
    const all = this.page.locator("carillon-inbox-history [role=article]");
    return text === undefined ? all : all.filter({ hasText: text });
  }

  title(name: string): Locator {
    return this.page.locator("carillon-inbox-chat header").getByRole("heading", { name });
  }

  async open(name: string): Promise<void> {
    await this.conversation(name).click();
    await this.title(name).waitFor();
  }

  /** Look somebody up and open the conversation with them. */
  async find(name: string): Promise<void> {
    await this.page.locator("carillon-inbox input[type=search]").fill(name);
    await this.page.locator("carillon-inbox-list button.conversation").filter({ hasText: name }).first().click();
    await this.title(name).waitFor();
  }

  async write(text: string): Promise<void> {
    await this.page.locator("carillon-inbox-composer textarea").fill(text);
    await this.page.keyboard.press("Enter");
  }
}

export interface Desk {
  /** A browser of this person's own. */
  sitDown(person: LivePerson, given?: { viewport?: { width: number; height: number }; path?: string }): Promise<Inbox>;
  /** A browser, empty. */
  newContext(given?: { viewport?: { width: number; height: number } }): Promise<BrowserContext>;
}

/** For a file of tests: a Chromium; an error on any page fails its test. */
export function useDesk(): Desk {
  let browser: Browser;
  let contexts: BrowserContext[] = [];
  let errors: string[] = [];

  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
      args: ["--no-sandbox"],
    });
  });
  afterEach(async () => {
    const found = errors;
    await Promise.all(contexts.map((one) => one.close()));
    contexts = [];
    errors = [];
    expect(found).toEqual([]);
  });
  afterAll(() => browser.close());

  const newContext = async (given: { viewport?: { width: number; height: number } } = {}): Promise<BrowserContext> => {
    const context = await browser.newContext({ viewport: DESKTOP, locale: "en-GB", ...given });
    contexts.push(context);
    context.on("page", (page) => {
      page.on("pageerror", (error) => errors.push(error.message));
      page.on("console", (one) => {
        if (/Content Security Policy/i.test(one.text())) errors.push(one.text());
      });
    });
    return context;
  };

  return {
    newContext,
    async sitDown(person, { viewport = DESKTOP, path = "/inbox/" } = {}) {
      const context = await newContext({ viewport });
      await signIn(context, person);
      const page = await context.newPage();
      await page.goto(`${inject("liveAbout").url}${path}`);
      return new Inbox(page);
    },
  };
}

/** Every tab of this browser is that person's. */
export async function signIn(context: BrowserContext, person: LivePerson): Promise<void> {
  await context.addInitScript(
    // A new tab is blank at first, and a blank page has no storage.
    ([key, token]) => location.protocol === "http:" && sessionStorage.setItem(key, JSON.stringify({ token })),
    [SIGNED_IN, person.token] as const,
  );
}

/** Wait until it holds; fails with the last value that did not. */
export async function until<T>(read: () => Promise<T>, isRight: (value: T) => boolean, seconds = 20): Promise<T> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const value = await read();
    if (isRight(value)) return value;
    if (Date.now() > end) throw new Error(`After ${seconds} s it is still ${JSON.stringify(value)}.`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
