/** Claims about taking back, and about buttons. */
import { expect, test } from "vitest";
import type { Conversation, Message } from "../../src/api/shapes";
import { ask, describe422, describeRefusal, type Host, type HostPerson, type Refusal, write } from "./host";

export function claimRecalling(host: Host): void {
  const recall = (who: HostPerson, id: number | string) => ask<Refusal>(host, who, `DELETE /messages/${id}`);
  const press = (who: HostPerson, id: number) => ask<Refusal & { callback_url: string }>(host, who, `GET /messages/${id}/callback-url`);
  const status = async (who: HostPerson, id: number) => (await ask<{ status: string }>(host, who, `GET /messages/${id}`)).body.status;

  test("what its sender takes back is gone for both, and counted no more; the one before it is the last again", async () => {
    const [me, peer] = [await host.newPerson(), await host.newPerson()];
    const kept = await write(host, me, peer, { content: "一" });
    const gone = await write(host, me, peer, { content: "二" });
    expect((await recall(me, gone.id)).status).toBe(204);
    for (const [who, other] of [[me, peer], [peer, me]] as const) {
      const { body } = await ask<Message[]>(host, who, `GET /messages/history/${other.id}`);
      expect(body.map(({ id }) => id)).toEqual([kept.id]);
      const { body: lines } = await ask<Conversation[]>(host, who, "GET /messages/conversations");
      expect(lines[0]).toMatchObject({ last_message: "一", updated_at_ms: kept.created_at_ms, unread_count: who === me ? 0 : 1 });
    }
  });

  test("a conversation whose only message was taken back is not in the list any more", async () => {
    const [me, peer] = [await host.newPerson(), await host.newPerson()];
    await recall(me, (await write(host, me, peer)).id);
    expect((await ask(host, me, "GET /messages/conversations")).body).toEqual([]);
    expect((await ask(host, peer, "GET /messages/unread-count")).body).toEqual({ total: 0, todo: 0 });
  });

  test("taking back twice is as good as once; its sender sees that it was, its receiver sees nothing", async () => {
    const [me, peer] = [await host.newPerson(), await host.newPerson()];
    const { id } = await write(host, me, peer);
    expect([(await recall(me, id)).status, (await recall(me, id)).status]).toEqual([204, 204]);
    expect(await status(me, id)).toBe("RECALLED");
    expect(describeRefusal(await ask<Refusal>(host, peer, `GET /messages/${id}`))).toBe("404 UNKNOWN_MESSAGE");
  });

  test("its receiver may not take a message back, neither a person's nor an app's", async () => {
    const [me, peer] = [await host.newPerson(), await host.newPerson()];
    const ids = [(await write(host, me, peer)).id, (await host.sendAsApp({ receiver_id: peer.id })).id];
    for (const id of ids) expect(describeRefusal(await recall(peer, id))).toBe("403 NOT_THE_SENDER");
  });

  test("what is not there cannot be taken back, and what is no number is refused", async () => {
    const me = await host.newPerson();
    expect(describeRefusal(await recall(me, 5))).toBe("404 UNKNOWN_MESSAGE");
    expect(describe422(await recall(me, "abc"))).toBe("422 VALIDATION path.message_id");
  });

  test("what is taken back before its time is never delivered", async () => {
    const [me, peer] = [await host.newPerson(), await host.newPerson()];
    const { id } = await write(host, me, peer, { send_at: new Date(Date.now() + 3_600_000).toISOString() });
    expect((await recall(me, id)).status).toBe(204);
    expect((await ask(host, peer, `GET /messages/history/${me.id}`)).body).toEqual([]);
  });

  test("a message says that it was delivered, to its sender and its receiver, and whether it was read", async () => {
    const [me, peer] = [await host.newPerson(), await host.newPerson()];
    const { id } = await write(host, me, peer);
    expect([await status(me, id), await status(peer, id)]).toEqual(["DELIVERED", "DELIVERED"]);
    await ask(host, peer, `PUT /messages/conversations/${me.id}/read`);
    for (const who of [me, peer]) expect((await ask(host, who, `GET /messages/${id}`)).body).toMatchObject({ is_read: true });
  });

  const button = { auto_sso: true, target_url: "https://oa.example.com/a?b=c&d=一#e", action_text: "去审批" };

  test("a button leads to the app with a ticket that works once, and on to its target", async () => {
    const me = await host.newPerson();
    const sent = await host.sendAsApp({ receiver_id: me.id, ...button });
    expect(sent.action_text).toBe("去审批");
    expect(sent.action_url).toMatch(/^\/api\/v1\/simple\/sso\/jump\?app_id=/);
    const url = new URL((await press(me, sent.id)).body.callback_url);
    expect(url.searchParams.get("next")).toBe(button.target_url);
    const ticket = url.searchParams.get("ticket") ?? "";
    expect(await host.verifyTicket(ticket)).toMatchObject({ user_id: me.id, app_user_id: `user${me.id}`, name: me.name });
    expect(await host.verifyTicket(ticket)).toBe(null);
  });

  test("every press gives another ticket, and all of them work", async () => {
    const me = await host.newPerson();
    const { id } = await host.sendAsApp({ receiver_id: me.id, ...button });
    const tickets = [await press(me, id), await press(me, id)].map(({ body }) => new URL(body.callback_url).searchParams.get("ticket") ?? "");
    expect(tickets[0]).not.toBe(tickets[1]);
    for (const ticket of tickets) expect(await host.verifyTicket(ticket)).toMatchObject({ user_id: me.id });
  });

  test("the button of a message that one has sent is for its receiver only", async () => {
    const [me, peer] = [await host.newPerson(), await host.newPerson()];
    const more = { content_type: "USER_NOTIFICATION", app_id: host.app.app_id, ...button };
    const sent = await write(host, me, peer, more);
    expect(sent).toMatchObject({ app_id: null, action_text: "去审批" });
    expect(describeRefusal(await press(me, sent.id))).toBe("404 UNKNOWN_MESSAGE");
    expect((await press(peer, sent.id)).status).toBe(200);
  });

  test("a message without a button, or with one of another kind, gives no ticket", async () => {
    const me = await host.newPerson();
    const ids = [await host.sendAsApp({ receiver_id: me.id }), await host.sendAsApp({ receiver_id: me.id, action_url: "https://a.example/" })];
    for (const { id } of ids) expect(describe422(await press(me, id))).toBe("422 NO_BUTTON path.message_id");
  });

  test("a button that signs on may not lead to a host which is not the app's", async () => {
    const [me, peer] = [await host.newPerson(), await host.newPerson()];
    const send = (target_url: string) =>
      ask<Refusal>(host, me, "POST /messages/", {
        body: { type: "MESSAGE", title: "t", content: "c", content_type: "USER_NOTIFICATION", receiver_id: peer.id, app_id: host.app.app_id, auto_sso: true, target_url },
      });
    for (const url of ["https://evil.example/", "https://example.com/", "https://oa.example.com.evil.example/", "https://oa.example.com@evil.example/"]) {
      expect(describe422(await send(url))).toMatch(/^422 (HOST_NOT_ALLOWED|VALIDATION) body.target_url$/);
    }
    expect(describe422(await send("/a"))).toBe("422 VALIDATION body.target_url");
  });
}
