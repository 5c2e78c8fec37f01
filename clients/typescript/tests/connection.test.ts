import { expect, test, vi } from "vitest";
import { CLOSE_CODES } from "../src/api/generated/close-codes";
import { createCore } from "../src/core";
import { makeCore, makeOpenCore, makeToken, position, problem, recalled } from "./support/core";
import { settle, VirtualPlatform } from "./support/virtual-platform";

const MINUTE = 60_000;

test("a socket is opened with a ticket, never with the token, and is open once the server has said HELLO", async () => {
  const { connection, platform, states } = makeCore();
  connection.start();
  await settle();
  const [request] = platform.requests;
  expect(request?.method).toBe("POST");
  expect(request?.url).toBe("https://api.example/api/v1/ws/tickets");
  expect(request?.headers.get("Authorization")).toBe(`Bearer ${makeToken(7)}`);
  expect(platform.socket.url).toBe("wss://api.example/api/v1/ws/messages?ticket=t1");
  platform.socket.open("p0", platform.time + 1500);
  expect(states.map(({ status }) => status)).toEqual(["connecting", "open"]);
  expect(connection.clockOffset.get()).toBe(1500);
});

test("what was read before a first socket is said to be old before any frame of that socket", async () => {
  const { platform, seen } = await makeOpenCore();
  platform.socket.give(recalled(1));
  expect(seen).toEqual(["fresh", recalled(1)]);
});

test("frames are passed on in order, without HELLO, POSITION, pong, and what is no frame", async () => {
  const { platform, seen } = await makeOpenCore();
  for (const given of ["pong", position("p1"), recalled(1), "not json", "{broken", "[1]", recalled(2)]) platform.socket.give(given);
  expect(seen).toEqual(["fresh", recalled(1), recalled(2)]);
});

test("a frame of a type that the client does not know is not passed on, but its position counts", async () => {
  const { connection, platform, seen } = await makeOpenCore();
  platform.socket.give({ type: "MESSAGE_FROM_LATER", pos: "p9", data: {} });
  platform.socket.give({ type: "toString", pos: "p10" });
  expect(seen).toEqual(["fresh"]);
  expect((connection as unknown as { position: { get(): string } }).position.get()).toBe("p10");
});

test.each(["HELLO", "POSITION", "frame"])("the next socket goes on from the position of the last %s", async (last) => {
  const { platform, seen } = await makeOpenCore();
  if (last === "POSITION") platform.socket.give(position("p1"));
  if (last === "frame") platform.socket.give(recalled(1, "p1"));
  platform.socket.fail(1006);
  await platform.pass(1_000);
  expect(platform.socket.query.get("since")).toBe(last === "HELLO" ? "p0" : "p1");
  const before = [...seen];
  platform.socket.open("p1");
  expect(seen).toEqual(before);
});

test("a RESYNC is said to make everything old before it is passed on", async () => {
  const { platform, seen } = await makeOpenCore();
  platform.socket.give({ type: "RESYNC", pos: "p5" });
  expect(seen).toEqual(["fresh", "fresh", { type: "RESYNC", pos: "p5" }]);
});

test("a listener that throws stops neither the other listeners nor the socket", async () => {
  const { connection, platform, seen } = makeCore();
  const thrown: unknown[] = [];
  const take = (error: unknown): void => void thrown.push(error);
  process.on("uncaughtException", take);
  connection.onFrame(() => {
    throw new Error("a listener's");
  });
  const after = vi.fn();
  connection.onFrame(after);
  connection.start();
  await settle();
  platform.socket.open();
  platform.socket.give(recalled(1));
  platform.socket.give(recalled(2));
  await settle();
  process.off("uncaughtException", take);
  expect(after).toHaveBeenCalledTimes(2);
  expect(seen).toHaveLength(3);
  expect(thrown).toHaveLength(2);
  expect(connection.state.get().status).toBe("open");
});

test("a listener that has ended is not called any more", async () => {
  const { connection, platform } = await makeOpenCore();
  const listener = vi.fn();
  connection.onFrame(listener)();
  platform.socket.give(recalled(1));
  expect(listener).not.toHaveBeenCalled();
});

test("a media address in a frame that is relative to the API comes in full", async () => {
  const { platform, seen } = await makeOpenCore();
  const data = { id: 1, content_type: "IMAGE", content: "/api/v1/media/objects/a.png?sign=1" };
  platform.socket.give({ type: "NEW_MESSAGE", pos: "p1", data });
  expect(seen[1]).toMatchObject({ data: { content: "https://api.example/api/v1/media/objects/a.png?sign=1" } });
});

