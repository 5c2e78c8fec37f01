/** Whether people can use it: axe, in both themes and languages, on every screen. */
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { listBarriers, PHONE, useBrowser } from "./browser";

const open = useBrowser();
const screens: [string, string, ((page: Page) => Promise<unknown>)?][] = [
  ["a conversation", "peer=31002", (page) => page.locator("carillon-inbox-history .said").first().waitFor()],
  ["notices", "peer=-7", (page) => page.locator("carillon-inbox-history dl").first().waitFor()],
  ["a search", "", (page) => page.locator("input[type=search]").fill("a").then(() => page.locator("[data-id='32000']").waitFor())],
  ["a search without results", "", (page) => page.locator("input[type=search]").fill("???").then(() => page.locator(".blank").nth(1).waitFor())],
  ["the apps", "", (page) => page.locator(".tabs button").nth(1).click().then(() => page.locator(".apps").first().waitFor())],
  ["the settings", "", (page) => page.locator("carillon-inbox-settings button").first().click()],
  ["failures", "peer=31002&fail=1", (page) => page.locator("carillon-inbox-history .blank").waitFor()],
  ["waiting", "peer=31002&delay=60000", (page) => page.locator("carillon-inbox-history .bones").waitFor()],
  [
    "what was not sent, and a broken connection",
    "peer=31002",
    async (page) => {
      await page.locator("carillon-inbox-history .said").first().waitFor();
      await page.evaluate(() => {
        window.fake.failWith = new window.CarillonError("down", { code: "NO_ANSWER" });
        window.fake.state.set({ status: "offline" });
        void window.fake.send(31002, { content: "x" }).catch(() => undefined);
      });
      await page.locator(".unsent").waitFor();
      await page.locator("carillon-inbox-banner p").first().waitFor();
    },
  ],
  [
    "a question",
    "peer=31002",
    async (page) => {
      await page.locator(".mine .line").last().hover();
      await page.locator(".mine .more").last().click();
      await page.locator("[data-id=recall]").click();
    },
  ],
];

// Each theme and each language once: words and colours have nothing to do with each other.
describe.each([
  ["en", "light"],
  ["zh", "dark"],
])("axe finds nothing (%s, %s)", (language, theme) => {
  it.each(screens)("on %s", async (_, query, act) => {
    const page = await open({ query: `language=${language}&theme=${theme}&${query}` });
    await page.locator("carillon-inbox h1").waitFor();
    await act?.(page);
    expect(await listBarriers(page)).toEqual([]);
  });

  it("on a phone", async () => {
    const page = await open({ query: `language=${language}&theme=${theme}&peer=31002`, viewport: PHONE });
    await page.locator("carillon-inbox-history .said").first().waitFor();
    expect(await listBarriers(page)).toEqual([]);
  });
});
