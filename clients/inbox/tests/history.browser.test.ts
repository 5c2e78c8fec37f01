/** The history in Chromium: where the screen stands, what is read, and how it scrolls. */
import type { Locator, Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { PHONE, readScroll, settle, useBrowser } from "./browser";

const open = useBrowser();
const PEER = 31002;

/** The first row that is on the screen, and how far below the upper edge it begins. */
function readTop(page: Page): Promise<{ key: string; offset: number }> {
  return page.locator("carillon-inbox-history").evaluate((history) => {
    const root = history.shadowRoot;
    const edge = root?.querySelector(".scroller")?.getBoundingClientRect().top ?? 0;
    for (const row of root?.querySelectorAll<HTMLElement>(".row") ?? []) {
      const { top, bottom } = row.getBoundingClientRect();
      if (bottom > edge + 1) return { key: row.dataset["key"] ?? "", offset: top - edge };
    }
    return { key: "", offset: 0 };
  });
}

/** A bubble with that text. */
const said = (page: Page, text: string): Locator => page.locator("carillon-inbox-history .said", { hasText: text });

async function wheel(page: Page, by: number): Promise<void> {
  await page.mouse.move(760, 400);
  await page.mouse.wheel(0, by);
  await settle(page);
}

describe("a history", () => {
  it("opens at its newest message when everything is read", async () => {
    const page = await open({ query: `peer=${PEER}&many=400` });
    await said(page, "400.").waitFor();
    await settle(page);
    expect((await readScroll(page)).left).toBeLessThan(2);
  });

  it("keeps the message that one looks at in its place while older ones come above it", async () => {
    const page = await open({ query: `peer=${PEER}&many=400&delay=300` });
    await said(page, "400.").waitFor();
    await wheel(page, -3200);
    const before = await readTop(page);
    await page.waitForFunction((peer) => window.fake.historyOf(peer).get().items.length > 50, PEER);
    await settle(page);
    const after = await readTop(page);
    expect(after.key).toBe(before.key);
    expect(Math.abs(after.offset - before.offset)).toBeLessThan(1.5);
  });

  it("can be paged to its beginning, and only the rows around the screen are in the page", async () => {
    const page = await open({ query: `peer=${PEER}&many=600&delay=1` });
    await said(page, "600.").waitFor();
    await page.locator("carillon-inbox-history .scroller").focus();
    await expect
      .poll(
        async () => {
          await wheel(page, -4000);
          return page.getByText("This is where it began.").isVisible();
        },
        { timeout: 25_000 },
      )
      .toBe(true);
    await wheel(page, -4000);
    expect((await readTop(page)).key).toBe("100000");
    expect(await page.locator("carillon-inbox-history .row").count()).toBeLessThan(80);
  });

  it("stays where it is when a message comes while one reads older ones, and says how many are new", async () => {
    const page = await open({ query: `peer=${PEER}&many=400` });
    await said(page, "400.").waitFor();
    await wheel(page, -900);
    const before = await readTop(page);
    await page.evaluate((peer) => window.fake.receive(peer, { content: "just came" }), PEER);
    await settle(page);
    const after = await readTop(page);
    expect(after.key).toBe(before.key);
    expect(Math.abs(after.offset - before.offset)).toBeLessThan(1.5);
    expect(await page.locator("carillon-inbox-history .jump .count").textContent()).toBe("1");
    await page.getByRole("button", { name: "Go to the newest message" }).click();
    await said(page, "just came").waitFor();
    await expect.poll(async () => (await readScroll(page)).left).toBeLessThan(2);
  });

  it("follows the newest message when one is at the end", async () => {
    const page = await open({ query: `peer=${PEER}&many=400` });
    await said(page, "400.").waitFor();
    for (let index = 0; index < 5; index++) await page.evaluate((peer) => window.fake.receive(peer, { content: "one more line of a message" }), PEER);
    await settle(page);
    expect((await readScroll(page)).left).toBeLessThan(2);
  });

  it("keeps the newest message above the field when the field grows", async () => {
    const page = await open({ query: `peer=${PEER}&many=400`, viewport: PHONE });
    await said(page, "400.").waitFor();
    await page.locator("textarea").fill("1\n2\n3\n4\n5\n6");
    await settle(page);
    expect((await readScroll(page)).left).toBeLessThan(2);
  });

  it("opens at the first new message, below the line that says so", async () => {
    const page = await open({ query: `peer=${PEER}&many=400&new=130` });
    await page.locator("carillon-inbox-history .new").waitFor();
    await settle(page);
    const line = await page.locator("carillon-inbox-history .new").boundingBox();
    expect(line?.y).toBeGreaterThan(60);
    expect(line?.y).toBeLessThan(220);
    expect((await readScroll(page)).left).toBeGreaterThan(1000);
  });

  it("of 5,000 messages scrolls as smoothly as one of 300", async () => {
    // Side by side and in turns: others use the machine too.
    const few = await open({ query: `peer=${PEER}&many=300&all=1` });
    const many = await open({ query: `peer=${PEER}&many=5000&all=1` });
    await said(few, "300.").waitFor();
    await said(many, "5000.").waitFor();
    const frames: Record<"few" | "many", number[]> = { few: [], many: [] };
    for (let turn = 0; turn < 3; turn++) {
      for (const [name, page] of [["few", few], ["many", many]] as const) {
        await page.bringToFront();
        await settle(page);
        frames[name].push(...(await page.locator("carillon-inbox-history .scroller").evaluate(scrollFrames)));
      }
    }
    const [one, other] = [summarize(frames.few), summarize(frames.many)];
    console.log(`Scrolled by 60 px a frame, ms between frames (median, p95, longest): 300 messages ${one.text}, 5,000 messages ${other.text}`);
    expect(other.median).toBeLessThan(1.5 * one.median + 2);
    expect(other.p95).toBeLessThan(2 * one.p95 + 17);
    expect(await many.locator("carillon-inbox-history .row").count()).toBeLessThan(80);
  });

  it("never shows an empty screen while it is scrolled fast, and finds every message in its order", async () => {
    const page = await open({ query: `peer=${PEER}&many=5000&all=1` });
    await said(page, "5000.").waitFor();
    await settle(page);
    const holes = await page.locator("carillon-inbox-history .scroller").evaluate(countHoles);
    expect(holes).toBe(0);
  });
});

/** Scroll 100 frames up; the time of each in milliseconds. */
async function scrollFrames(scroller: Element): Promise<number[]> {
  const times: number[] = [];
  let last = await new Promise<number>(requestAnimationFrame);
  for (let frame = 0; frame < 100; frame++) {
    scroller.scrollTop -= 60;
    const now = await new Promise<number>(requestAnimationFrame);
    times.push(now - last);
    last = now;
  }
  return times;
}

function summarize(times: number[]): { median: number; p95: number; text: string } {
  const sorted = [...times].sort((one, other) => one - other);
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? NaN;
  return { median: at(0.5), p95: at(0.95), text: [at(0.5), at(0.95), at(1)].map((one) => one.toFixed(1)).join(", ") };
}

/** Jump about; how often the middle of the screen was not a row after two frames, or rows were not in order. */
async function countHoles(scroller: Element): Promise<number> {
  const root = scroller.getRootNode() as ShadowRoot;
  let holes = 0;
  for (let jump = 0; jump < 60; jump++) {
    scroller.scrollTop = ((jump * 7919) % 100) * 0.01 * scroller.scrollHeight;
    for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
    const box = scroller.getBoundingClientRect();
    const row = [...root.querySelectorAll(".row")].filter((one) => {
      const { top, bottom } = one.getBoundingClientRect();
      return top <= box.top + box.height / 2 && bottom >= box.top + box.height / 2;
    });
    const keys = [...root.querySelectorAll<HTMLElement>(".row")].map((one) => Number(one.dataset["key"]));
    if (row.length === 0 || keys.some((key, index) => index > 0 && key !== (keys[index - 1] ?? 0) + 1)) holes++;
  }
  return holes;
}

describe("what is read", () => {
  it("is what was on the screen, up to the newest of them", async () => {
    const page = await open({ query: `peer=${PEER}&many=400&new=130` });
    await page.locator("carillon-inbox-history .new").waitFor();
    await expect.poll(() => page.evaluate(() => window.fake.reads.length)).toBeGreaterThan(0);
    await settle(page);
    const lowest = await page.evaluate(() => Math.max(...window.fake.reads.map(([, upTo]) => upTo)));
    const shown = await page.locator("carillon-inbox-history").evaluate((history) => {
      const edge = history.getBoundingClientRect().bottom;
      const seen = [...(history.shadowRoot?.querySelectorAll<HTMLElement>(".row.theirs") ?? [])].filter((row) => row.getBoundingClientRect().bottom <= edge + 80);
      return Number(seen.at(-1)?.dataset["key"]);
    });
    expect(lowest).toBeLessThanOrEqual(shown);
    expect(await page.evaluate(() => window.fake.unread.get())).toBeGreaterThan(20);
  });

  it("is nothing while the page has no focus, and what is on the screen when it gets it", async () => {
    const page = await open({ query: `peer=${PEER}&many=40` });
    await said(page, "40.").waitFor();
    await page.evaluate((peer) => {
      document.hasFocus = () => false;
      window.fake.receive(peer, { content: "while nobody looks" });
    }, PEER);
    await said(page, "while nobody looks").waitFor();
    await settle(page);
    expect(await page.evaluate(() => window.fake.reads)).toEqual([]);
    expect(await page.locator("carillon-inbox-history .new").count()).toBe(1);
    await page.evaluate(() => {
      document.hasFocus = () => true;
      window.dispatchEvent(new Event("focus"));
    });
    await expect.poll(() => page.evaluate(() => window.fake.unread.get())).toBe(5);
  });

  it("is not what came while nobody looked and is beyond the screen", async () => {
    const page = await open({ query: `peer=${PEER}&many=40` });
    await said(page, "40.").waitFor();
    await page.evaluate((peer) => {
      document.hasFocus = () => false;
      for (let index = 0; index < 40; index++) window.fake.receive(peer, { content: `missed ${index}.` });
    }, PEER);
    await settle(page);
    await page.evaluate(() => {
      document.hasFocus = () => true;
      window.dispatchEvent(new Event("focus"));
    });
    await said(page, "missed 8.").waitFor();
    await expect.poll(() => page.evaluate(() => window.fake.reads.length)).toBeGreaterThan(0);
    await settle(page);
    expect(await page.evaluate(() => window.fake.unread.get())).toBeGreaterThan(20);
  });

  it("is nothing that a portal has scrolled away", async () => {
    const page = await open();
    await page.getByText("Lin Yue").first().waitFor();
    await page.evaluate((peer) => {
      document.body.style.paddingTop = "3000px";
      window.inbox.style.height = "600px";
      window.inbox.peer = peer;
    }, 31003);
    await page.getByText("I filed the claim").nth(1).waitFor({ state: "attached" });
    await settle(page);
    expect(await page.evaluate(() => window.fake.reads)).toEqual([]);
  });
});
