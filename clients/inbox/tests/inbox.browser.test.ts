/** The inbox in Chromium: by keyboard, by mouse, on a phone, and when something fails. */
import type { Locator, Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { PHONE, readScroll, settle, useBrowser } from "./browser";

const open = useBrowser();
const PEER = 31002;

const said = (page: Page, text: string): Locator => page.locator("carillon-inbox-history .said", { hasText: text });

/** Which element has the focus, through all shadow roots: its tag or class. */
function readFocus(page: Page): Promise<string> {
  return page.evaluate(() => {
    let one = document.activeElement;
    while (one?.shadowRoot?.activeElement) one = one.shadowRoot.activeElement;
    return [one?.tagName.toLowerCase(), one?.getAttribute("data-id")].filter(Boolean).join(" ");
  });
}

async function fail(page: Page, code = "NO_ANSWER", status = 0): Promise<void> {
  await page.evaluate(([code, status]) => {
    window.fake.failWith = new window.CarillonError("It failed.", { code: String(code), status: Number(status) });
  }, [code, status] as const);
}

async function mend(page: Page): Promise<void> {
  await page.evaluate(() => (window.fake.failWith = null));
}

describe("by keyboard", () => {
  it("arrows, Home and End move in the list, Enter opens, Escape leads back to the list", async () => {
    const page = await open();
    await page.locator("carillon-inbox-list [data-id]").first().focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    expect(await readFocus(page)).toBe("button 31003");
    await page.keyboard.press("End");
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("Home");
    expect(await readFocus(page)).toBe(`button ${PEER}`);
    await page.keyboard.press("Enter");
    await expect.poll(() => readFocus(page)).toBe("textarea");
    await page.keyboard.press("Escape");
    await expect.poll(() => readFocus(page)).toBe(`button ${PEER}`);
  });

  it("a conversation that takes no replies has the focus on its messages, also when they come later", async () => {
    const page = await open({ query: "delay=400" });
    await page.locator("carillon-inbox-list").getByText("Approvals").click();
    await page.getByText("Purchase approved").waitFor();
    await expect.poll(() => page.locator("carillon-inbox-history .scroller").evaluate((one) => one.matches(":focus"))).toBe(true);
  });

  it("the list is one stop of the Tab key", async () => {
    const page = await open();
    await page.getByText("Lin Yue").waitFor();
    expect(await page.locator("carillon-inbox-list [tabindex='0']").count()).toBe(1);
  });

  it("Enter sends, Shift+Enter begins a line, and Enter that chooses a Chinese word does not send", async () => {
    const page = await open({ query: `peer=${PEER}` });
    const field = page.locator("textarea");
    await field.fill("one");
    await field.press("Shift+Enter");
    await page.keyboard.type("two");
    await field.dispatchEvent("keydown", { key: "Enter", isComposing: true });
    expect(await field.inputValue()).toBe("one\ntwo");
    await field.press("Enter");
    await said(page, "one").waitFor();
    expect(await field.inputValue()).toBe("");
    expect(await readFocus(page)).toBe("textarea");
  });

  it("Escape clears a search, and the arrow down leads from the search into what was found", async () => {
    const page = await open();
    const search = page.locator("input[type=search]");
    await search.fill("Liu Yang");
    await page.getByText("Liu Yang Jr").waitFor();
    await search.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    expect(await readFocus(page)).toBe("button 32000");
    await search.focus();
    await page.keyboard.press("Escape");
    expect(await search.inputValue()).toBe("");
    await page.getByText("Approvals").waitFor();
  });

  it("Escape closes a menu, a question or a picture, and nothing behind it", async () => {
    const page = await open({ query: `peer=${PEER}` });
    await said(page, "See you at three").hover();
    await page.getByRole("button", { name: "Actions for this message" }).last().click();
    await page.keyboard.press("Escape");
    expect(await page.getByRole("menuitem").count()).toBe(0);
    await page.getByRole("button", { name: "Look at the picture" }).click();
    await page.getByRole("dialog", { name: "view.png" }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog", { name: "view.png" }).waitFor({ state: "hidden" });
    expect(await page.evaluate(() => window.inbox.peer)).toBe(PEER);
  });
});

describe("for a screen reader", () => {
  it("a new message is said politely, and many as a number", async () => {
    const page = await open();
    await page.getByText("Lin Yue").waitFor();
    const region = page.locator("carillon-inbox [aria-live=polite]");
    await page.evaluate(() => window.fake.receive(31005, { content: "The monitors are here" }));
    await expect.poll(() => region.textContent()).toBe("New message from Zhao Lei: The monitors are here");
    await page.evaluate(() => {
      for (let index = 0; index < 12; index++) window.fake.receive(31005, { content: "again" });
    });
    await expect.poll(() => region.textContent()).toBe("12 new messages");
  });

  it("a message has a name that says whose it is and when, and my own how far it has come", async () => {
    const page = await open({ query: `peer=${PEER}` });
    await page.getByRole("article", { name: /^You, \d\d:\d\d$/ }).last().getByRole("img", { name: "Read" }).waitFor();
    await page.getByRole("article", { name: /^Lin Yue, \d\d:\d\d$/ }).last().waitFor();
  });
});

describe("on a phone", () => {
  it("there is one pane: a conversation has a way back, and the focus comes back to where it was", async () => {
    const page = await open({ viewport: PHONE });
    await page.getByText("Chen Wei").click();
    await said(page, "lunch for 40").waitFor();
    expect(await page.locator("carillon-inbox-list").count()).toBe(0);
    await page.getByRole("button", { name: "Back to the list" }).click();
    await page.getByText("Approvals").waitFor();
    expect(await readFocus(page)).toBe("button 31003");
  });

  it("nothing is wider than the screen", async () => {
    const page = await open({ query: "peer=-7", viewport: { width: 320, height: 600 } });
    await page.getByText("Purchase approved").waitFor();
    const wide = await page.locator("carillon-inbox-history .scroller").evaluate((one) => one.scrollWidth - one.clientWidth);
    expect(wide).toBe(0);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
  });
});

describe("what fails", () => {
  it("to be sent stays, says why, and goes when it is tried again", async () => {
    const page = await open({ query: `peer=${PEER}` });
    await said(page, "See you at three").waitFor();
    await fail(page);
    await page.locator("textarea").fill("Does this arrive?");
    await page.keyboard.press("Enter");
    const note = page.locator("carillon-inbox-history .unsent");
    await note.getByText("The server did not answer").waitFor();
    expect((await readScroll(page)).left).toBeLessThan(2);
    await mend(page);
    await note.getByRole("button", { name: "Try again" }).click();
    await note.waitFor({ state: "detached" });
    await page.getByRole("article").last().getByRole("img", { name: "Sent" }).waitFor();
  });

  it("to be sent can be discarded", async () => {
    const page = await open({ query: `peer=${PEER}` });
    await said(page, "See you at three").waitFor();
    await fail(page);
    await page.locator("textarea").fill("Never mind");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Discard" }).click();
    await said(page, "Never mind").waitFor({ state: "detached" });
  });

  it("to be loaded says so and can be tried again: the list, a history, older messages, people", async () => {
    const page = await open({ query: `peer=${PEER}&fail=1&many=200` });
    await page.getByText("The conversations could not be loaded.").waitFor();
    await page.getByText("The messages could not be loaded.").waitFor();
    await mend(page);
    await page.locator("carillon-inbox-list").getByRole("button", { name: "Try again" }).click();
    await page.getByText("Approvals").waitFor();
    await page.locator("carillon-inbox-history").getByRole("button", { name: "Try again" }).click();
    await said(page, "200.").waitFor();
    await fail(page, "RATE_LIMITED", 429);
    await page.mouse.move(760, 400);
    await page.mouse.wheel(0, -9000);
    await page.getByText("Older messages could not be loaded. Too much in a short time.").waitFor();
    await page.locator("input[type=search]").fill("Liu");
    await page.getByText("People could not be searched.").waitFor();
  });

  it("to be taken back is told at the edge and to the page", async () => {
    const page = await open({ query: `peer=${PEER}` });
    const told = page.evaluate(
      () => new Promise<string>((resolve) => window.inbox.addEventListener("carillon-error", (event) => resolve((event as CustomEvent<{ message: string }>).detail.message))),
    );
    await said(page, "See you at three").hover();
    await page.getByRole("button", { name: "Actions for this message" }).last().click();
    await page.getByRole("menuitem", { name: "Take back" }).click();
    await fail(page, "RECALL_TOO_LATE", 403);
    await page.getByRole("button", { name: "Take back" }).click();
    await page.locator(".note").getByText("It is too late to take this message back.").waitFor();
    expect(await told).toBe("The message could not be taken back. It is too late to take this message back.");
  });
});

describe("a message", () => {
  it("of mine can be taken back, after a question", async () => {
    const page = await open({ query: `peer=${PEER}` });
    await said(page, "See you at three").hover();
    await page.getByRole("button", { name: "Actions for this message" }).last().click();
    await page.getByRole("menuitem", { name: "Take back" }).click();
    await page.getByRole("button", { name: "Cancel" }).click();
    expect(await said(page, "See you at three").count()).toBe(1);
    await page.getByRole("button", { name: "Actions for this message" }).last().click();
    await page.getByRole("menuitem", { name: "Take back" }).click();
    await page.getByRole("button", { name: "Take back" }).click();
    await said(page, "See you at three").waitFor({ state: "detached" });
  });

  it("of mine is shown as read when the other side answers, or some seconds later", async () => {
    const page = await open({ query: `peer=${PEER}&read=1` });
    await said(page, "See you at three").waitFor();
    const tick = page.getByRole("article").filter({ hasText: "Are you there?" }).getByRole("img");
    await page.locator("textarea").fill("Are you there?");
    await page.keyboard.press("Enter");
    await expect.poll(() => tick.getAttribute("aria-label")).toBe("Sent");
    await page.evaluate((peer) => window.fake.receive(peer, { content: "I am" }), PEER);
    await expect.poll(() => tick.getAttribute("aria-label")).toMatch(/^Read/);
    await page.locator("textarea").fill("Good");
    await page.keyboard.press("Enter");
    await expect.poll(() => page.evaluate(() => window.fake.refreshed.length), { timeout: 8000 }).toBe(2);
  });

  it("with a picture of mine has it at once and in its own size", async () => {
    const page = await open({ query: `peer=${PEER}` });
    await said(page, "See you at three").waitFor();
    const png = await page.evaluate(() => {
      const canvas = document.createElement("canvas");
      canvas.width = 200;
      canvas.height = 100;
      return canvas.toDataURL("image/png").split(",")[1] ?? "";
    });
    await page.locator("input[type=file]").setInputFiles([{ name: "small.png", mimeType: "image/png", buffer: Buffer.from(png, "base64") }]);
    await page.locator("textarea").press("Enter");
    const shown = page.getByRole("button", { name: "Look at the picture small.png" });
    await shown.and(page.locator(":enabled")).waitFor();
    await expect.poll(() => shown.locator("img").evaluate((one) => [one.getBoundingClientRect().width, one.getBoundingClientRect().height])).toEqual([200, 100]);
  });

  it("that is a picture asks for another address when its own has ended, and keeps its place on the screen", async () => {
    const page = await open({ query: `peer=${PEER}` });
    await said(page, "See you at three").waitFor();
    await page.evaluate((peer) => {
      const good = window.fake.data.messages.get(peer)?.find((one) => one.content_type === "IMAGE")?.content ?? "";
      const message = window.fake.receive(peer, { content_type: "IMAGE", content: "/gone.png?expires=1", filename: "late.png" });
      window.fake.fresh.set(message.id, good);
    }, PEER);
    await page.waitForFunction(() => {
      const inbox = window.inbox.shadowRoot?.querySelector("carillon-inbox-chat")?.shadowRoot?.querySelector("carillon-inbox-history");
      return [...(inbox?.shadowRoot?.querySelectorAll("img") ?? [])].filter((one) => one.naturalWidth === 900).length === 2;
    });
    await settle(page);
    expect((await readScroll(page)).left).toBeLessThan(2);
  });

  it("that is a picture which is gone says so", async () => {
    const page = await open({ query: `peer=${PEER}` });
    await said(page, "See you at three").waitFor();
    await page.evaluate((peer) => window.fake.receive(peer, { content_type: "IMAGE", content: "/gone.png", filename: "late.png" }), PEER);
    await page.getByText("The picture could not be loaded.").waitFor();
  });

  it("that is a card says how far its matter is, by words too, and has another form as soon as its app changes it", async () => {
    const page = await open({ query: "peer=-7" });
    const card = page.locator("[role=article]", { hasText: "Expense claim waits for you" });
    await expect.poll(() => card.locator(".matter").innerText()).toMatch(/^Pending\s+waits for you$/);
    const before = await card.getByRole("button", { name: "Open the claim" }).evaluate((one) => getComputedStyle(one).color);
    const states = [["DONE", "Done"], ["REJECTED", "Rejected"], ["CLOSED", "Closed"]] as const;
    for (const [state, word] of states) {
      await page.evaluate((state) => {
        const all = [...window.fake.data.messages.values()].flat();
        const claim = all.find(({ title }) => title === "Expense claim waits for you");
        if (claim) window.fake.update(claim.id, { state, state_text: "by Zhao Lei" });
      }, state);
      await expect.poll(() => card.locator(".matter").innerText()).toMatch(new RegExp(`^${word}\\s+by Zhao Lei$`));
      const button = card.getByRole("button", { name: "Open the claim" });
      expect(await button.isEnabled()).toBe(true);
      await expect.poll(() => button.evaluate((one) => getComputedStyle(one).color)).not.toBe(before);
    }
    expect(await page.locator("[role=article]", { hasText: "The lifts" }).locator(".matter").count()).toBe(0);
  });

  it("that is a notice shows the items of its object and a button", async () => {
    const page = await open({ query: "peer=-7" });
    const notice = page.getByRole("article").filter({ hasText: "Expense claim waits for you" });
    await notice.getByText("Chen Wei").waitFor();
    await notice.getByText("€ 540.00").waitFor();
    const tab = page.waitForEvent("popup");
    await notice.getByRole("button", { name: "Open the claim" }).click();
    await tab;
    expect(await page.locator("textarea").count()).toBe(0);
  });
});

describe("files", () => {
  const file = { name: "Plan.xlsx", mimeType: "application/x", buffer: Buffer.alloc(2000) };

  it("wait beside the text, and go one by one when it is sent", async () => {
    const page = await open({ query: `peer=${PEER}` });
    await page.locator("input[type=file]").setInputFiles([file, { ...file, name: "Other.pdf" }]);
    await page.getByRole("button", { name: "Remove Other.pdf" }).click();
    await page.locator("textarea").fill("Here it is");
    await page.keyboard.press("Enter");
    await page.getByRole("progressbar", { name: /of Plan.xlsx uploaded/ }).waitFor();
    await page.getByRole("progressbar").waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Open the file Plan.xlsx" }).waitFor();
    await said(page, "Here it is").waitFor();
    expect(await page.getByText("Other.pdf").count()).toBe(0);
  });

  it("that fail say why and can be tried again", async () => {
    const page = await open({ query: `peer=${PEER}` });
    await said(page, "See you at three").waitFor();
    await fail(page, "UPLOAD_TOO_LARGE", 413);
    await page.locator("input[type=file]").setInputFiles([file]);
    await page.locator("textarea").press("Enter");
    await page.getByText("Plan.xlsx could not be uploaded. It is too large.").waitFor();
    await mend(page);
    await page.locator("carillon-inbox-history").getByRole("button", { name: "Try again" }).click();
    await page.getByRole("button", { name: "Open the file Plan.xlsx" }).waitFor();
  });

  it("can be dropped and pasted into a conversation", async () => {
    const page = await open({ query: `peer=${PEER}` });
    await said(page, "See you at three").waitFor();
    for (const [target, kind] of [["carillon-inbox-chat .chat", "drop"], ["textarea", "paste"]] as const) {
      await page.locator(target).evaluate((element, kind) => {
        const data = new DataTransfer();
        data.items.add(new File(["x"], `${kind}.txt`));
        element.dispatchEvent(kind === "drop" ? new DragEvent("drop", { dataTransfer: data, bubbles: true, composed: true }) : new ClipboardEvent("paste", { clipboardData: data, bubbles: true, composed: true }));
      }, kind);
      await page.getByRole("button", { name: `Remove ${kind}.txt` }).waitFor();
    }
  });

  it("that are empty are not taken", async () => {
    const page = await open({ query: `peer=${PEER}` });
    await page.locator("input[type=file]").setInputFiles([{ ...file, buffer: Buffer.alloc(0) }]);
    await page.getByText("Plan.xlsx is empty.").waitFor();
    expect(await page.getByRole("button", { name: "Remove Plan.xlsx" }).count()).toBe(0);
  });
});

describe("the element", () => {
  it("says in its list how long ago something was, and is right a day later though nothing came", async () => {
    const page = await open({ time: "2026-11-28T12:00:00" });
    const time = page.locator("carillon-inbox-list [data-id='31002'] time");
    await expect.poll(() => time.innerText()).toBe("11:55");
    await page.clock.fastForward("24:00:00");
    await expect.poll(() => time.innerText()).toBe("Yesterday");
  });

  it("tells the page how many are unread and what was opened", async () => {
    const page = await open();
    const told = page.evaluate(() => {
      const got: unknown[] = [];
      return new Promise((resolve) => {
        window.inbox.addEventListener("carillon-open", (event) => got.push((event as CustomEvent).detail));
        window.inbox.addEventListener("carillon-unread", (event) => {
          got.push((event as CustomEvent).detail);
          if (got.length === 2) resolve(got);
        });
      });
    });
    await page.getByText("Chen Wei").click();
    expect(await told).toEqual([{ peer: 31003 }, { count: 3 }]);
  });

  it("keeps what is written and not sent, and shows it in the list", async () => {
    const page = await open({ query: `peer=${PEER}` });
    await page.locator("textarea").fill("not yet");
    await page.getByText("Chen Wei").click();
    await said(page, "lunch for 40").waitFor();
    expect(await page.locator("textarea").inputValue()).toBe("");
    await page.getByText("Draft: not yet").waitFor();
    await page.locator("carillon-inbox-list").getByText("Lin Yue").click();
    await expect.poll(() => page.locator("textarea").inputValue()).toBe("not yet");
  });

  it("begins a conversation with somebody who was found", async () => {
    const page = await open();
    await page.locator("input[type=search]").fill("Sun Jing Jr");
    await page.getByText("sun jing · 13900032011").click();
    await page.getByRole("heading", { name: "Sun Jing Jr" }).waitFor();
    await page.getByText("Write the first one to Sun Jing Jr.").waitFor();
    await page.locator("textarea").fill("Hello!");
    await page.keyboard.press("Enter");
    await said(page, "Hello!").waitFor();
    await page.getByRole("button", { name: "Clear the search" }).click();
    await page.locator("carillon-inbox-list [aria-current]").getByText("Hello!").waitFor();
  });

  it("says when it is not connected, counts down, and says when all is well again", async () => {
    const page = await open();
    await page.getByText("Lin Yue").waitFor();
    await page.evaluate(() => window.fake.state.set({ status: "waiting", attempt: 2, retryAt: Date.now() + 20_000, error: null }));
    await page.getByText(/Next try in 1\d seconds/).waitFor();
    await page.getByRole("button", { name: "Try now" }).click();
    await page.getByText("Connected again.").waitFor();
    await page.evaluate(() => window.fake.state.set({ status: "stopped", reason: "replaced", code: 4501, error: null }));
    await page.getByText("The inbox is open in another place").waitFor();
    await page.getByRole("button", { name: "Connect again" }).click();
    await page.getByText("Connected again.").waitFor();
  });

  it("changes its language and appearance at once, and tells the page", async () => {
    const page = await open({ query: `peer=${PEER}` });
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByText("Dark", { exact: true }).click();
    await page.getByText("中文").click();
    await page.getByRole("heading", { name: "收件箱" }).waitFor();
    await page.getByRole("button", { name: "设置" }).waitFor();
    expect(await page.evaluate(() => [window.inbox.theme, window.inbox.lang, getComputedStyle(window.inbox).colorScheme])).toEqual(["dark", "zh", "dark"]);
  });
});
