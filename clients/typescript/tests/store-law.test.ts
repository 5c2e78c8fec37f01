/**
 * The law of the store, against a server in memory: after any sequence of sends, reads, recalls, drops, reconnects, lost
 * answers and reorderings the store equals a fresh fetch. `CARILLON_FC_SEED` repeats a run.
 */
import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { createStore } from "../src/store";
import type { Message, Store } from "../src/types";
import { ME, ModelNetwork } from "./support/model-server";
import { settle, VirtualPlatform } from "./support/virtual-platform";

// Few messages make many pages.
vi.mock("../src/store/sizes", () => ({ PAGE: 3, LARGEST_HISTORY_PAGE: 4, LARGEST_LIST_PAGE: 4, MOST_PAGES: 3, KEPT: 1, REMEMBERED: 50 }));

const PAGE = 3;
const PEERS = [2, 3, 4, 5, -9, ME];
const RUNS = Number(process.env["CARILLON_FC_RUNS"] ?? 500);
const SEED = Number(process.env["CARILLON_FC_SEED"] ?? Date.now() % 2 ** 31);

const peer = fc.constantFrom(...PEERS);
const pick = fc.nat(7);
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant("hear" as const), peer, gap: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("send" as const), peer, gap: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("sendElsewhere" as const), peer, gap: fc.nat(2) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("persist" as const), pick: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("readElsewhere" as const), peer, pick }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("readAllElsewhere" as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("recallElsewhere" as const), pick }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("change" as const), pick, content: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("read" as const), peer, pick }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("recall" as const), peer, pick }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("open" as const), peer }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("close" as const), pick }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("older" as const), peer }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("more" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("retry" as const), peer }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("frame" as const), outbox: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("take" as const), pick }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("answer" as const), pick }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("lose" as const), pick }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("drop" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("resume" as const), resync: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("wait" as const), gap: fc.nat(1_500) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

class Run {
  readonly platform = new VirtualPlatform();
  readonly network = new ModelNetwork();
  readonly server = this.network.server;
  readonly held: { peer: number; close: () => void }[] = [];
  readonly store: Store = createStore(
    { ...this.network, platform: this.platform, me: { get: () => ME, load: async () => ME } },
  );

  async do(step: Step): Promise<void> {
    this.server.now = this.platform.time;
    this.#act(step);
    await settle(1);
  }

  #act(step: Step): void {
    const { network, server, store } = this;
    switch (step.do) {
      case "hear":
        server.accept({ peer: step.peer, isMine: step.peer === ME });
        return void (this.platform.time += step.gap);
      case "send":
        store.send(step.peer, { content: "mine" }).catch(() => {});
        return void (this.platform.time += step.gap);
      case "sendElsewhere":
        if (step.peer > 0) server.accept({ peer: step.peer, isMine: true, clientRef: "elsewhere" + this.platform.time });
        return void (this.platform.time += step.gap);
      case "persist":
        return server.persist(step.pick);
      case "readElsewhere":
        return void server.read(step.peer, this.#pickId(step.peer, step.pick));
      case "readAllElsewhere":
        return server.readAll();
      case "recallElsewhere": {
        const all = [...server.kept.keys(), ...server.accepted.map(({ id }) => id)];
        const id = all[all.length - 1 - (step.pick % Math.max(1, all.length))];
        return void (id !== undefined && server.recall(id));
      }
      case "change": {
        const ids = [...server.kept.values()].map(({ message }) => message).concat(server.accepted).filter(({ app_id }) => app_id !== null).map(({ id }) => id);
        const id = ids[ids.length - 1 - (step.pick % Math.max(1, ids.length))];
        return void (id !== undefined && server.change(id, step.content));
      }
      case "read": {
        const { items } = store.history(step.peer).get();
        const seen = items.filter(({ id }) => id > 0);
        const one = seen[seen.length - 1 - (step.pick % Math.max(1, seen.length))];
        return void (one && store.markRead(step.peer, one.id));
      }
      case "recall": {
        const mine = store.history(step.peer).get().items.filter((one) => one.is_mine && one.id > 0);
        const one = mine[step.pick % Math.max(1, mine.length)];
        return void (one && store.recall(step.peer, one.id).catch(() => {}));
      }
      case "open":
        return void this.held.push({ peer: step.peer, close: store.open(step.peer) });
      case "close":
        return this.held.splice(step.pick % Math.max(1, this.held.length), 1)[0]?.close();
      case "older":
        return void store.loadOlder(step.peer).catch(() => {});
      case "more":
        return void store.loadMoreConversations().catch(() => {});
      case "retry": {
        const failed = store.history(step.peer).get().items.find(({ delivery }) => delivery === "failed");
        return void (failed?.client_ref && store.retry(failed.client_ref).catch(() => {}));
      }
      case "frame":
        return void network.pass(step.outbox);
      case "take":
        return network.take(step.pick);
      case "answer":
        return network.answer(step.pick);
      case "lose":
        return network.lose(step.pick);
      case "drop":
        return network.drop();
      case "resume":
        return network.resume(step.resync);
      case "wait":
        return void (this.#waiting = this.platform.pass(step.gap));
    }
  }

  #waiting: Promise<void> = Promise.resolve();

  #pickId(peer: number, pick: number): number {
    const ids = server_ids(this.server.getHistory(peer, 100));
    return ids[pick % Math.max(1, ids.length)] ?? 0;
  }

  /** Everything comes that is on its way, and the network is whole. */
  async heal(): Promise<void> {
    await this.#waiting;
    this.network.resume(false);
    let isSettled = false;
    void this.store.settled().then(() => (isSettled = true));
    for (let turn = 0; turn < 400; turn++) {
      while (this.server.accepted.length > 0) this.server.persist(0);
      while (this.network.pass(true));
      while (this.network.pending.length > 0) {
        this.network.answer(0);
        await settle(1);
      }
      const isQuiet = this.network.pending.length + this.server.newFrames.length + this.server.outbox.length === 0;
      if (isSettled && isQuiet && this.platform.timers === 0) return;
      await this.platform.pass(500);
    }
    throw new Error("It does not come to rest.");
  }

  check(): void {
    const { server, store } = this;
    const list = store.conversations.get();
    const fresh = server.listConversations(Math.max(list.items.length, PAGE), null);
    expect(list).toMatchObject({ items: fresh.items, hasMore: fresh.cursor !== null, isLoading: false });
    expect(store.unreadCount.get()).toBe(server.countUnread());
    for (const one of new Set(this.held.map((held) => held.peer))) {
      const { items, hasOlder, isLoading } = store.history(one).get();
      const sent = items.filter(({ delivery }) => delivery !== "failed");
      const all = server.getHistory(one, 1_000).reverse();
      // What the server has is not shown as failed beside it.
      const failed = items.filter(({ delivery }) => delivery === "failed").map(({ client_ref }) => client_ref);
      expect(all.filter(({ client_ref }) => client_ref !== null && failed.includes(client_ref))).toEqual([]);
      const shown = all.slice(all.length - sent.length);
      expect(sent.map(compared)).toEqual(shown.map((each) => ({ ...compared({ ...each, is_mine: each.sender_id === ME }), delivery: "sent" })));
      expect(isLoading).toBe(false);
      // A full page may have been the last one; nothing older is ever hidden.
      if (all.length > sent.length) expect(hasOlder).toBe(true);
    }
  }
}

function server_ids(found: { id: number }[]): number[] {
  return found.map(({ id }) => id);
}

/** What the law is about: the other side's reading, and when something was read, are known by a fetch only. */
function compared(one: Partial<Message>) {
  const { id, content, client_ref, sender_id, receiver_id, created_at_ms, is_mine, delivery, version, state, state_text } = one;
  return { id, content, version, state, state_text, client_ref, sender_id, receiver_id, created_at_ms, delivery, is_read: is_mine ? null : one.is_read };
}

test("at rest the store equals a fresh fetch, whatever happened before", async () => {
  console.log(`CARILLON_FC_SEED=${SEED}`);
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60, size: "max" }), async (steps) => {
      const run = new Run();
      run.network.open();
      for (const each of steps) await run.do(each);
      await run.heal();
      run.check();
    }),
    { seed: SEED, numRuns: RUNS },
  );
}, 300_000);
