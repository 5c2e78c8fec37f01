/** What a test may do to the fake server, and the client on it. That it answers as the server does is in `conformance/`. */
import { afterEach, expect, test, vi } from "vitest";
import { createClient } from "../src";
import { createFakeServer } from "../src/testing";
import type { CarillonClient, ConnectionState } from "../src/types";

const OA = { id: 7, app_id: "oa", name: "OA", callback_url: "https://oa.example.com/callback" };
const [ANN, BOB] = [1, 2];
const clients: CarillonClient[] = [];
afterEach(() => clients.splice(0).forEach((client) => client.stop()));

function makeServer() {
  return createFakeServer({ people: [{ id: ANN, name: "Ann" }, { id: BOB, name: "Bob" }], apps: [OA] });
}

/** A client that is connected. Its pauses are none. */
async function connect(server: ReturnType<typeof makeServer>, person: number) {
  const { platform, ...options } = server.optionsFor(person);
  const client = createClient({ ...options, platform: { ...platform, random: () => 0 } });
  clients.push(client);
  const states: ConnectionState["status"][] = [];
  client.connection.state.subscribe(() => states.push(client.connection.state.get().status));
  client.start();
  await waitUntilOpen(client);
  return { client, states, contents: (peer: number) => client.store.history(peer).get().items.map(({ content }) => content) };
}

async function waitUntilOpen({ connection }: CarillonClient): Promise<void> {
  await vi.waitFor(() => expect(connection.state.get().status).toBe("open"), 10_000);
}

test("two clients write to each other, and each store has what was written", async () => {
  const server = makeServer();
  const [ann, bob] = [await connect(server, ANN), await connect(server, BOB)];
  ann.client.store.open(BOB);
  bob.client.store.open(ANN);
  await ann.client.store.send(BOB, { content: "a" });
  await bob.client.store.send(ANN, { content: "b" });
  await vi.waitFor(() => expect([ann.contents(BOB), bob.contents(ANN)]).toEqual([["a", "b"], ["a", "b"]]));
  await vi.waitFor(() => expect(bob.client.store.unreadCount.get()).toBe(1));
});

test("what is opened when the client is connected already is loaded, and its conversation is in the list", async () => {
  const server = makeServer();
  const { client, contents } = await connect(server, ANN);
  await client.rest.send({ receiver_id: BOB, content: "before" });
  client.store.open(BOB);
  await vi.waitFor(() => expect(contents(BOB)).toEqual(["before"]));
  await client.store.settled();
  expect(client.store.conversations.get().items.map(({ user_id }) => user_id)).toEqual([BOB]);
});

test("what an app sends is there, and its button's ticket says to the app who came", async () => {
  const server = makeServer();
  const { client } = await connect(server, ANN);
  const { id } = server.notify("oa", ANN, { title: "Leave", content: "Approve?", target_url: "https://oa.example.com/leave/5" });
  await vi.waitFor(() => expect(client.store.unreadCount.get()).toBe(1));
  const url = new URL(await client.rest.getCallbackUrl(id));
  expect(url.searchParams.get("next")).toBe("https://oa.example.com/leave/5");
  expect(server.verifyTicket("oa", url.searchParams.get("ticket") ?? "")).toEqual({ user_id: ANN, app_user_id: "user1", name: "Ann" });
});

test("a broadcast reaches everybody", async () => {
  const server = makeServer();
  const both = [await connect(server, ANN), await connect(server, BOB)];
  server.broadcast("oa", { title: "News", content: "Hello" });
  await vi.waitFor(() => expect(both.map(({ client }) => client.store.unreadCount.get())).toEqual([1, 1]));
});

test("a send of an app that the server would refuse throws why", () => {
  const server = makeServer();
  expect(() => server.notify("oa", 99, { title: "t", content: "c" })).toThrow("There is no such receiver.");
  expect(() => server.notify("oa", ANN, { title: "", content: "c" })).toThrow("at least 1 character");
  expect(() => server.notify("none", ANN, { title: "t", content: "c" })).toThrow("There is no such app.");
});

test("failNext refuses the next request with a status, and those after it are answered", async () => {
  const server = makeServer();
  const { client } = await connect(server, ANN);
  server.failNext(404, { path: "/users/search" });
  expect(await client.rest.getUnreadCount()).toBe(0);
  await expect(client.rest.searchPeople("B")).rejects.toMatchObject({ status: 404, code: "NOT_FOUND" });
  expect((await client.rest.searchPeople("B")).map(({ name }) => name)).toEqual(["Bob"]);
});

test("a request that fails once for now is repeated by the client, and a send is sent once", async () => {
  const server = makeServer();
  const { client, contents } = await connect(server, ANN);
  server.failNext(503, { path: "/messages/", retryAfter: 0 });
  client.store.open(BOB);
  await client.store.send(BOB, { content: "a" });
  await vi.waitFor(() => expect(contents(BOB)).toEqual(["a"]));
});

