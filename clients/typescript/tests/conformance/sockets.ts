/** Claims about the socket: who is let in, what comes over it in which order, and what comes to who comes back. */
import { expect, test } from "vitest";
import { ask, describeRefusal, type Host, type HostPerson, Listener, listen, type Refusal, until, write } from "./host";

export function claimSockets(host: Host): void {
  const issueTicket = async (who: { token: string }) => (await ask<{ ticket: string; expires_in: number }>(host, who, "POST /ws/tickets")).body;
  const makePair = async () => [await host.newPerson(), await host.newPerson()] as const;
  const read = (who: HostPerson, peer: number) => ask(host, who, `PUT /messages/conversations/${peer}/read`);

  test("the first frame is HELLO, with a position and the server's time", async () => {
    const { frames } = await listen(host, await host.newPerson());
    expect(frames).toEqual([{ type: "HELLO", pos: expect.any(String) as string, data: { server_time_ms: expect.any(Number) as number } }]);
  });

  test("a ping is answered with a pong", async () => {
    const listener = await listen(host, await host.newPerson());
    listener.socket.send("ping");
    await until(() => listener.texts.length > 0);
    expect(listener.texts).toEqual(["pong"]);
  });

  test("what a client says that is no ping is not answered, and closes nothing", async () => {
    const listener = await listen(host, await host.newPerson());
    for (const text of ["{}", "PING", "你好", "ping"]) listener.socket.send(text);
    await until(() => listener.texts.length > 0);
    expect([listener.texts, listener.types]).toEqual([["pong"], ["HELLO"]]);
  });

  test("a token is taken as a subprotocol, and as `token` in the address", async () => {
    const me = await host.newPerson();
    const ways = [new Listener(host, {}, ["bearer", me.token]), new Listener(host, { token: me.token })];
    for (const way of ways) await way.waitFor(["HELLO"]);
    expect(ways.map(({ socket }) => socket.protocol)).toEqual(["bearer", ""]);
  });

  test("a ticket is for 30 seconds, and opens one socket and not a second", async () => {
    const { ticket, expires_in } = await issueTicket(await host.newPerson());
    expect(expires_in).toBe(30);
    await new Listener(host, { ticket }).waitFor(["HELLO"]);
    const second = new Listener(host, { ticket });
    expect([await second.waitUntilClosed(), second.isOpen]).toEqual([1006, false]);
  });

  test.each([
    ["nothing", async () => ({})],
    ["a token that is none", async () => ({ token: "nonsense" })],
    ["a ticket that is none", async () => ({ ticket: "nonsense" })],
    ["a token that has expired", async () => ({ token: await host.token((await host.newPerson()).id, -5) })],
  ])("a socket with %s is not opened", async (_, makeQuery) => {
    const refused = new Listener(host, (await makeQuery()) as Record<string, string>);
    expect([await refused.waitUntilClosed(), refused.isOpen]).toEqual([1006, false]);
  });

  test("a ticket is not given to who is not signed in", async () => {
    const [me, gone] = await makePair();
    await host.disable(gone.id);
    expect(describeRefusal(await ask<Refusal>(host, null, "POST /ws/tickets"))).toBe("401 HEADER_MISSING");
    const ask401 = async (token: string) => describeRefusal(await ask<Refusal>(host, { token }, "POST /ws/tickets"));
    expect(await ask401(await host.token(me.id, -5))).toBe("401 TOKEN_EXPIRED");
    await expect.poll(() => ask401(gone.token), { timeout: 15_000 }).toBe("401 NOT_SIGNED_IN");
  });

  test("a private message comes to both people, each with its conversation, and the sender's name for it to the sender only", async () => {
    const [me, peer] = await makePair();
    const [mine, theirs] = [await listen(host, me), await listen(host, peer)];
    const sent = await write(host, me, peer, { client_ref: "draft-1" });
    for (const listener of [mine, theirs]) await listener.waitFor(["HELLO", "NEW_MESSAGE"]);
    const { id, sender_id, receiver_id, type, content_type, title, content, created_at, created_at_ms } = sent;
    const nothing = { filename: null, action_url: null, action_text: null, app_id: null, app_name: null, state: null, state_text: null, ref: null, version: 1 };
    const both = { id, sender_id, receiver_id, type, content_type, title, content, created_at, created_at_ms, ...nothing, sender_name: "用户私信" };
    expect(mine.messages).toEqual([{ ...both, conversation_id: peer.id, client_ref: "draft-1" }]);
    expect(theirs.messages).toEqual([{ ...both, conversation_id: me.id, client_ref: null }]);
  });

  test("a message to oneself comes once", async () => {
    const me = await host.newPerson();
    const listener = await listen(host, me);
    await write(host, me, me, { client_ref: "r" });
    await read(me, me.id);
    await write(host, me, me);
    await listener.waitFor(["HELLO", "NEW_MESSAGE", "NEW_MESSAGE"]);
    expect(listener.messages[0]).toMatchObject({ conversation_id: me.id, client_ref: "r" });
  });

  test("a notification comes as the system's, in the app's conversation", async () => {
    const me = await host.newPerson();
    const listener = await listen(host, me);
    const { id } = await host.sendAsApp({ receiver_id: me.id, auto_sso: true, target_url: "https://oa.example.com/" });
    await listener.waitFor(["HELLO", "NEW_MESSAGE"]);
    expect(listener.messages[0]).toMatchObject({ id, sender_name: "系统通知", conversation_id: -host.app.id, app_id: host.app.id });
    expect(listener.messages[0]?.action_url).toContain("redirect_to=");
  });

  test("a broadcast comes to everybody who is there", async () => {
    const [me, peer] = await makePair();
    const [mine, theirs] = [await listen(host, me), await listen(host, peer)];
    const { id } = await host.sendAsApp({ is_broadcast: true });
    for (const listener of [mine, theirs]) await until(() => listener.messages.some((one) => one.id === id && one.receiver_id === null));
  });

  test("every device of a person gets everything, in the order of the sends", async () => {
    const [me, peer] = await makePair();
    const devices = [await listen(host, me), await listen(host, me)];
    const ids: number[] = [];
    for (let number = 0; number < 10; number++) ids.push((await write(host, number % 3 ? peer : me, number % 3 ? me : peer)).id);
    for (const device of devices) {
      await until(() => device.messages.length >= ids.length);
      expect(device.messages.map(({ id }) => id)).toEqual(ids);
    }
  });

  test("nobody else is told of it", async () => {
    const [me, peer] = await makePair();
    const other = await host.newPerson();
    const listener = await listen(host, other);
    await write(host, me, peer);
    await write(host, other, other, { content: "end" });
    await until(() => listener.messages.length > 0);
    expect(listener.messages.map(({ content }) => content)).toEqual(["end"]);
  });

  test("what is in a frame is in the history before it", async () => {
    const [me, peer] = await makePair();
    const listener = await listen(host, peer);
    await ask(host, me, "POST /messages/", { body: { type: "MESSAGE", title: "t", content: "c", receiver_id: peer.id } });
    await until(() => listener.messages.length > 0);
    const { body } = await ask<{ id: number }[]>(host, peer, `GET /messages/history/${me.id}`);
    expect(body.map(({ id }) => id)).toEqual(listener.messages.map(({ id }) => id));
  });

  test("reading a conversation is told to the reader's devices, and not to the other side", async () => {
    const [me, peer] = await makePair();
    const [first, second] = [await write(host, peer, me), await write(host, peer, me)];
    const [mine, theirs] = [await listen(host, me), await listen(host, peer)];
    await ask(host, me, `PUT /messages/conversations/${peer.id}/read`, { body: { up_to_id: first.id } });
    await mine.waitFor(["HELLO", "CONVERSATION_READ"]);
    expect(mine.frames[1]).toMatchObject({ data: { conversation_id: peer.id, up_to_id: first.id, unread_count: 1 } });
    await write(host, peer, peer);
    await theirs.waitFor(["HELLO", "NEW_MESSAGE"]);
    expect(second.id).toBeGreaterThan(first.id);
  });

  test("what was read is told up to the newest message that became read, not up to what was asked for", async () => {
    const [me, peer] = await makePair();
    const { id } = await write(host, peer, me);
    const listener = await listen(host, me);
    await ask(host, me, `PUT /messages/conversations/${peer.id}/read`, { body: { up_to_id: id + 1000 } });
    await listener.waitFor(["HELLO", "CONVERSATION_READ"]);
    expect(listener.frames[1]).toMatchObject({ data: { up_to_id: id, unread_count: 0 } });
  });

  test("reading what is read already is told to nobody", async () => {
    const [me, peer] = await makePair();
    await write(host, peer, me);
    await read(me, peer.id);
    const listener = await listen(host, me);
    await read(me, peer.id);
    await write(host, me, me);
    await listener.waitFor(["HELLO", "NEW_MESSAGE"]);
  });

  test("reading everything is one frame, however many conversations it was", async () => {
    const [me, a, b] = [await host.newPerson(), await host.newPerson(), await host.newPerson()];
    await write(host, a, me);
    const last = await write(host, b, me);
    const listener = await listen(host, me);
    await ask(host, me, "PUT /messages/read-all");
    await listener.waitFor(["HELLO", "ALL_READ"]);
    expect(listener.frames[1]).toMatchObject({ data: { up_to_id: last.id, unread_count: 0 } });
  });

  test("taking back is told to both people, each with its conversation", async () => {
    const [me, peer] = await makePair();
    const { id } = await write(host, me, peer);
    const [mine, theirs] = [await listen(host, me), await listen(host, peer)];
    await ask(host, me, `DELETE /messages/${id}`);
    for (const listener of [mine, theirs]) await listener.waitFor(["HELLO", "MESSAGE_RECALLED"]);
    expect([mine.frames[1], theirs.frames[1]]).toMatchObject([{ data: { id, conversation_id: peer.id } }, { data: { id, conversation_id: me.id } }]);
  });

  test("who comes back with the position of the last frame gets everything since, in order, and then what is new", async () => {
    const [me, peer] = await makePair();
    const before = await listen(host, me);
    await write(host, peer, me, { content: "一" });
    await before.waitFor(["HELLO", "NEW_MESSAGE"]);
    await before.close();
    const other = await listen(host, me);
    await write(host, peer, me, { content: "二" });
    await read(me, peer.id);
    // Between a read and a send there is no promised order.
    await other.waitFor(["HELLO", "NEW_MESSAGE", "CONVERSATION_READ"]);
    await write(host, me, peer, { content: "三", client_ref: "r3" });
    await until(() => other.messages.length === 2);
    const after = await listen(host, me, { since: before.pos });
    await after.waitFor(["HELLO", "NEW_MESSAGE", "CONVERSATION_READ", "NEW_MESSAGE"]);
    await write(host, peer, me, { content: "四" });
    await until(() => after.messages.length === 3);
    expect(after.messages.map(({ content, client_ref }) => [content, client_ref])).toEqual([["二", null], ["三", "r3"], ["四", null]]);
  });

  test("HELLO's own position is good to go on from, and nothing comes twice", async () => {
    const [me, peer] = await makePair();
    const before = await listen(host, me);
    await before.close();
    const { id } = await write(host, peer, me);
    const after = await listen(host, me, { since: before.pos });
    await after.waitFor(["HELLO", "NEW_MESSAGE"]);
    await after.close();
    const last = await listen(host, me, { since: after.pos });
    await write(host, me, me);
    await last.waitFor(["HELLO", "NEW_MESSAGE"]);
    expect([after.messages[0]?.id, last.messages[0]?.id]).toEqual([id, expect.any(Number)]);
    expect(last.messages[0]?.id).not.toBe(id);
  });

  test("what was taken back meanwhile is not replayed; that it was taken back is", async () => {
    const [me, peer] = await makePair();
    const before = await listen(host, me);
    await before.close();
    const other = await listen(host, me);
    const { id } = await write(host, peer, me);
    await ask(host, peer, `DELETE /messages/${id}`);
    await other.waitFor(["HELLO", "NEW_MESSAGE", "MESSAGE_RECALLED"]);
    const after = await listen(host, me, { since: before.pos });
    await after.waitFor(["HELLO", "MESSAGE_RECALLED"]);
    expect(after.frames[1]).toMatchObject({ data: { id, conversation_id: peer.id } });
  });

  test.each([["0"], [""], ["nonsense"], ["5b9f1c0a-1773800000000-0-31002"]])("a position that is not known (%j) gives RESYNC after HELLO, and the socket lives on", async (since) => {
    const me = await host.newPerson();
    const listener = await listen(host, me, { since });
    await listener.waitFor(["HELLO", "RESYNC"]);
    await write(host, me, me);
    await listener.waitFor(["HELLO", "RESYNC", "NEW_MESSAGE"]);
    const after = await listen(host, me, { since: listener.frames[1]?.pos ?? "" });
    await after.waitFor(["HELLO", "NEW_MESSAGE"]);
  });

  test("who saw only the HELLO of a socket, and not what follows it, gets that when they come back", async () => {
    const [me, peer] = await makePair();
    const before = await listen(host, me);
    await before.close();
    const { id } = await write(host, peer, me);
    const replayed = await listen(host, me, { since: before.pos });
    await replayed.waitFor(["HELLO", "NEW_MESSAGE"]);
    const again = await listen(host, me, { since: replayed.frames[0]?.pos ?? "" });
    await again.waitFor(["HELLO", "NEW_MESSAGE"]);
    expect(again.messages[0]?.id).toBe(id);
    const lost = await listen(host, me, { since: "0" });
    await lost.waitFor(["HELLO", "RESYNC"]);
    const lostAgain = await listen(host, me, { since: lost.frames[0]?.pos ?? "" });
    await lostAgain.waitFor(["HELLO", "RESYNC"]);
  });

  test("a ticket that signs on to an app opens no socket, and one of a socket signs nobody on", async () => {
    const me = await host.newPerson();
    const { ticket } = await issueTicket(me);
    expect(await host.verifyTicket(ticket)).toBe(null);
    await new Listener(host, { ticket }).waitFor(["HELLO"]);
    const { body } = await ask<{ redirect_url: string }>(host, me, "POST /simple/sso-login", { body: { app_id: host.app.app_id } });
    const signOn = new URL(body.redirect_url).searchParams.get("ticket") ?? "";
    const refused = new Listener(host, { ticket: signOn });
    expect([await refused.waitUntilClosed(), refused.isOpen]).toEqual([1006, false]);
    expect(await host.verifyTicket(signOn)).toMatchObject({ user_id: me.id });
  });

  test("the position of another person gives RESYNC, and nothing of theirs", async () => {
    const [me, peer] = await makePair();
    const theirs = await listen(host, peer);
    await write(host, peer, peer);
    const listener = await listen(host, me, { since: theirs.pos });
    await listener.waitFor(["HELLO", "RESYNC"]);
  });

  test("over ten sockets of one person that are alive, another is refused, and the ten stay", async () => {
    const me = await host.newPerson();
    const ten: Listener[] = [];
    for (let number = 0; number < 10; number++) ten.push(await listen(host, me));
    const eleventh = new Listener(host, { token: me.token });
    expect([await eleventh.waitUntilClosed(), eleventh.isOpen]).toEqual([1006, false]);
    expect(ten.every(({ closeCode }) => closeCode === null)).toBe(true);
    await ten[0]?.close();
    await expect.poll(async () => new Listener(host, { token: me.token }).waitFor(["HELLO"]).then(() => true, () => false), { timeout: 15_000 }).toBe(true);
  });

  test("a token that expires closes its socket with 4401, and one that was opened with a ticket of it", async () => {
    const { id } = await host.newPerson();
    const token = await host.token(id, 2);
    const sockets = [new Listener(host, { token }), new Listener(host, { ticket: (await issueTicket({ token })).ticket })];
    expect([await sockets[0]?.waitUntilClosed(), await sockets[1]?.waitUntilClosed()]).toEqual([4401, 4401]);
    expect(sockets.map(({ types }) => types)).toEqual([["HELLO"], ["HELLO"]]);
  });

  test("who is disabled is closed with 4500, and not let in again", async () => {
    const me = await host.newPerson();
    const listener = await listen(host, me);
    await host.disable(me.id);
    expect(await listener.waitUntilClosed()).toBe(4500);
    const again = new Listener(host, { token: me.token });
    expect([await again.waitUntilClosed(), again.isOpen]).toEqual([1006, false]);
  });

  test("a restart closes sockets with 1012, and positions of before it are good after it", async () => {
    const [me, peer] = await makePair();
    const before = await listen(host, me);
    await host.restart();
    expect(await before.waitUntilClosed()).toBe(1012);
    const { id } = await write(host, peer, me);
    const after = await listen(host, me, { since: before.pos });
    await after.waitFor(["HELLO", "NEW_MESSAGE"]);
    expect(after.messages[0]?.id).toBe(id);
  });

  test("when the past is lost, who is there is told RESYNC, and so is who comes back with a position of before", async () => {
    const [me, peer] = await makePair();
    const [before, there] = [await listen(host, me), await listen(host, peer)];
    await before.close();
    await host.forgetPast();
    await there.waitFor(["HELLO", "RESYNC"]);
    const after = await listen(host, me, { since: before.pos });
    await after.waitFor(["HELLO", "RESYNC"]);
    await write(host, peer, me);
    await until(() => after.messages.length === 1 && there.messages.length === 1);
  });
}
