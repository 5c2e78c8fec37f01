import { BroadcastChannel as NodeChannel } from "node:worker_threads";
import { expect, test, vi } from "vitest";
import { CarillonError } from "../src/api/errors";
import type { ConnectionState } from "../src/types";
import { World } from "./support/tab-world";

/** A browser with so many tabs that know each other; the first one leads. */
async function openTabs(count: number): Promise<World> {
  const world = new World();
  for (let number = 0; number < count; number++) world.join();
  await world.settle();
  return world;
}

test("of eleven tabs one has a socket, and each is told a frame once", async () => {
  const world = await openTabs(11);
  world.publish();
  await world.settle();
  expect(world.openSockets).toHaveLength(1);
  for (const tab of world.tabs) expect(tab.seen).toEqual(["fresh", 1]);
  expect(world.tabs.map(({ status }) => status)).toEqual(Array(11).fill("open"));
  expect(world.tabs.map(({ connection }) => connection.clockOffset.get())).toEqual(Array(11).fill(5));
});

test.each(["closed", "crashed"])("when the leader is %s, the next tab goes on: nothing is missed, nothing comes twice, nothing is read anew", async (how) => {
  const world = await openTabs(4);
  const [leader] = world.leaders;
  world.publish();
  if (how === "closed") leader?.connection.stop();
  else leader?.crash();
  world.publish();
  await world.settle();
  world.publish();
  await world.settle();
  const others = world.tabs.filter((tab) => tab !== leader);
  for (const tab of others) expect(tab.seen).toEqual(["fresh", 1, 2, 3]);
  expect(world.openSockets).toHaveLength(1);
});

test("a handover after hours without a frame still replays, since the other tabs know the leader's last position", async () => {
  const world = await openTabs(2);
  world.publish();
  world.leaders[0]?.sockets[0]?.tellPosition();
  await world.settle();
  world.forgotten = 1;
  world.tabs[0]?.crash();
  world.publish();
  await world.settle();
  expect(world.tabs[1]?.seen).toEqual(["fresh", 1, 2]);
});

test("what the server cannot replay at a handover is said to be old in every tab", async () => {
  const world = await openTabs(3);
  world.tabs[0]?.crash();
  world.publish();
  world.forgotten = 1;
  await world.settle();
  for (const tab of world.tabs.slice(1)) expect(tab.seen).toEqual(["fresh", "fresh", "resync"]);
});

test("a tab that comes later reads everything once, and is then told what the others are told", async () => {
  const world = await openTabs(2);
  world.publish();
  await world.settle();
  const late = world.join();
  await world.settle();
  world.publish();
  await world.settle();
  expect(late.seen).toEqual(["fresh", 2]);
  expect(late.connection.clockOffset.get()).toBe(5);
});

test("a tab that stops and starts reads everything anew only if something happened meanwhile", async () => {
  const world = await openTabs(3);
  const [, second, third] = world.tabs;
  second?.connection.stop();
  third?.connection.stop();
  await world.settle();
  second?.connection.start();
  await world.settle();
  world.publish();
  await world.settle();
  third?.connection.start();
  await world.settle();
  expect(second?.seen).toEqual(["fresh", 1]);
  expect(third?.seen).toEqual(["fresh", "fresh"]);
});

test("two persons in one browser have a socket each, and no tab is told what is another's", async () => {
  const world = await openTabs(2);
  const other = world.join(8);
  await world.settle();
  expect(world.openSockets).toHaveLength(2);
  other.sockets[0]?.tell(99, "s1");
  await world.settle();
  expect(other.seen).toEqual(["fresh", 99]);
  for (const tab of world.tabs.slice(0, 2)) expect(tab.seen).toEqual(["fresh"]);
});

test("every tab shows the leader's state, with its error, and is told of it only when it changes", async () => {
  const world = await openTabs(2);
  const [leader, follower] = world.tabs;
  const listener = vi.fn();
  follower?.connection.state.subscribe(listener);
  const error = new CarillonError("Too many.", { status: 429, code: "RATE_LIMITED", requestId: "r-1", retryAfter: 7_000 });
  leader?.sockets[0]?.state.set({ status: "waiting", attempt: 2, retryAt: 5, error });
  await world.settle();
  follower?.becomeVisible();
  await world.settle();
  expect(listener).toHaveBeenCalledTimes(1);
  const state = follower?.connection.state.get();
  expect(state).toMatchObject({ status: "waiting", attempt: 2, retryAt: 5, error: { status: 429, code: "RATE_LIMITED", requestId: "r-1" } });
  expect(state?.status === "waiting" && state.error).toBeInstanceOf(CarillonError);
});

test("when the server stops the leader for good, all tabs stop, and none of them tries again", async () => {
  const world = await openTabs(3);
  const stopped: ConnectionState = { status: "stopped", reason: "disabled", code: 4500, error: null };
  world.leaders[0]?.sockets[0]?.end(stopped);
  await world.pass(600_000);
  for (const tab of world.tabs) expect(tab.connection.state.get()).toEqual(stopped);
  expect(world.tabs.map(({ sockets }) => sockets.length)).toEqual([1, 0, 0]);
  expect(world.tabs.flatMap(({ timers }) => timers)).toEqual([]);
});