test.each([
  [CLOSE_CODES.DISABLED, "disabled"],
  [CLOSE_CODES.REPLACED, "replaced"],
  [CLOSE_CODES.FLOODING, "flooding"],
  [4777, "refused"],
])("after the close code %i nothing is tried any more", async (code, reason) => {
  const { connection, platform } = await makeOpenCore();
  platform.socket.fail(code);
  await platform.pass(60 * MINUTE);
  platform.becomeVisible();
  await settle();
  expect(connection.state.get()).toMatchObject({ status: "stopped", reason, code });
  expect(platform.sockets).toHaveLength(1);
  expect(platform.timers).toBe(0);
});

test.each([CLOSE_CODES.RESTARTING, CLOSE_CODES.OVER_CAPACITY, CLOSE_CODES.SILENT, CLOSE_CODES.SLOW_READER, 4499, 1000, 1001, 1006])(
  "after the close code %i the client connects again",
  async (code) => {
    const { connection, platform } = await makeOpenCore();
    platform.socket.fail(code);
    expect(connection.state.get().status).toBe("waiting");
    await platform.pass(5_000);
    expect(platform.sockets).toHaveLength(2);
  },
);

test("after 4401 another token is asked for, and the client connects again at once", async () => {
  const getToken = vi.fn((reason: string) => makeToken(7, reason));
  const { platform } = await makeOpenCore(getToken);
  await platform.pass(MINUTE);
  platform.chance = 0.99;
  platform.socket.fail(CLOSE_CODES.TOKEN_EXPIRED);
  await platform.pass(0);
  expect(getToken.mock.calls).toEqual([["start"], ["expired"]]);
  expect(platform.requests.at(-1)?.headers.get("Authorization")).toBe(`Bearer ${makeToken(7, "expired")}`);
  expect(platform.sockets).toHaveLength(2);
});

test("a token that REST has replaced already is not asked for again after 4401", async () => {
  const getToken = vi.fn((reason: string) => makeToken(7, reason));
  const { platform, rest } = await makeOpenCore(getToken);
  const { answer } = platform;
  platform.answer = (request) =>
    request.headers.get("Authorization") === `Bearer ${makeToken(7, "start")}` ? problem(401, "TOKEN_EXPIRED") : answer(request);
  await rest.getUnreadCount();
  platform.socket.fail(CLOSE_CODES.TOKEN_EXPIRED);
  await platform.pass(1_000);
  expect(platform.sockets).toHaveLength(2);
  expect(getToken).toHaveBeenCalledTimes(2);
});

test("a server that closes every socket with 4401 at once is not stormed", async () => {
  const { platform } = await makeOpenCore();
  for (let minute = 0; minute < 600; minute++) {
    if (platform.socket.readyState === 0) platform.socket.open();
    platform.socket.fail(CLOSE_CODES.TOKEN_EXPIRED);
    await platform.pass(100);
  }
  expect(platform.sockets.length).toBeLessThan(10);
});

test("a token that is refused twice stops the client, with the error that the server gave", async () => {
  const getToken = vi.fn(() => makeToken(7));
  const { connection, platform } = makeCore(getToken);
  platform.answer = () => problem(401, "NOT_SIGNED_IN");
  connection.start();
  await platform.pass(MINUTE);
  expect(connection.state.get()).toMatchObject({
    status: "stopped",
    reason: "refused",
    error: { status: 401, code: "NOT_SIGNED_IN", requestId: "r-1" },
  });
  expect(getToken).toHaveBeenCalledTimes(2);
  expect(platform.sockets).toHaveLength(0);
});

test("a client without a token stops as signed out, and start asks again", async () => {
  let token: string | null = null;
  const { connection, platform, rest } = makeCore(() => token);
  connection.start();
  await settle();
  expect(connection.state.get()).toMatchObject({ status: "stopped", reason: "signed_out" });
  await expect(rest.getUnreadCount()).rejects.toMatchObject({ code: "SIGNED_OUT" });
  token = makeToken(7);
  connection.start();
  await settle();
  platform.socket.open();
  expect(connection.state.get().status).toBe("open");
});

