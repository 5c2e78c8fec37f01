import { afterEach, expect, test, vi } from "vitest";
import WebSocket from "ws";
import { CarillonError } from "../../src/api/errors";
import { createCore } from "../../src/core";
import type { ClientOptions, Frame } from "../../src/types";
import { live } from "./live";

const PATIENCE = { timeout: 30_000, interval: 20 };
const ends: (() => void)[] = [];
afterEach(() => ends.splice(0).forEach((end) => end()));

/** A connection to the live stack whose sockets a test can cut, and what it has seen. */
function connect(getToken: ClientOptions["getToken"]) {
  const sockets: WebSocket[] = [];
  class CuttableSocket extends WebSocket {
    constructor(url: string) {
      super(url);
      sockets.push(this);
    }
  }
  // Short pauses, since each test waits for them.
  const platform = { WebSocket: CuttableSocket, random: () => 0.1 };
  const { connection, rest } = createCore({ baseUrl: live.url, getToken, platform });
  const seen: (Frame | "fresh")[] = [];
  connection.onFresh(() => seen.push("fresh"));
  connection.onFrame((frame) => seen.push(frame));
  ends.push(() => connection.stop());
  connection.start();
  return {
    connection,
    rest,
    seen,
    ids: () => seen.flatMap((one) => (one !== "fresh" && one.type === "NEW_MESSAGE" ? [one.data.id] : [])),
    cut: () => sockets.at(-1)?.terminate(),
    waitUntilOpen: () => vi.waitFor(() => expect(connection.state.get().status).toBe("open"), PATIENCE),
  };
}

async function makePair() {
  const [writer, reader] = [await live.newPerson(), await live.newPerson()];
  const { rest } = createCore({ baseUrl: live.url, getToken: () => writer.token });
  const write = async (content: string): Promise<number> => {
    // A restart on a busy machine takes longer than a send is tried: with its key it is sent once all the same.
    const message = { receiver_id: reader.id, content, idempotency_key: crypto.randomUUID() };
    for (;;) {
      try {
        return (await rest.send(message)).id;
      } catch (error) {
        if (!(error instanceof CarillonError) || !error.isTemporary) throw error;
      }
    }
  };
  return { reader, write };
}

test("a token that expires while the socket is open is replaced once, and nothing is missing and nothing comes twice", async () => {
  const { reader, write } = await makePair();
  const lifetimes = [3, 3600];
  const reasons: string[] = [];
  const { ids, waitUntilOpen } = connect((reason) => {
    reasons.push(reason);
    return live.do<string>("token", { id: reader.id, expires_in: lifetimes.shift() ?? 3600 });
  });
  await waitUntilOpen();
  const sent: number[] = [];
  while (reasons.length < 2) sent.push(await write("a"));
  for (let count = 0; count < 10; count++) sent.push(await write("b"));
  await vi.waitFor(() => expect(ids()).toEqual(sent), PATIENCE);
  expect(reasons).toEqual(["start", "expired"]);
});

test("a token that the server does not take is an error with a code and a request id, and stops the client", async () => {
  const { reader } = await makePair();
  const getToken = vi.fn(() => `${reader.token.slice(0, -4)}AAAA`);
  const { connection } = connect(getToken);
  await vi.waitFor(() => expect(connection.state.get().status).toBe("stopped"), PATIENCE);
  expect(connection.state.get()).toMatchObject({ reason: "refused", error: { status: 401, code: "NOT_SIGNED_IN" } });
  expect(connection.state.get()).toMatchObject({ error: { requestId: expect.stringMatching(/./) } });
  expect(getToken).toHaveBeenCalledTimes(2);
});

// Two starts of the server are most of it: they take long on a busy machine.
test("while the server is killed twice and the network drops the socket again and again, nothing is missing and nothing comes twice", { timeout: 180_000 }, async () => {
  const { reader, write } = await makePair();
  const { ids, cut, waitUntilOpen, seen } = connect(() => reader.token);
  await waitUntilOpen();
  const sent: number[] = [];
  for (let round = 0; round < 12; round++) {
    const killed = round % 6 === 3 ? live.do("kill_gateway") : null;
    for (let count = 0; count < 5; count++) sent.push(await write(`${round}.${count}`));
    await killed;
    cut();
    sent.push(await write(`${round}, right after the cut`));
  }
  await vi.waitFor(() => expect(ids()).toEqual(sent), PATIENCE);
  expect(seen.filter((one) => one === "fresh")).toHaveLength(1);
});

test("a server that restarts in good order is come back to, without a gap", async () => {
  const { reader, write } = await makePair();
  const { connection, ids, waitUntilOpen } = connect(() => reader.token);
  await waitUntilOpen();
  const first = await write("before");
  await live.do("restart_gateway");
  const second = await write("after");
  await vi.waitFor(() => expect(ids()).toEqual([first, second]), PATIENCE);
  await waitUntilOpen();
  expect(connection.state.get()).toEqual({ status: "open" });
});

test("when the server cannot replay what was missed, everything is said to be old, and frames go on after it", async () => {
  const { reader, write } = await makePair();
  const { seen, ids, cut, waitUntilOpen } = connect(() => reader.token);
  await waitUntilOpen();
  await live.do("expire_bus");
  cut();
  await vi.waitFor(() => expect(seen.slice(0, 3)).toMatchObject(["fresh", "fresh", { type: "RESYNC" }]), PATIENCE);
  const id = await write("after");
  await vi.waitFor(() => expect(ids()).toEqual([id]), PATIENCE);
});

test("a person who is disabled is not connected any more, and can start again once they are enabled", async () => {
  const { reader } = await makePair();
  const { connection, waitUntilOpen } = connect(() => reader.token);
  await waitUntilOpen();
  await live.do("disable", { id: reader.id });
  await vi.waitFor(() => expect(connection.state.get().status).toBe("stopped"), PATIENCE);
  expect(connection.state.get()).toMatchObject({ reason: "disabled", code: 4500 });
  connection.start();
  await vi.waitFor(() => expect(connection.state.get().status).toBe("stopped"), PATIENCE);
  expect(connection.state.get()).toMatchObject({ reason: "refused", error: { status: 401 } });
  await live.do("enable", { id: reader.id });
  connection.start();
  await waitUntilOpen();
});