test("a request that gets no answer at all is NO_ANSWER", async () => {
  const server = makeServer();
  const { client } = await connect(server, ANN);
  server.failNext(0, { times: 3 });
  await expect(client.rest.getUnreadCount()).rejects.toMatchObject({ status: 0, code: "NO_ANSWER" });
});

test.each(["drop", "restart"] as const)("after %s the client comes back by itself, and nothing is missing", async (what) => {
  const server = makeServer();
  const { client, states, contents } = await connect(server, ANN);
  client.store.open(-OA.id);
  server[what]();
  server.notify("oa", ANN, { title: "t", content: "while it was away" });
  await vi.waitFor(() => expect(states).toContain("waiting"));
  await waitUntilOpen(client);
  await vi.waitFor(() => expect(contents(-OA.id)).toEqual(["while it was away"]));
});

test("expireTokens has the client ask for a token, and go on", async () => {
  const server = makeServer();
  const reasons: string[] = [];
  const options = server.optionsFor(ANN);
  const client = createClient({
    ...options,
    getToken: (reason) => {
      reasons.push(reason);
      return server.token(ANN);
    },
  });
  clients.push(client);
  client.start();
  await waitUntilOpen(client);
  server.expireTokens();
  await vi.waitFor(() => expect(reasons).toEqual(["start", "expired"]));
  await waitUntilOpen(client);
});

test("disable signs a person out for good, and enable lets them in again", async () => {
  const server = makeServer();
  const { client } = await connect(server, ANN);
  server.disable(ANN);
  await vi.waitFor(() => expect(client.connection.state.get()).toMatchObject({ status: "stopped", reason: "disabled" }));
  server.enable(ANN);
  client.start();
  await waitUntilOpen(client);
});

test("while the server is not reachable nothing is answered, and then the client comes back", async () => {
  const server = makeServer();
  const { client, states } = await connect(server, ANN);
  server.isReachable = false;
  server.drop();
  await vi.waitFor(() => expect(states.filter((one) => one === "waiting").length).toBeGreaterThan(1));
  server.isReachable = true;
  await waitUntilOpen(client);
});

test("forgetPast has the client read again what it shows", async () => {
  const server = makeServer();
  const { client } = await connect(server, ANN);
  client.store.open(BOB);
  await client.store.settled();
  const before = server.requests.length;
  server.forgetPast();
  await vi.waitFor(() => expect(server.requests.slice(before).map(({ path }) => path)).toContain("/api/v1/messages/conversations?limit=50"));
});

test("a message for later is delivered when the server's clock, which the test turns, says so", async () => {
  let now = Date.UTC(2030, 0, 1);
  const server = createFakeServer({ people: [{ id: ANN, name: "Ann" }], now: () => now });
  const { rest } = createClient(server.optionsFor(ANN));
  await rest.send({ receiver_id: ANN, content: "later", send_at: "2030-01-01T01:00:00Z" });
  expect(await rest.getHistory(ANN)).toEqual([]);
  now += 3_599_999;
  expect(await rest.getHistory(ANN)).toEqual([]);
  now += 1;
  expect((await rest.getHistory(ANN)).map(({ content }) => content)).toEqual(["later"]);
});

test("a file is uploaded and sent through the client", async () => {
  const server = makeServer();
  const { rest } = createClient(server.optionsFor(ANN));
  const { key, content_type } = await rest.upload(new File(["hello"], "a.txt", { type: "text/plain" }));
  const { content, filename } = await rest.send({ receiver_id: BOB, content: key, content_type });
  expect(filename).toBe("a.txt");
  expect(await (await server.fetch(content)).text()).toBe("hello");
});

test("an app of its own names knows the people that it names, and no others", async () => {
  const server = createFakeServer({ people: [{ id: ANN, name: "Ann" }, { id: BOB, name: "Bob" }], apps: [{ ...OA, accounts: { "ann@oa": ANN } }] });
  const [ann, bob] = [createClient(server.optionsFor(ANN)), createClient(server.optionsFor(BOB))];
  expect((await ann.rest.listLaunchpadApps()).map(({ mapped_key }) => mapped_key)).toEqual(["ann@oa"]);
  expect(await bob.rest.listLaunchpadApps()).toEqual([]);
  await expect(bob.rest.signOn("oa")).rejects.toMatchObject({ status: 403, code: "NO_ACCOUNT" });
});

test("requests are seen in the order in which they came", async () => {
  const server = makeServer();
  const { rest } = createClient(server.optionsFor(ANN));
  await rest.getUnreadCount();
  await rest.searchPeople("B", { limit: 5 });
  expect(server.requests).toEqual([
    { method: "GET", path: "/api/v1/messages/unread-count" },
    { method: "GET", path: "/api/v1/users/search?q=B&limit=5" },
  ]);
});
