import { expect, test } from "vitest";
import { createOpenAction } from "../../src/actions";
import { createCore } from "../../src/core";
import { createPlatform } from "../../src/platform-default";
import { live } from "./live";

const HISTORY = { timeout: 20_000, interval: 50 };

async function makePerson() {
  const person = await live.newPerson("吴用");
  return { ...person, ...createCore({ baseUrl: live.url, getToken: () => person.token }) };
}

test("pages of conversations give every conversation once, to the end", async () => {
  const [me, ...others] = [await makePerson(), await makePerson(), await makePerson(), await makePerson()];
  for (const one of others) await one.rest.send({ receiver_id: me.id, content: "你好" });
  await expect.poll(() => me.rest.getUnreadCount(), HISTORY).toBe(3);
  const found: number[] = [];
  let cursor: string | null = null;
  do {
    const page = await me.rest.listConversations({ limit: 2, cursor });
    found.push(...page.items.map(({ user_id }) => user_id));
    cursor = page.cursor;
  } while (cursor !== null);
  expect(found).toEqual(others.map(({ id }) => id).reverse());
});

test("a history is paged by the lowest id, and marking as read counts what became read", async () => {
  const [me, other] = [await makePerson(), await makePerson()];
  const sent: number[] = [];
  for (let count = 0; count < 5; count++) sent.unshift((await other.rest.send({ receiver_id: me.id, content: "a" })).id);
  await expect.poll(() => me.rest.getUnreadCount(), HISTORY).toBe(5);
  const newest = await me.rest.getHistory(other.id, { limit: 2 });
  const older = await me.rest.getHistory(other.id, { limit: 3, before_id: newest[1]?.id ?? 0 });
  expect([...newest, ...older].map(({ id }) => id)).toEqual(sent);
  expect(await me.rest.markRead(other.id, sent[2] ?? 0)).toBe(3);
  expect(await me.rest.getUnreadCount()).toBe(2);
});

test("a file that is uploaded and sent can be fetched from the address in the message, without a token", async () => {
  const [me, other] = [await makePerson(), await makePerson()];
  const file = new File(["一二三"], "报告.txt", { type: "text/plain" });
  const { key, content_type } = await me.rest.upload(file);
  const sent = await me.rest.send({ receiver_id: other.id, content: key, content_type });
  expect(sent.filename).toBe("报告.txt");
  await expect.poll(() => other.rest.getUnreadCount(), HISTORY).toBe(1);
  const [received] = await other.rest.getHistory(me.id);
  for (const one of [sent, received]) expect(await (await fetch(one?.content ?? "")).text()).toBe("一二三");
});

test("a message is taken back once, and taking it back again is no mistake", async () => {
  const [me, other] = [await makePerson(), await makePerson()];
  const { id } = await me.rest.send({ receiver_id: other.id, content: "a" });
  await me.rest.recall(id);
  await me.rest.recall(id);
  expect(await other.rest.getHistory(me.id)).toEqual([]);
});

test("people are found by a part of their name, and apps of one's own are listed and signed on to", async () => {
  const me = await makePerson();
  expect((await me.rest.searchPeople("吴", { limit: 100 })).map(({ id }) => id)).toContain(me.id);
  expect((await me.rest.listLaunchpadApps()).map(({ app_id }) => app_id)).toEqual([live.app.app_id]);
  expect(await me.rest.signOn(live.app.app_id)).toMatch(/\?ticket=./);
});

test("the button of a notification leads to the app's callback page, with a ticket of its own for each press", async () => {
  const me = await makePerson();
  const target_url = "https://biz.example.com/todo/123";
  await live.do("send", { receiver_id: me.id, auto_sso: true, target_url, action_text: "立即处理" });
  const [message] = await me.rest.getHistory(-live.app.id);
  if (!message) throw new Error("There is no message.");
  const opened: URL[] = [];
  const platform = createPlatform({ openTab: () => ({ go: (url) => void opened.push(new URL(url)), close: () => {} }) });
  const openAction = createOpenAction({ platform, rest: me.rest });
  await openAction(message);
  await openAction(message);
  expect(opened.map((url) => url.searchParams.get("next"))).toEqual([target_url, target_url]);
  const tickets = new Set(opened.map((url) => url.searchParams.get("ticket")));
  expect(tickets.size).toBe(2);
});
