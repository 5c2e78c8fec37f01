/** Claims about cards: to-dos, and what everybody sees when the app that sent one changes it. */
import { expect, test } from "vitest";
import type { Conversation, Message } from "../../src/api/shapes";
import { ask, describe422, describeRefusal, type Host, type HostPerson, listen, type Refusal, trySend, until, write } from "./host";

const PENDING = { state: "PENDING", state_text: "待张三处理", ref: "leave-1" };
const DONE = { state: "DONE", state_text: "已由张三处理" };

export function claimCards(host: Host): void {
  const todo = (who: HostPerson, query = "") => ask<Message[] & Refusal>(host, who, `GET /messages/todo${query}`);
  const count = async (who: HostPerson) => (await ask<{ total: number; todo: number }>(host, who, "GET /messages/unread-count")).body;
  const history = async (who: HostPerson) => (await ask<Message[]>(host, who, `GET /messages/history/${-host.app.id}`)).body;

  test("what nobody made a card of has version 1 and no state", async () => {
    const [me, peer] = [await host.newPerson(), await host.newPerson()];
    const nothing = { version: 1, state: null, state_text: null, ref: null };
    expect(await write(host, me, peer)).toMatchObject(nothing);
    expect(await host.sendAsApp({ receiver_id: me.id })).toMatchObject(nothing);
    expect([(await todo(me)).body, (await count(me)).todo]).toEqual([[], 0]);
  });

  test("a message with a state is a to-do of its receiver, and is counted beside what is unread", async () => {
    const [me, other] = [await host.newPerson(), await host.newPerson()];
    const sent = await host.sendAsApp({ receiver_id: me.id, ...PENDING });
    expect(sent).toMatchObject({ ...PENDING, version: 1 });
    expect((await todo(me)).body).toEqual([sent]);
    expect([await count(me), await count(other)]).toEqual([
      { total: 1, todo: 1 },
      { total: 0, todo: 0 },
    ]);
  });

  test("a change comes to the person with the whole message, and histories, list and to-dos have the new form", async () => {
    const me = await host.newPerson();
    const sent = await host.sendAsApp({ receiver_id: me.id, ...PENDING });
    const listener = await listen(host, me);
    const changed = await host.changeAsApp(sent.id, { ...DONE, content: "已批准" });
    expect(changed).toMatchObject({ ...sent, ...DONE, content: "已批准", version: 2 });
    await listener.waitFor(["HELLO", "MESSAGE_UPDATED"]);
    const { is_read: _is, read_at: _at, read_at_ms: _ms, ...pushed } = changed;
    expect(listener.changes).toEqual([{ ...pushed, sender_name: "系统通知", conversation_id: -host.app.id }]);
    expect(await history(me)).toEqual([changed]);
    expect((await todo(me)).body).toEqual([]);
    expect((await todo(me, "?state=DONE")).body).toEqual([changed]);
    const { body } = await ask<Conversation[]>(host, me, "GET /messages/conversations");
    expect(body).toMatchObject([{ last_message: "已批准", unread_count: 1, updated_at_ms: sent.created_at_ms }]);
    expect(await count(me)).toEqual({ total: 1, todo: 0 });
  });

  test("a change leaves what was read as it is, and each one is a version more", async () => {
    const me = await host.newPerson();
    const { id } = await host.sendAsApp({ receiver_id: me.id, ...PENDING });
    await ask(host, me, `PUT /messages/conversations/${-host.app.id}/read`);
    const versions = [await host.changeAsApp(id, { title: "一" }), await host.changeAsApp(id, DONE)].map(({ version }) => version);
    expect(versions).toEqual([2, 3]);
    expect(await history(me)).toMatchObject([{ id, title: "一", ...DONE, version: 3, is_read: true }]);
    expect(await count(me)).toEqual({ total: 0, todo: 0 });
  });

  test("a change of a broadcast comes to everybody who has it", async () => {
    const people = [await host.newPerson(), await host.newPerson()];
    const listeners = await Promise.all(people.map((one) => listen(host, one)));
    const { id } = await host.sendAsApp({ is_broadcast: true, ...PENDING });
    for (const one of listeners) await until(() => one.messages.some((message) => message.id === id));
    await host.changeAsApp(id, DONE);
    for (const one of listeners) await until(() => one.changes.some((message) => message.id === id && message.state === "DONE"));
    for (const one of people) expect((await todo(one)).body).toEqual([]);
  });

  test("to-dos come by pages, newest first, of all that wait or of another state", async () => {
    const me = await host.newPerson();
    const ids: number[] = [];
    for (let number = 0; number < 3; number++) ids.push((await host.sendAsApp({ receiver_id: me.id, ...PENDING })).id);
    const [first, second, third] = ids;
    expect((await todo(me, "?limit=2")).body.map(({ id }) => id)).toEqual([third, second]);
    expect((await todo(me, `?limit=2&before_id=${second}`)).body.map(({ id }) => id)).toEqual([first]);
    expect(describe422(await todo(me, "?state=LATER"))).toBe("422 VALIDATION query.state");
    expect(describe422(await todo(me, "?limit=0"))).toBe("422 VALIDATION query.limit");
  });

  test.each([
    ["state", { state: "PENDING" }],
    ["state_text", { state_text: "一" }],
    ["ref", { ref: "r" }],
  ])("what a person writes has no %s", async (_, more) => {
    expect(describeRefusal(await trySend(host, await host.newPerson(), more))).toBe("403 FOR_APPS_ONLY");
  });
}
