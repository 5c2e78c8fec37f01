import { build } from "esbuild";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { createCore } from "../../src/core";
import type { CarillonClient, Frame } from "../../src/types";
import { live } from "../live/live";
import type { LivePerson } from "../live/live-stack";
import { findChromium } from "./chromium";

declare global {
  interface Window {
    client: CarillonClient;
    seen: (number | "fresh")[];
    token: string | null;
  }
}

const executablePath = findChromium();
if (!executablePath) console.warn("tests/browser is skipped: there is no Chromium. CHROMIUM names one that is elsewhere.");
const run = test.skipIf(!executablePath);

const PATIENCE = { timeout: 30_000, interval: 50 };
let browser: Browser;
let context: BrowserContext;
let bundle: string;

beforeAll(async () => {
  if (!executablePath) return;
  const entry = new URL("../../src/index.ts", import.meta.url).pathname;
  const built = await build({ entryPoints: [entry], bundle: true, format: "iife", globalName: "carillon", write: false, target: "es2022" });
  bundle = built.outputFiles[0]?.text ?? "";
  browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
});
afterAll(() => browser?.close());
afterEach(() => context?.close());

/** A tab of this person on a page of the API's own origin, and how many sockets it has. */
class Tab {
  readonly ids: () => Promise<(number | "fresh")[]>;
  sockets = 0;
  opened = 0;

  private constructor(readonly page: Page) {
    this.ids = () => page.evaluate(() => window.seen);
    page.on("websocket", (socket) => {
      this.sockets += 1;
      this.opened += 1;
      socket.on("close", () => (this.sockets -= 1));
    });
  }

  static async open(person: LivePerson): Promise<Tab> {
    const page = await context.newPage();
    const tab = new Tab(page);
    // A page that the server really gives: Chromium lets no other one open a socket to a local address.
    await page.goto(`${live.url}/healthz`);
    await page.evaluate((token) => {
      const { createClient } = (window as unknown as { carillon: typeof import("../../src/index") }).carillon;
      window.token = token;
      window.seen = [];
      window.client = createClient({ baseUrl: "", getToken: () => window.token });
      window.client.connection.onFresh(() => window.seen.push("fresh"));
      window.client.connection.onFrame((frame: Frame) => {
        if (frame.type === "NEW_MESSAGE") window.seen.push(frame.data.id);
      });
      window.client.connection.start();
    }, person.token);
    await page.waitForFunction(() => window.client.connection.state.get().status === "open");
    return tab;
  }
}

async function openTabs(count: number): Promise<{ tabs: Tab[]; write: (content: string) => Promise<number>; person: LivePerson }> {
  context = await browser.newContext();
  await context.addInitScript({ content: `${bundle}; window.carillon = carillon;` });
  const [writer, person] = [await live.newPerson(), await live.newPerson()];
  const { rest } = createCore({ baseUrl: live.url, getToken: () => writer.token });
  const write = async (content: string): Promise<number> => (await rest.send({ receiver_id: person.id, content })).id;
  const tabs: Tab[] = [];
  for (let number = 0; number < count; number++) tabs.push(await Tab.open(person));
  return { tabs, write, person };
}

async function expectAll(tabs: Tab[], ids: number[]): Promise<void> {
  await vi.waitFor(async () => {
    for (const tab of tabs) expect(await tab.ids()).toEqual(["fresh", ...ids]);
  }, PATIENCE);
}

const countSockets = (tabs: Tab[]): number => tabs.reduce((sum, tab) => sum + tab.sockets, 0);

run("eleven tabs have one socket; when the leader is closed, nothing is missing in the others, nothing comes twice, and nothing is read anew", async () => {
  const { tabs, write } = await openTabs(11);
  const ids = [await write("first")];
  await expectAll(tabs, ids);
  expect(countSockets(tabs)).toBe(1);
  let rest = tabs;
  for (let round = 0; round < 3; round++) {
    const leader = rest.find(({ sockets }) => sockets === 1);
    const closed = leader?.page.close();
    for (let count = 0; count < 5; count++) ids.push(await write(`${round}.${count}`));
    await closed;
    rest = rest.filter((tab) => tab !== leader);
    await expectAll(rest, ids);
    expect(countSockets(rest)).toBe(1);
  }
  expect(rest).toHaveLength(8);
  expect(rest.reduce((sum, { opened }) => sum + opened, 0)).toBe(1);
});

run("when the leader's process is killed, the next tab goes on from where it was", async () => {
  const { tabs, write } = await openTabs(3);
  const ids = [await write("first")];
  await expectAll(tabs, ids);
  const [leader, ...others] = tabs;
  const crashed = leader?.page.waitForEvent("crash");
  const session = await context.newCDPSession(leader?.page ?? (await context.newPage()));
  session.send("Page.crash").catch(() => {});
  ids.push(await write("while it dies"));
  await crashed;
  ids.push(await write("after"));
  await expectAll(others, ids);
  expect(countSockets(others)).toBe(1);
});

run("a tab that goes to another page leaves its lead to another tab", async () => {
  const { tabs, write } = await openTabs(2);
  const [first, second] = tabs;
  await first?.page.goto("about:blank");
  await expectAll(second ? [second] : [], [await write("while it is away")]);
  expect(second?.sockets).toBe(1);
});

run("a leader whose page is frozen leaves its lead, and is told what it missed when it is thawed", async () => {
  const { tabs, write } = await openTabs(2);
  const [first, second] = tabs as [Tab, Tab];
  // A browser without windows freezes no page: what it would tell the page is told here.
  await first.page.evaluate(() => document.dispatchEvent(new Event("freeze")));
  const ids = [await write("while it is frozen"), await write("and another")];
  await expectAll([second], ids);
  expect(second.sockets).toBe(1);
  await first.page.evaluate(() => document.dispatchEvent(new Event("resume")));
  await first.page.waitForFunction(() => window.seen.filter((one) => one === "fresh").length === 2);
  const last = await write("after");
  await expectAll([second], [...ids, last]);
  await vi.waitFor(async () => expect(await first.ids()).toEqual(["fresh", "fresh", last]), PATIENCE);
  expect(countSockets(tabs)).toBe(1);
});

run("a person who signs out in one tab has no socket any more in any", async () => {
  const { tabs } = await openTabs(3);
  await tabs[1]?.page.evaluate(async () => {
    window.token = null;
    window.client.connection.stop("signed_out");
  });
  for (const { page } of tabs) {
    await page.waitForFunction(() => {
      const state = window.client.connection.state.get();
      return state.status === "stopped" && state.reason === "signed_out";
    });
  }
  await vi.waitFor(() => expect(countSockets(tabs)).toBe(0), PATIENCE);
});

run("two persons in one browser have a socket each, and neither is told what is the other's", async () => {
  const { tabs, write } = await openTabs(2);
  const other = await live.newPerson();
  const stranger = await Tab.open(other);
  const id = await write("not for the other");
  await expectAll(tabs, [id]);
  expect(await stranger.ids()).toEqual(["fresh"]);
  expect(countSockets([...tabs, stranger])).toBe(2);
});
