/** The law of the store, on a real server: whatever happened, at rest it is what a fetch gives. */
import fc from "fast-check";
import { afterEach, expect, test, vi } from "vitest";
import WebSocket from "ws";
import { createClient } from "../../src/index";
import type { ApiConversation, ApiMessage, CarillonClient, Message } from "../../src/types";
import { live } from "./live";
import type { LivePerson } from "./live-stack";

const RUNS = Number(process.env["CARILLON_FC_RUNS"] ?? 15);
const SEED = Number(process.env["CARILLON_FC_SEED"] ?? Date.now() % 1_000_000);
/** How many of the two others there are to write to me. */
const OTHERS = 2;

const ends: (() => void)[] = [];
afterEach(() => ends.splice(0).forEach((end) => end()));

interface Device {
  client: CarillonClient;
  cut(): void;
  /** Until it is put back, no socket can be opened. */
  setReachable(isReachable: boolean): void;
}

function makeDevice(person: LivePerson): Device {
  const sockets: WebSocket[] = [];
  let isReachable = true;
  class CuttableSocket extends WebSocket {
    constructor(url: string) {
      super(isReachable ? url : "ws://127.0.0.1:1/");
      sockets.push(this);
    }
  }
  const platform = { WebSocket: CuttableSocket as unknown as typeof globalThis.WebSocket, random: () => 0.05 };
  const client = createClient({ baseUrl: live.url, getToken: () => person.token, platform });
  ends.push(() => client.stop());
  client.start();
  return {
    client,
    cut: () => sockets.at(-1)?.terminate(),
    setReachable: (is) => {
      isReachable = is;
      if (is) client.connection.wake();
    },
  };
}

type Step =
  | { do: "theySend" | "iSend" | "iSendElsewhere" | "appSends"; with: number; text: string }
  | { do: "iRead" | "iReadElsewhere" | "theyRecall" | "iRecall" | "open" | "close" | "loadOlder"; with: number }
  | { do: "cut" | "away" | "back" | "forget" | "readAll" | "pause" };

const who = fc.nat({ max: OTHERS - 1 });
const text = fc.string({ minLength: 1, maxLength: 12, unit: "grapheme" });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constantFrom("theySend", "iSend", "iSendElsewhere", "appSends"), with: who, text }) as fc.Arbitrary<Step> },
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom("iRead", "iReadElsewhere", "theyRecall", "iRecall", "open", "close", "loadOlder"), with: who }) as fc.Arbitrary<Step> },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("cut", "away", "back", "readAll", "pause") }) as fc.Arbitrary<Step> },
  { weight: 1, arbitrary: fc.constant<Step>({ do: "forget" }) },
);

/** What frames cannot tell is left out: when something was read, and whether the other side has read what is mine. */
function compare(one: ApiMessage | Message, isMine: boolean) {
  const { id, sender_id, receiver_id, app_id, type, content_type, title, content, filename, action_url, action_text } = one;
  const { created_at_ms, client_ref, is_read } = one;
  const shown = { id, sender_id, receiver_id, app_id, type, content_type, title, content, filename, action_url, action_text };
  return { ...shown, created_at_ms, client_ref, ...(isMine ? {} : { is_read }) };
}

/** Lines of one millisecond have no order that a client could know. */
function inOrder(lines: readonly ApiConversation[]): ApiConversation[] {
  return [...lines].sort((one, other) => other.updated_at_ms - one.updated_at_ms || other.user_id - one.user_id);
}

async function expectLaw({ client }: Device, peers: number[]): Promise<void> {
  const { rest, store, me } = client;
  const fetched = await rest.listConversations({ limit: 200 });
  expect(inOrder(store.conversations.get().items)).toEqual(inOrder(fetched.items));
  expect(store.unreadCount.get()).toBe(await rest.getUnreadCount());
  for (const peer of peers) {
    const { items, hasOlder } = store.history(peer).get();
    const all = (await rest.getHistory(peer, { limit: 100 })).reverse();
    const wanted = hasOlder ? all.filter(({ id }) => id >= (items[0]?.id ?? 0)) : all;
    const isMine = (one: ApiMessage | Message): boolean => peer > 0 && one.sender_id === me.get();
    expect(items.map((one) => compare(one, isMine(one)))).toEqual(wanted.map((one) => compare(one, isMine(one))));
  }
}

