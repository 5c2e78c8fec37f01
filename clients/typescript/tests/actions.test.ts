import { expect, test } from "vitest";
import { createOpenAction } from "../src/actions";
import { makeCore, problem } from "./support/core";
import { settle } from "./support/virtual-platform";

const JUMP = "/api/v1/simple/sso/jump?app_id=oa&redirect_to=https%3A%2F%2Fbiz.example";
const CALLBACK = "https://oa.example/callback?ticket=t&next=https%3A%2F%2Fbiz.example";

function make() {
  const core = makeCore();
  core.platform.answer = () => Response.json({ callback_url: CALLBACK });
  return { ...core, openAction: createOpenAction(core) };
}

test("a button that signs on opens its tab in the click itself, and sends it to the address when it is there", async () => {
  const { openAction, platform } = make();
  let opened = 0;
  const { openTab } = platform;
  platform.openTab = () => {
    opened += 1;
    return openTab();
  };
  const clicked = createOpenAction({ ...make(), platform })({ id: 5, action_url: "https://biz.example/x" });
  expect(opened).toBe(1);
  await clicked;
  expect(platform.opened).toEqual(["https://biz.example/x"]);
  await openAction({ id: 5, action_url: JUMP });
});

test("a jump link goes through callback-url, with a fresh ticket for every press", async () => {
  const { openAction, platform } = make();
  await openAction({ id: 5, action_url: JUMP });
  await openAction({ id: 5, action_url: JUMP });
  expect(platform.requests.map(({ url }) => new URL(url).pathname)).toEqual(Array(2).fill("/api/v1/messages/5/callback-url"));
  expect(platform.opened).toEqual([CALLBACK, CALLBACK]);
});

test("another platform's jump link is opened as it is: only the relative form is ours", async () => {
  const { openAction, platform } = make();
  await openAction({ id: 5, action_url: `https://other.example${JUMP}` });
  expect(platform.opened).toEqual([`https://other.example${JUMP}`]);
  expect(platform.requests).toEqual([]);
});

test("where no tab can be opened, this page goes to the address", async () => {
  const { openAction, platform } = make();
  platform.canOpenTabs = false;
  await openAction({ id: 5, action_url: JUMP });
  expect(platform.left).toEqual([CALLBACK]);
});

test("the blank tab is closed if the request fails, and the caller gets its error", async () => {
  const { openAction, platform } = make();
  platform.answer = () => problem(404, "UNKNOWN_MESSAGE");
  await expect(openAction({ id: 5, action_url: JUMP })).rejects.toMatchObject({ code: "UNKNOWN_MESSAGE" });
  expect(platform.closedTabs).toBe(1);
  expect(platform.opened).toEqual([]);
});

test.each(["javascript:alert(1)", "data:text/html,<script>", "file:///etc/passwd", "JavaScript:alert(1)", " javascript:alert(1)", "blob:https://x/1"])(
  "the address %s is not opened",
  async (action_url) => {
    const { openAction, platform } = make();
    await expect(openAction({ id: 5, action_url })).rejects.toMatchObject({ code: "BAD_ADDRESS" });
    platform.answer = () => Response.json({ callback_url: action_url });
    await expect(openAction({ id: 5, action_url: JUMP })).rejects.toMatchObject({ code: "BAD_ADDRESS" });
    expect(platform.opened).toEqual([]);
    expect(platform.closedTabs).toBe(2);
  },
);

test("a message without a button opens no tab", async () => {
  const { openAction, platform } = make();
  await expect(openAction({ id: 5, action_url: null })).rejects.toMatchObject({ code: "NO_BUTTON" });
  await settle();
  expect(platform.closedTabs).toBe(0);
});