test("a person who turns out to be signed out in a request has no socket any more either", async () => {
  let token: string | null = makeToken(7);
  const { connection, platform, rest } = await makeOpenCore(() => token);
  token = null;
  platform.answer = () => problem(401, "TOKEN_EXPIRED");
  await expect(rest.getUnreadCount()).rejects.toMatchObject({ code: "SIGNED_OUT" });
  expect(connection.state.get()).toMatchObject({ status: "stopped", reason: "signed_out" });
  expect(platform.socket.readyState).toBe(3);
});

test("a `getToken` that fails is asked again after a pause", async () => {
  const getToken = vi.fn().mockRejectedValueOnce(new Error("no network")).mockReturnValue(makeToken(7));
  const { connection, platform } = makeCore(getToken);
  connection.start();
  await settle();
  expect(connection.state.get()).toMatchObject({ status: "waiting", error: { code: "NO_TOKEN" } });
  await platform.pass(1_000);
  expect(platform.sockets).toHaveLength(1);
});

test("the server is asked at the pace it wants: a pause is never shorter than its Retry-After", async () => {
  const { connection, platform } = makeCore();
  platform.answer = () => problem(503, "BUS_AWAY", { "Retry-After": "7" });
  platform.chance = 0;
  connection.start();
  await settle();
  expect(connection.state.get()).toMatchObject({ status: "waiting", retryAt: platform.time + 7_000, error: { code: "BUS_AWAY" } });
});

test("pauses grow to half a minute, with full jitter", async () => {
  const { connection, platform } = makeCore();
  platform.answer = () => problem(503, "BUS_AWAY");
  platform.chance = 0.999_999;
  connection.start();
  const pauses: number[] = [];
  for (let attempt = 0; attempt < 8; attempt++) {
    await settle();
    const state = connection.state.get();
    if (state.status !== "waiting") throw new Error(`It is ${state.status}.`);
    pauses.push(Math.round((state.retryAt - platform.time) / 1000));
    await platform.pass(state.retryAt - platform.time);
  }
  expect(pauses).toEqual([1, 2, 4, 8, 16, 30, 30, 30]);
});

test("a socket that is cut again and again right after it opened is not stormed; one that lived long comes back within a second", async () => {
  const { connection, platform } = await makeOpenCore();
  platform.chance = 0.999_999;
  for (let attempt = 0; attempt < 5; attempt++) {
    platform.socket.fail(1006);
    await platform.pass(platform.nextTimer ?? 0);
    platform.socket.open();
  }
  platform.socket.fail(1006);
  expect(connection.state.get()).toMatchObject({ status: "waiting", attempt: 7 });
  expect(platform.nextTimer).toBeGreaterThan(29_999);
  await platform.pass(30_000);
  platform.socket.open();
  await platform.pass(10_000);
  platform.socket.fail(1006);
  await platform.pass(1_000);
  expect(platform.socket.readyState).toBe(0);
});

test("a client that waits connects at once when the page becomes visible", async () => {
  const { platform } = await makeOpenCore();
  platform.chance = 0.999;
  for (let attempt = 0; attempt < 5; attempt++) {
    platform.socket.fail(1006);
    await platform.pass(30_000);
  }
  const before = platform.sockets.length;
  platform.socket.fail(1006);
  platform.becomeVisible();
  await settle();
  expect(platform.sockets).toHaveLength(before + 1);
});

test("without a network the client says so, and connects at once when there is one", async () => {
  const { connection, platform, seen } = await makeOpenCore();
  platform.changeNetwork(false);
  expect(connection.state.get().status).toBe("offline");
  await platform.pass(10 * MINUTE);
  expect(connection.state.get().status).toBe("offline");
  platform.changeNetwork(true);
  await settle();
  platform.socket.open();
  expect(connection.state.get().status).toBe("open");
  expect(seen).toEqual(["fresh"]);
});

test("a platform that is wrong about the network does not keep the client from a server that is there", async () => {
  const { connection, platform } = makeCore();
  platform.online = false;
  connection.start();
  await settle();
  platform.socket.open();
  expect(connection.state.get().status).toBe("open");
  platform.socket.fail(1006);
  expect(connection.state.get().status).toBe("offline");
  await platform.pass(1_000);
  platform.socket.open();
  expect(connection.state.get().status).toBe("open");
});

