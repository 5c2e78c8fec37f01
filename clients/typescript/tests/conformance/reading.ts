/** Claims about the conversation list, histories and what is read. */
import { expect, test } from "vitest";
import type { Conversation, Message } from "../../src/api/shapes";
import { ask, describe422, describeRefusal, type Host, type HostPerson, type Refusal, write } from "./host";

export function claimReading(host: Host): void {
  const list = async (who: HostPerson) => (await ask<Conversation[]>(host, who, "GET /messages/conversations")).body;
  const history = async (who: HostPerson, peer: number, query = "") =>
    (await ask<Message[]>(host, who, `GET /messages/history/${peer}${query}`)).body;
  const read = (who: HostPerson, peer: number, body?: unknown) =>
    ask<Refusal & { updated_count: number }>(host, who, `PUT /messages/conversations/${peer}/read`, { body });
  const count = async (who: HostPerson) => (await ask<{ total: number }>(host, who, "GET /messages/unread-count")).body.total;
  const writeMany = async (from: HostPerson, to: HostPerson, many: number) => {
    const ids: number[] = [];
    for (let number = 0; number < many; number++) ids.push((await write(host, from, to)).id);
    return ids;
  };

  test("who has nothing has an empty list, an empty history with anybody, and nothing unread", async () => {
    const [me, peer] = [await host.newPerson(), await host.newPerson()];
    expect([await list(me), await history(me, peer.id), await history(me, 0), await count(me)]).toEqual([[], [], [], 0]);
  });

  test("a conversation with a person is shown to both with the other one's names; only the receiver's is unread", async () => {
    const [me, peer] = [await host.newPerson("张三"), await host.newPerson("李四")];
    const sent = await write(host, me, peer);
    const usual = { last_message: "你好", last_message_type: "TEXT", updated_at: sent.created_at, updated_at_ms: sent.created_at_ms };
    const fields = { ...usual, is_system: false, app_id: null, app_name: null, username: expect.stringMatching(/^\d+$/) as string };
    expect(await list(me)).toEqual([{ ...fields, user_id: peer.id, full_name: "李四", unread_count: 0 }]);
    expect(await list(peer)).toEqual([{ ...fields, user_id: me.id, full_name: "张三", unread_count: 1 }]);
  });

  test("a conversation with an app is at minus its id, under its name, and of the system", async () => {
    const me = await host.newPerson();
    const { app_id, id } = host.app;
    const sent = await host.sendAsApp({ receiver_id: me.id });
    expect(sent).toMatchObject({ sender_id: null, receiver_id: me.id, app_id: id, type: "NOTIFICATION" });
    const name = sent.app_name;
    const [line] = await list(me);
    expect(line).toMatchObject({ user_id: -id, username: app_id, full_name: name, app_name: name, app_id: id, is_system: true, unread_count: 1 });
    expect(await history(me, -id)).toEqual([sent]);
  });

  test("a message of an app without a sender is in the app's conversation", async () => {
    const me = await host.newPerson();
    const sent = await host.sendAsApp({ receiver_id: me.id, type: "MESSAGE", content_type: "USER_NOTIFICATION", content: { a: 1 } });
    expect((await history(me, -host.app.id)).map(({ id }) => id)).toEqual([sent.id]);
    expect((await list(me))[0]).toMatchObject({ last_message: "[USER_NOTIFICATION]", last_message_type: "USER_NOTIFICATION" });
  });

  test("a broadcast is in everybody's conversation with the app, each with their own read state", async () => {
    const [me, peer] = [await host.newPerson(), await host.newPerson()];
    const sent = await host.sendAsApp({ is_broadcast: true });
    expect(sent.receiver_id).toBe(null);
    await expect.poll(() => count(peer), { timeout: 15_000 }).toBe(1);
    await expect.poll(async () => (await read(me, -host.app.id)).body.updated_count, { timeout: 15_000 }).toBe(1);
    expect([await count(me), await count(peer)]).toEqual([0, 1]);
    expect((await history(peer, -host.app.id)).map(({ id, is_read }) => [id, is_read])).toEqual([[sent.id, false]]);
  });

  test("the list is in the order of the newest messages, and a preview ends at 200 characters", async () => {
    const [me, a, b] = [await host.newPerson(), await host.newPerson(), await host.newPerson()];
    await write(host, a, me);
    await write(host, b, me);
    expect((await list(me)).map(({ user_id }) => user_id)).toEqual([b.id, a.id]);
    await write(host, me, a, { content: "😀".repeat(300) });
    const lines = await list(me);
    expect(lines.map(({ user_id }) => user_id)).toEqual([a.id, b.id]);
    expect(lines[0]?.last_message).toBe("😀".repeat(200));
  });

  test("pages of the list follow one another by the link, and the last has none", async () => {
    const me = await host.newPerson();
    const peers = [await host.newPerson(), await host.newPerson(), await host.newPerson()];
    for (const peer of peers) await write(host, peer, me);
    const first = await ask<Conversation[]>(host, me, "GET /messages/conversations?limit=2");
    const next = /^<(\?[^>]+)>; rel="next"$/.exec(first.headers.get("Link") ?? "")?.[1];
    const second = await ask<Conversation[]>(host, me, `GET /messages/conversations${next}`);
    const shown = [...first.body, ...second.body].map(({ user_id }) => user_id);
    expect(shown).toEqual(peers.map(({ id }) => id).reverse());
    expect(second.headers.get("Link")).toBe(null);
  });

  test("a conversation that moves up while somebody pages comes on a last page", async () => {
    const me = await host.newPerson();
    const peers = [await host.newPerson(), await host.newPerson(), await host.newPerson()];
    for (const peer of peers) await write(host, peer, me);
    let page = await ask<Conversation[]>(host, me, "GET /messages/conversations?limit=1");
    const shown = page.body.map(({ user_id }) => user_id);
    if (peers[0]) await write(host, peers[0], me);
    for (let link = page.headers.get("Link"); link; link = page.headers.get("Link")) {
      page = await ask(host, me, `GET /messages/conversations${/<([^>]+)>/.exec(link)?.[1]}`);
      shown.push(...page.body.map(({ user_id }) => user_id));
    }
    expect(shown).toEqual([peers[2]?.id, peers[1]?.id, peers[0]?.id]);
  });

  test.each(["limit=0", "limit=201", "limit=a", "cursor=a b", "limit="])("a list asked for with %s is refused", async (query) => {
    const reply = await ask<Refusal>(host, await host.newPerson(), `GET /messages/conversations?${encodeURI(query)}`);
    expect(describe422(reply)).toBe(`422 VALIDATION query.${query.split("=")[0]}`);
  });

  test("a history is newest first, and pages by before_id, by skip and by limit", async () => {
    const [me, peer] = [await host.newPerson(), await host.newPerson()];
    const ids = (await writeMany(peer, me, 5)).reverse();
    const show = async (query: string) => (await history(me, peer.id, query)).map(({ id }) => id);
    expect(await show("")).toEqual(ids);
    expect(await show("?limit=2")).toEqual(ids.slice(0, 2));
    expect(await show(`?limit=2&before_id=${ids[1]}`)).toEqual(ids.slice(2, 4));
    expect(await show("?skip=3")).toEqual(ids.slice(3));
    expect(await show(`?before_id=${ids[0]}&skip=1&limit=1`)).toEqual(ids.slice(2, 3));
    expect(await show(`?before_id=${ids[4]}`)).toEqual([]);
    expect(await show("?before_id=-5")).toEqual([]);
  });

  test.each(["limit=0", "limit=101", "limit=1.5", "limit=", "skip=-1", "before_id=x"])("a history asked for with %s is refused", async (query) => {
    const me = await host.newPerson();
    const reply = await ask<Refusal>(host, me, `GET /messages/history/${me.id}?${query}`);
    expect(describe422(reply)).toBe(`422 VALIDATION query.${query.split("=")[0]}`);
  });

  test.each([
    ["a person who is not there", 999_999_999, "404 UNKNOWN_PERSON"],
    ["an app that is not there", -999_999_999, "404 UNKNOWN_APP"],
  ])("the history with %s is not there, and cannot be read", async (_, peer, refusal) => {
    const me = await host.newPerson();
    expect(describeRefusal(await ask<Refusal>(host, me, `GET /messages/history/${peer}`))).toBe(refusal);
    expect(describeRefusal(await read(me, peer))).toBe(refusal);
  });

  test("a peer that is no number is refused", async () => {
    const me = await host.newPerson();
    for (const line of ["GET /messages/history/me", "PUT /messages/conversations/1.5/read"]) {
      expect(describe422(await ask<Refusal>(host, me, line))).toBe("422 VALIDATION path.other_user_id");
    }
  });

  test("nobody else sees what two people write to each other", async () => {
    const [me, peer, other] = [await host.newPerson(), await host.newPerson(), await host.newPerson()];
    const sent = await write(host, me, peer);
    expect([await list(other), await history(other, me.id), await history(other, peer.id), await count(other)]).toEqual([[], [], [], 0]);
    for (const line of [`GET /messages/${sent.id}`, `DELETE /messages/${sent.id}`, `GET /messages/${sent.id}/callback-url`]) {
      expect(describeRefusal(await ask<Refusal>(host, other, line))).toBe("404 UNKNOWN_MESSAGE");
    }
  });

  test("reading up to a message reads that one and those before it, and says how many became read", async () => {
    const [me, peer] = [await host.newPerson(), await host.newPerson()];
    const ids = await writeMany(peer, me, 3);
    const counts = [(await read(me, peer.id, { up_to_id: ids[1] })).body.updated_count, (await read(me, peer.id, { up_to_id: ids[1] })).body.updated_count];
    expect(counts).toEqual([2, 0]);
    expect([await count(me), (await list(me))[0]?.unread_count]).toEqual([1, 1]);
    expect((await history(me, peer.id)).map(({ is_read }) => is_read)).toEqual([false, true, true]);
  });

  test("reading without a body reads all of the conversation and nothing of another", async () => {
    const [me, a, b] = [await host.newPerson(), await host.newPerson(), await host.newPerson()];
    await writeMany(a, me, 2);
    await write(host, b, me);
    expect((await read(me, a.id)).body).toEqual({ updated_count: 2 });
    expect(await count(me)).toBe(1);
  });

  test("reading up to before the first message reads nothing", async () => {
    const [me, peer] = [await host.newPerson(), await host.newPerson()];
    const [id = 0] = await writeMany(peer, me, 1);
    expect((await read(me, peer.id, { up_to_id: id - 1 })).body).toEqual({ updated_count: 0 });
    expect((await read(me, peer.id, { up_to_id: 0 })).body).toEqual({ updated_count: 0 });
  });

  test.each([[-1], ["5"], [1.5]])("reading up to %j is refused", async (up_to_id) => {
    const me = await host.newPerson();
    expect(describe422(await read(me, me.id, { up_to_id }))).toBe("422 VALIDATION body.up_to_id");
  });

  test("the sender sees that and when the other side has read it", async () => {
    const [me, peer] = [await host.newPerson(), await host.newPerson()];
    await write(host, me, peer);
    expect((await history(me, peer.id))[0]).toMatchObject({ is_read: false, read_at: null, read_at_ms: null });
    await read(peer, me.id);
    const [seen] = await history(me, peer.id);
    const [theirs] = await history(peer, me.id);
    expect(seen).toMatchObject({ is_read: true, read_at_ms: expect.any(Number) as number });
    expect(theirs?.read_at_ms).toBe(seen?.read_at_ms);
  });

  test("reading everything reads every conversation, and the answer says what to call instead", async () => {
    const [me, a, b] = [await host.newPerson(), await host.newPerson(), await host.newPerson()];
    await write(host, a, me);
    await write(host, b, me);
    const reply = await ask(host, me, "PUT /messages/read-all");
    expect(reply.body).toEqual({ updated_count: 2 });
    expect(reply.headers.get("Deprecation")).toMatch(/^@\d+$/);
    expect(reply.headers.get("Link")).toContain('rel="successor-version"');
    expect((await ask(host, me, "PUT /messages/read-all")).body).toEqual({ updated_count: 0 });
  });
}