async function play(steps: Step[]): Promise<void> {
  const me = await live.newPerson("我");
  const others = await Promise.all(Array.from({ length: OTHERS }, () => live.newPerson("他")));
  const elsewhere = createClient({ baseUrl: live.url, getToken: () => me.token, platform: { WebSocket: undefined as never } }).rest;
  const theirs = others.map((one) => createClient({ baseUrl: live.url, getToken: () => one.token }).rest);
  const device = makeDevice(me);
  const { store } = device.client;
  const closers = new Map<number, () => void>();
  const open = (peer: number): void => void (closers.has(peer) || closers.set(peer, store.open(peer)));
  const sent: { by: number; id: number; peer: number }[] = [];
  for (const peer of [...others.map(({ id }) => id), -live.app.id]) open(peer);
  const wait = async <T>(work: Promise<T>): Promise<T | null> => work.catch(() => null);

  for (const one of steps) {
    const other = "with" in one ? others[one.with] : undefined;
    const rest = "with" in one ? theirs[one.with] : undefined;
    const newest = other && [...store.history(other.id).get().items].reverse().find(({ id }) => id > 0);
    if (one.do === "theySend" && rest) {
      const message = await wait(rest.send({ receiver_id: me.id, content: one.text }));
      if (message) sent.push({ by: one.with, id: message.id, peer: me.id });
    } else if (one.do === "iSend" && other) {
      open(other.id);
      void wait(store.send(other.id, { content: one.text })).then((message) => message && sent.push({ by: -1, id: message.id, peer: other.id }));
    } else if (one.do === "iSendElsewhere" && other) await wait(elsewhere.send({ receiver_id: other.id, content: one.text }));
    else if (one.do === "appSends") await wait(live.do("send", { receiver_id: me.id, content: one.text }));
    else if (one.do === "iRead" && newest && other) store.markRead(other.id, newest.id);
    else if (one.do === "iReadElsewhere" && newest && other) await wait(elsewhere.markRead(other.id, newest.id));
    else if (one.do === "theyRecall" && rest && "with" in one) {
      const last = sent.filter(({ by }) => by === one.with).pop();
      if (last) await wait(rest.recall(last.id));
    } else if (one.do === "iRecall") {
      const last = sent.filter(({ by }) => by === -1).pop();
      if (last) void wait(store.recall(last.peer, last.id));
    } else if (one.do === "open" && other) open(other.id);
    else if (one.do === "close" && other) {
      closers.get(other.id)?.();
      closers.delete(other.id);
    } else if (one.do === "loadOlder" && other) void store.loadOlder(other.id);
    else if (one.do === "readAll") await wait(elsewhere.request("PUT", "/messages/read-all"));
    else if (one.do === "cut") device.cut();
    else if (one.do === "away") {
      device.setReachable(false);
      device.cut();
    } else if (one.do === "back") device.setReachable(true);
    else if (one.do === "forget") await live.do("expire_bus");
    else if (one.do === "pause") await store.settled();
  }

  device.setReachable(true);
  // Not those that are closed: to open one is to read it again, which would hide what frames have done to it.
  const peers = [...closers.keys()];
  // At rest: the socket is open, nothing is in flight, and what was sent has had the time to arrive.
  await vi.waitFor(
    async () => {
      expect(device.client.connection.state.get().status).toBe("open");
      await store.settled();
      await expectLaw(device, peers);
    },
    { timeout: 25_000, interval: 150 },
  );
  device.client.stop();
}

test("after any sequence of sends, reads, recalls, drops and reconnects the store is what a fetch gives", { timeout: 600_000 }, async () => {
  console.log(`seed ${SEED} (CARILLON_FC_SEED=${SEED} repeats it)`);
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 20 }), play), {
    numRuns: RUNS,
    seed: SEED,
    endOnFailure: true,
  });
});

test("a refresh shows that the other side has read what I sent, which no frame tells", async () => {
  const [mine, theirs] = [await live.newPerson(), await live.newPerson()];
  const { client } = makeDevice(mine);
  await vi.waitFor(() => expect(client.connection.state.get().status).toBe("open"));
  ends.push(client.store.open(theirs.id));
  const { id } = await client.store.send(theirs.id, { content: "你在吗?" });
  const other = makeDevice(theirs).client;
  await vi.waitFor(async () => expect(await other.rest.markRead(mine.id, id)).toBe(1));
  const isRead = (): boolean | undefined => client.store.history(theirs.id).get().items.find((one) => one.id === id)?.is_read;
  await client.store.settled();
  expect(isRead()).toBe(false);
  await vi.waitFor(async () => {
    await client.store.refresh(theirs.id);
    expect(isRead()).toBe(true);
  });
});