test("a ping goes out every 25 seconds, and a socket that answers stays", async () => {
  const { connection, platform } = await makeOpenCore();
  await platform.pass(5 * MINUTE);
  expect(platform.socket.sent).toEqual(Array(12).fill("ping"));
  expect(connection.state.get().status).toBe("open");
});

test.each([0, 3_000, 5_500, 24_000, 26_000])("silence that begins after %i ms is noticed within two heartbeats", async (begin) => {
  const { connection, platform } = await makeOpenCore();
  await platform.pass(begin);
  platform.socket.isAlive = false;
  while (connection.state.get().status === "open") await platform.pass(100);
  expect(platform.time - 1_800_000_000_000 - begin).toBeLessThanOrEqual(50_000);
});

test("in a tab whose timers come a minute late, a socket that answers stays open, and a dead one is noticed", async () => {
  const { connection, platform } = await makeOpenCore();
  platform.lateness = 55_000;
  await platform.pass(20 * MINUTE);
  expect(connection.state.get().status).toBe("open");
  // The server takes a client for dead that is silent for 90 s.
  expect(platform.socket.sent.length).toBeGreaterThan((20 * 60) / 90);
  platform.socket.isAlive = false;
  await platform.pass(4 * MINUTE);
  expect(platform.sockets.length).toBeGreaterThan(1);
});

test("a device that slept asks before it takes the socket for dead, since answers may lie behind the timers", async () => {
  const { connection, platform } = await makeOpenCore();
  const { socket } = platform;
  socket.isAlive = false;
  await platform.pass(5_000);
  expect(socket.sent).toEqual(["ping"]);
  platform.time += 10 * MINUTE;
  await platform.pass(0);
  expect(socket.sent).toEqual(["ping", "ping"]);
  socket.give("pong");
  await platform.pass(10_000);
  expect(connection.state.get().status).toBe("open");
});

test("a page that becomes visible finds out within five seconds that its socket is dead", async () => {
  const { connection, platform } = await makeOpenCore();
  platform.socket.isAlive = false;
  platform.becomeVisible();
  await platform.pass(3_000);
  platform.becomeVisible();
  expect(platform.socket.sent).toEqual(["ping"]);
  await platform.pass(2_000);
  expect(connection.state.get().status).not.toBe("open");
});

test("a socket that is accepted and then says nothing is given up", async () => {
  const { connection, platform } = makeCore();
  connection.start();
  await settle();
  platform.socket.readyState = 1;
  platform.socket.onopen?.();
  await platform.pass(15_000);
  expect(connection.state.get()).toMatchObject({ status: "waiting", error: { code: "NO_ANSWER" } });
  expect(platform.sockets[0]?.readyState).toBe(3);
});

test("stop lets everything go, and a ticket or frame that comes after it changes nothing", async () => {
  const { connection, platform, seen } = await makeOpenCore();
  const { socket } = platform;
  connection.stop();
  socket.give(recalled(1));
  await platform.pass(60 * MINUTE);
  expect(seen).toEqual(["fresh"]);
  expect(connection.state.get()).toMatchObject({ status: "stopped", reason: "closed" });
  expect(platform.timers + platform.watchers).toBe(0);
  connection.start();
  connection.stop();
  await settle();
  expect(platform.sockets).toHaveLength(1);
});

test("a client that is stopped in the moment in which its ticket comes opens no socket", async () => {
  const { connection, platform } = makeCore();
  const answer = Response.json({ ticket: "t1" });
  answer.text = async () => {
    connection.stop();
    return '{"ticket": "t1"}';
  };
  platform.answer = () => answer;
  connection.start();
  await settle();
  expect(platform.sockets).toHaveLength(0);
});

test("start after stop goes on where the client was", async () => {
  const { connection, platform } = await makeOpenCore();
  platform.socket.give(position("p3"));
  connection.stop();
  connection.start();
  connection.start();
  await settle();
  expect(platform.sockets).toHaveLength(2);
  expect(platform.socket.query.get("since")).toBe("p3");
});

test("without a WebSocket, REST works, and start says what to pass", async () => {
  const platform = new VirtualPlatform();
  const options = { baseUrl: "https://api.example", getToken: () => makeToken(7), platform: { ...platform, WebSocket: undefined } };
  const { connection, rest } = createCore(options);
  platform.answer = () => Response.json({ total: 3 });
  expect(await rest.getUnreadCount()).toBe(3);
  expect(() => connection.start()).toThrow("pass one as `platform: { WebSocket }`");
});
