/** Claims about sending, refusals and taking back. */
import { expect, test } from "vitest";
import type { Message } from "../../src/api/shapes";
import { ask, describe422, describeRefusal, type Host, type Refusal, trySend, write } from "./host";

export function claimSending(host: Host): void {
  test("a send is answered with the whole message, unread, with the name that the client gave it", async () => {
    const [me, peer] = [await host.newPerson(), await host.newPerson()];
    const sent = await write(host, me, peer, { client_ref: "draft-1" });
    expect(sent).toMatchObject({ sender_id: me.id, receiver_id: peer.id, app_id: null, app_name: null, type: "MESSAGE" });
    expect(sent).toMatchObject({ content_type: "TEXT", content: "你好", is_read: false, read_at: null, client_ref: "draft-1" });
    expect(sent).toMatchObject({ action_url: null, action_text: null, filename: null, read_at_ms: null });
    expect(sent.created_at).toBe(new Date(sent.created_at_ms).toISOString().slice(0, 19));
  });

  test("a message has the same fields in the answer to its send and in a history", async () => {
    const [me, peer] = [await host.newPerson(), await host.newPerson()];
    const sent = await write(host, me, peer, { client_ref: "draft-1" });
    const { body } = await ask<Message[]>(host, me, `GET /messages/history/${peer.id}`);
    expect(body).toEqual([sent]);
  });

  test("the path of a send works without the slash at its end", async () => {
    const me = await host.newPerson();
    const body = { type: "MESSAGE", title: "t", content: "c", receiver_id: me.id };
    expect((await ask(host, me, "POST /messages", { body })).status).toBe(200);
  });

  test("the name that a client gave its send is shown to the sender and to nobody else", async () => {
    const [me, peer] = [await host.newPerson(), await host.newPerson()];
    await write(host, me, peer, { client_ref: "draft-1" });
    const { body } = await ask<Message[]>(host, peer, `GET /messages/history/${me.id}`);
    expect(body[0]?.client_ref).toBe(null);
  });

  test("ids rise in the order of sends", async () => {
    const [me, peer] = [await host.newPerson(), await host.newPerson()];
    const ids = [await write(host, me, peer), await write(host, peer, me), await write(host, me, peer)].map(({ id }) => id);
    expect(ids).toEqual([...ids].sort((a, b) => a - b));
  });

  test("content that is an object comes back as its compact JSON text, in its order", async () => {
    const me = await host.newPerson();
    const { body } = await trySend(host, me, { content: { 标题: "请假", b: [1, { c: null }], a: true } });
    expect(body.content).toBe('{"标题":"请假","b":[1,{"c":null}],"a":true}');
  });

  test("a message to oneself is one copy in the conversation with oneself, and read", async () => {
    const me = await host.newPerson();
    const sent = await write(host, me, me);
    const { body } = await ask<Message[]>(host, me, `GET /messages/history/${me.id}`);
    expect(body.map(({ id, is_read }) => [id, is_read])).toEqual([[sent.id, true]]);
    expect((await ask(host, me, "GET /messages/unread-count")).body).toEqual({ total: 0, todo: 0 });
  });

  test.each([
    ["without a type", { type: undefined }, "422 VALIDATION body.type"],
    ["of a type that is none", { type: "LETTER" }, "422 VALIDATION body.type"],
    ["without a title", { title: undefined }, "422 VALIDATION body.title"],
    ["with an empty title", { title: "" }, "422 VALIDATION body.title"],
    ["with a title of 256 characters", { title: "字".repeat(256) }, "422 VALIDATION body.title"],
    ["with a title that is a number", { title: 5 }, "422 VALIDATION body.title"],
    ["without content", { content: undefined }, "422 VALIDATION body.content"],
    ["with content that is a list", { content: ["a"] }, "422 VALIDATION body.content"],
    ["with content that is null", { content: null }, "422 VALIDATION body.content"],
    ["of a kind of content that is none", { content_type: "AUDIO" }, "422 VALIDATION body.content_type"],
    ["of a kind of content that is null", { content_type: null }, "422 VALIDATION body.content_type"],
    ["to a receiver that is text", { receiver_id: "5" }, "422 VALIDATION body.receiver_id"],
    ["to a receiver with a fraction", { receiver_id: 5.5 }, "422 VALIDATION body.receiver_id"],
    ["to nobody", { receiver_id: undefined }, "422 VALIDATION body.receiver_id"],
    ["to a receiver in two ways", { app_user_id: "a", app_id: "b" }, "422 VALIDATION body.receiver_id"],
    ["to an account of no app", { receiver_id: undefined, app_user_id: "a" }, "422 VALIDATION body.app_id"],
    ["with a name of 65 characters", { client_ref: "r".repeat(65) }, "422 VALIDATION body.client_ref"],
    ["with a button to a script", { action_url: "javascript:alert(1)" }, "422 VALIDATION body.action_url"],
    ["with a button to a path", { action_url: "/somewhere" }, "422 VALIDATION body.action_url"],
    ["with a text of its button of 256 characters", { action_text: "字".repeat(256) }, "422 VALIDATION body.action_text"],
    ["with a button that signs on, of plain text", { auto_sso: true, target_url: "https://a.example.com/" }, "422 VALIDATION body.auto_sso"],
    ["with a flag that is null", { is_broadcast: null }, "422 VALIDATION body.is_broadcast"],
    ["with a type that is null", { type: null }, "422 VALIDATION body.type"],
    ["with a title that is null", { title: null }, "422 VALIDATION body.title"],
    ["with a flag that is text", { is_broadcast: "true" }, "422 VALIDATION body.is_broadcast"],
    ["at an instant without an offset", { send_at: "2030-01-01T00:00:00" }, "422 VALIDATION body.send_at"],
    ["at an instant long ago", { send_at: "2020-01-01T00:00:00Z" }, "422 SEND_AT_PAST body.send_at"],
    ["at an instant in ten years", { send_at: "2036-12-01T00:00:00+08:00" }, "422 VALIDATION body.send_at"],
  ])("a send %s is refused, and the answer names the field", async (_, changes, refusal) => {
    expect(describe422(await trySend(host, await host.newPerson(), changes))).toBe(refusal);
  });

  test("everything that is wrong with a send's fields is named in one answer", async () => {
    const { body } = await trySend(host, await host.newPerson(), { type: "X", title: "", client_ref: 5 });
    const places = Array.isArray(body.detail) ? body.detail.map(({ loc }) => loc.join(".")) : [];
    expect(places).toEqual(["body.type", "body.title", "body.client_ref"]);
  });

  test.each([
    ["a notification", { type: "NOTIFICATION" }, "403 FOR_APPS_ONLY"],
    ["a broadcast", { is_broadcast: true, receiver_id: undefined }, "403 FOR_APPS_ONLY"],
    ["a message to somebody who is not there", { receiver_id: 999_999_999 }, "404 UNKNOWN_RECEIVER"],
    ["a message to a negative id", { receiver_id: -1 }, "404 UNKNOWN_RECEIVER"],
    ["a message to an account of an app that is not there", { receiver_id: undefined, app_id: "none", app_user_id: "a" }, "404"],
    ["a picture that they did not upload", { content_type: "IMAGE", content: "u1/0" }, "403 NOT_YOUR_UPLOAD"],
    ["more than 64 KiB, which count as UTF-8", { content: "字".repeat(22_000) }, "413 CONTENT_TOO_LARGE"],
  ])("a person may not send %s", async (_, changes, refusal) => {
    const reply = await trySend(host, await host.newPerson(), changes);
    expect(describeRefusal(reply)).toContain(refusal);
  });

  test("a title may have 255 characters, whatever they are made of", async () => {
    expect((await trySend(host, await host.newPerson(), { title: "😀".repeat(255) })).status).toBe(200);
  });

  test("a field that is not known, and a null where nothing is meant, are ignored", async () => {
    const { status } = await trySend(host, await host.newPerson(), { colour: "red", client_ref: null, action_url: null, send_at: null });
    expect(status).toBe(200);
  });

  test("somebody who is disabled can be sent nothing", async () => {
    const [me, peer] = [await host.newPerson(), await host.newPerson()];
    await host.disable(peer.id);
    await expect.poll(async () => describeRefusal(await trySend(host, me, { receiver_id: peer.id })), { timeout: 15_000 }).toBe("404 UNKNOWN_RECEIVER");
  });

  test.each([["no JSON", "{"], ["a list", "[]"], ["text", '"a"'], ["nothing", ""], ["a NUL", '{"type": "MESSAGE", "title": "\\u0000"}']])(
    "a body that is %s is refused as a whole",
    async (_, body) => {
      const reply = await ask<Refusal>(host, await host.newPerson(), "POST /messages/", { body });
      expect(describe422(reply)).toBe("422 BODY_NOT_JSON body");
    },
  );

  test("the same key with the same body gives the first answer again and sends nothing", async () => {
    const me = await host.newPerson();
    const first = await trySend(host, me, { content: "一" }, { "Idempotency-Key": "k" });
    const again = await trySend(host, me, { content: "一" }, { "Idempotency-Key": "k", Prefer: "wait=10" });
    expect(again.body).toEqual(first.body);
    expect([first, again].map(({ headers }) => headers.get("Idempotency-Replay"))).toEqual([null, "true"]);
    expect((await ask<Message[]>(host, me, `GET /messages/history/${me.id}`)).body.length).toBe(1);
  });

  test("the same key is the same for another order of the body's fields", async () => {
    const me = await host.newPerson();
    const fields = { type: "MESSAGE", title: "t", content: "c", receiver_id: me.id };
    const send = (body: unknown) => ask<Message>(host, me, "POST /messages/", { body, headers: { "Idempotency-Key": "k" } });
    const [first, again] = [await send(fields), await send(Object.fromEntries(Object.entries(fields).reverse()))];
    expect(again.body.id).toBe(first.body.id);
  });

  test("the same key with another body is refused", async () => {
    const me = await host.newPerson();
    await trySend(host, me, { content: "一" }, { "Idempotency-Key": "k" });
    const reply = await trySend(host, me, { content: "二" }, { "Idempotency-Key": "k" });
    expect(describe422(reply)).toBe("422 KEY_REUSED header.Idempotency-Key");
  });

  test("two people's keys have nothing to do with each other", async () => {
    const [me, peer] = [await host.newPerson(), await host.newPerson()];
    const replies = [await trySend(host, me, {}, { "Idempotency-Key": "k" }), await trySend(host, peer, {}, { "Idempotency-Key": "k" })];
    expect(replies.map(({ headers }) => headers.get("Idempotency-Replay"))).toEqual([null, null]);
  });

  test("a send that was refused does not use its key up", async () => {
    const me = await host.newPerson();
    await trySend(host, me, { receiver_id: 999_999_999 }, { "Idempotency-Key": "k" });
    expect((await trySend(host, me, {}, { "Idempotency-Key": "k" })).status).toBe(200);
  });

  test.each([["is empty", ""], ["has 256 characters", "k".repeat(256)]])("a key is refused that %s", async (_, key) => {
    const reply = await trySend(host, await host.newPerson(), {}, { "Idempotency-Key": key });
    expect(describe422(reply)).toBe("422 VALIDATION header.Idempotency-Key");
  });

  test("a message for later is in no history, and says that it is scheduled", async () => {
    const [me, peer] = [await host.newPerson(), await host.newPerson()];
    const sent = await write(host, me, peer, { send_at: new Date(Date.now() + 3_600_000).toISOString() });
    const shown = await ask<{ status: string }>(host, me, `GET /messages/${sent.id}`);
    expect(shown.body.status).toBe("SCHEDULED");
    expect((await ask(host, peer, `GET /messages/history/${me.id}`)).body).toEqual([]);
    expect(describeRefusal(await ask<Refusal>(host, peer, `GET /messages/${sent.id}`))).toBe("404 UNKNOWN_MESSAGE");
  });
}