test.each([0, 1])("a person who signs out in tab %i is signed out in all, and stop in one tab is for that tab only", async (number) => {
  const world = await openTabs(3);
  world.tabs[2]?.connection.stop();
  await world.settle();
  expect(world.tabs.map(({ status }) => status)).toEqual(["open", "open", "stopped"]);
  world.tabs[number]?.connection.stop("signed_out");
  await world.settle();
  for (const tab of world.tabs.slice(0, 2)) {
    expect(tab.connection.state.get()).toEqual({ status: "stopped", reason: "signed_out", code: null, error: null });
  }
  expect(world.openSockets).toHaveLength(0);
  world.tabs[1]?.connection.start();
  await world.settle();
  expect(world.tabs[1]?.status).toBe("open");
});

test("a tab that becomes visible makes the leader try at once", async () => {
  const world = await openTabs(2);
  world.tabs[1]?.becomeVisible();
  await world.settle();
  expect(world.tabs[0]?.sockets[0]?.wakes).toBe(1);
});

test("a leader that is frozen loses its lead within six seconds of a tab becoming visible, and is told nothing twice when it is back", async () => {
  const world = await openTabs(3);
  const [first, second] = world.tabs;
  world.publish();
  await world.settle();
  if (first) first.isFrozen = true;
  await world.pass(60_000);
  second?.becomeVisible();
  await world.pass(6_000);
  world.publish();
  await world.settle();
  expect(world.leaders).toHaveLength(2);
  expect(second?.seen).toEqual(["fresh", 1, 2]);
  if (first) first.isFrozen = false;
  await world.settle();
  expect(first?.seen).toEqual(["fresh", 1, 2]);
  expect(world.leaders).toHaveLength(1);
  expect(world.openSockets).toHaveLength(1);
});

test("a leader that answers keeps its lead, however long nothing happens", async () => {
  const world = await openTabs(3);
  const [leader] = world.leaders;
  await world.pass(3_600_000);
  expect(world.leaders).toEqual([leader]);
  expect(world.tabs.map(({ sockets }) => sockets.length)).toEqual([1, 0, 0]);
});

test("ten tabs that follow ask their leader about once in half a minute, all together", async () => {
  const world = await openTabs(11);
  await world.pass(60_000);
  let asked = 0;
  for (const channel of world.channels) {
    const { onmessage } = channel;
    if (channel.tab !== world.tabs[0]) continue;
    channel.onmessage = (event) => {
      asked += 1;
      onmessage?.(event);
    };
  }
  await world.pass(300_000);
  expect(asked).toBeGreaterThan(5);
  expect(asked).toBeLessThan(25);
});

test("a page that is put away lets another tab lead, and reads everything anew when it is back and has missed something", async () => {
  const world = await openTabs(2);
  const [first, second] = world.tabs;
  await first?.putAway();
  await world.settle();
  world.publish();
  await world.settle();
  expect(second?.seen).toEqual(["fresh", 1]);
  first?.bringBack();
  await world.settle();
  world.publish();
  await world.settle();
  expect(first?.seen).toEqual(["fresh", "fresh", 2]);
  expect(world.openSockets).toHaveLength(1);
});

test("a tab whose getToken fails for now asks again, and joins the others then", async () => {
  const world = await openTabs(1);
  const tab = world.join(0);
  tab.person = null;
  tab.connection.stop();
  tab.failure = new CarillonError("no network", { code: "NO_TOKEN" });
  tab.connection.start();
  await world.settle();
  expect(tab.connection.state.get()).toMatchObject({ status: "waiting", attempt: 2, error: { code: "NO_TOKEN" } });
  tab.person = 7;
  await world.pass(1_000);
  expect(tab.status).toBe("open");
  expect(tab.sockets).toHaveLength(0);
});

test("a tab without a person stops, and says why", async () => {
  const world = new World();
  const tab = world.join();
  tab.person = null;
  tab.failure = new CarillonError("signed out", { code: "SIGNED_OUT" });
  tab.connection.stop();
  tab.connection.start();
  await world.settle();
  expect(tab.connection.state.get()).toMatchObject({ status: "stopped", reason: "signed_out" });
  tab.failure = new CarillonError("The token is no JWT.", { code: "NOT_CONFIGURED" });
  tab.connection.start();
  await world.settle();
  expect(tab.connection.state.get()).toMatchObject({ status: "stopped", reason: "refused", error: { code: "NOT_CONFIGURED" } });
});

test("where the browser forbids locks, each tab has a socket of its own", async () => {
  const world = new World();
  world.locks.isForbidden = true;
  world.join();
  world.join();
  await world.settle();
  world.publish();
  await world.settle();
  for (const tab of world.tabs) expect(tab.seen).toEqual(["fresh", 1]);
  expect(world.openSockets).toHaveLength(2);
});

test("with the channels of Node's own threads, three tabs share a socket and hand it over", async () => {
  const world = new World({ keepsOrder: true, mayRepeat: false, BroadcastChannel: NodeChannel as unknown as typeof BroadcastChannel });
  for (let number = 0; number < 3; number++) world.join();
  const [first, ...others] = world.tabs;
  const expectAll = (seen: string): Promise<void> =>
    vi.waitFor(async () => {
      await world.settle();
      expect(others.map((tab) => `${tab.status} ${tab.seen.join(" ")}`)).toEqual(Array(2).fill(seen));
      expect(world.openSockets).toHaveLength(1);
    });
  await expectAll("open fresh");
  world.publish();
  await expectAll("open fresh 1");
  first?.connection.stop();
  world.publish();
  await expectAll("open fresh 1 2");
  for (const tab of others) tab.connection.stop();
});
