import { expect, test, vi } from "vitest";
import { createCore } from "../src/core";
import type { Rest } from "../src/types";
import { makeCore, makeToken, problem } from "./support/core";
import { settle, VirtualPlatform } from "./support/virtual-platform";

const MESSAGE = { id: 1, content_type: "TEXT", content: "hello" };

/** Answers one after the other; the last one again and again. */
function answers(...all: (() => Response)[]) {
  let next = 0;
  return (): Response => {
    const answer = all[Math.min(next, all.length - 1)];
    next += 1;
    if (!answer) throw new Error("There is no answer.");
    return answer();
  };
}

const cut = (): never => {
  throw new TypeError("fetch failed");
};

test.each([
  ["https://api.example", "https://api.example/api/v1/messages/unread-count"],
  ["https://api.example/", "https://api.example/api/v1/messages/unread-count"],
  ["https://api.example/carillon/api/v1/", "https://api.example/carillon/api/v1/messages/unread-count"],
  ["", "https://page.example/api/v1/messages/unread-count"],
  ["/chat", "https://page.example/chat/api/v1/messages/unread-count"],
])("with the baseUrl %j a request goes to %s", async (baseUrl, url) => {
  const { rest, platform } = makeCore(undefined, baseUrl);
  platform.answer = () => Response.json({ total: 4 });
  expect(await rest.getUnreadCount()).toBe(4);
  expect(platform.requests[0]?.url).toBe(url);
});

test("a baseUrl without an origin where there is no page is said to be the mistake", async () => {
  const platform = { ...new VirtualPlatform(), location: undefined };
  const { rest } = createCore({ baseUrl: "", getToken: () => makeToken(7), platform });
  await expect(rest.getUnreadCount()).rejects.toMatchObject({ code: "NOT_CONFIGURED", message: expect.stringContaining("`baseUrl`") });
});

test("an error of the API has its status, code, request id and sentence", async () => {
  const { rest, platform } = makeCore();
  platform.answer = () => problem(404, "UNKNOWN_RECEIVER");
  const error = await rest.send({ receiver_id: 9, content: "x" }).catch((caught: unknown) => caught);
  expect(error).toMatchObject({ name: "CarillonError", status: 404, code: "UNKNOWN_RECEIVER", requestId: "r-1", isTemporary: false });
  expect(String(error)).toBe("CarillonError: It is UNKNOWN_RECEIVER.");
});

test("an error about fields names each of them", async () => {
  const { rest, platform } = makeCore();
  const fields = [
    { loc: ["body", "title"], msg: "It is too long.", type: "too_long" },
    { loc: ["body", "content"], msg: "It is missing.", type: "missing" },
  ];
  platform.answer = () => Response.json({ detail: fields, code: "VALIDATION", request_id: "r-2" }, { status: 422 });
  await expect(rest.send({ receiver_id: 9, content: "x" })).rejects.toMatchObject({
    fields,
    message: "body.title: It is too long.; body.content: It is missing.",
  });
});

test("an answer that is not the API's, such as a proxy's page, is said to be that", async () => {
  const { rest, platform } = makeCore();
  platform.answer = () => new Response("<html>", { status: 200, headers: { "X-Request-Id": "r-3" } });
  await expect(rest.getUnreadCount()).rejects.toMatchObject({ code: "NOT_JSON", status: 200, isTemporary: false, requestId: "r-3" });
  platform.answer = () => new Response("<html>", { status: 404 });
  await expect(rest.getUnreadCount()).rejects.toMatchObject({ code: "NOT_JSON", status: 404 });
  platform.answer = () => Response.json({ error: "no such app" }, { status: 404 });
  await expect(rest.getUnreadCount()).rejects.toMatchObject({ code: "NOT_JSON", status: 404 });
});

test.each([
  ["TOKEN_EXPIRED", "expired"],
  ["NOT_SIGNED_IN", "refused"],
])("after 401 %s the token is replaced once, for all requests that had it, and they are repeated", async (code, reason) => {
  const getToken = vi.fn((why: string) => makeToken(7, why));
  const { rest, platform } = makeCore(getToken);
  const good = `Bearer ${makeToken(7, reason)}`;
  platform.answer = ({ headers }) => (headers.get("Authorization") === good ? Response.json({ total: 1 }) : problem(401, code));
  expect(await Promise.all([rest.getUnreadCount(), rest.getUnreadCount(), rest.getUnreadCount()])).toEqual([1, 1, 1]);
  expect(getToken.mock.calls).toEqual([["start"], [reason]]);
  expect(platform.requests).toHaveLength(6);
});

test("a request whose second token is refused too rejects, and asks no more", async () => {
  const getToken = vi.fn(() => makeToken(7));
  const { rest, platform } = makeCore(getToken);
  platform.answer = () => problem(401, "NOT_SIGNED_IN");
  await expect(rest.getUnreadCount()).rejects.toMatchObject({ status: 401 });
  expect(getToken).toHaveBeenCalledTimes(2);
  expect(platform.requests).toHaveLength(2);
});

test.each([
  ["no answer", cut],
  ["408", () => problem(408, "REQUEST_TIMEOUT")],
  ["429", () => problem(429, "RATE_LIMITED")],
  ["502 from a proxy", () => new Response("<html>", { status: 502 })],
  ["503", () => problem(503, "QUEUE_FULL")],
])("a send that got %s is repeated with the same Idempotency-Key", async (_, failure) => {
  const { rest, platform } = makeCore();
  platform.answer = answers(failure, failure, () => Response.json(MESSAGE));
  const sending = rest.send({ receiver_id: 9, content: "x", client_ref: "c-1" });
  await platform.pass(60_000);
  expect(await sending).toEqual(MESSAGE);
  const keys = platform.requests.map(({ headers }) => headers.get("Idempotency-Key"));
  expect(keys).toEqual(["uuid-1", "uuid-1", "uuid-1"]);
  expect(await platform.requests[2]?.json()).toEqual({
    type: "MESSAGE",
    title: "私信",
    receiver_id: 9,
    content: "x",
    client_ref: "c-1",
  });
});

test.each([
  ["a list", 3, (rest: Rest) => rest.listConversations()],
  ["a send", 6, (rest: Rest) => rest.send({ receiver_id: 9, content: "x" })],
])("of %s the caller gets the error after %i attempts", async (_, attempts, ask) => {
  const { rest, platform } = makeCore();
  platform.answer = () => problem(503, "QUEUE_FULL", { "Retry-After": "1" });
  const failed = expect(ask(rest)).rejects.toMatchObject({ code: "QUEUE_FULL", retryAfter: 1000 });
  await platform.pass(60_000);
  await failed;
  expect(platform.requests).toHaveLength(attempts);
});

test("what failed inside of the server is repeated once", async () => {
  const { rest, platform } = makeCore();
  platform.answer = () => problem(500, "INTERNAL");
  const failed = expect(rest.getUnreadCount()).rejects.toMatchObject({ status: 500 });
  await platform.pass(60_000);
  await failed;
  expect(platform.requests).toHaveLength(2);
});

test("a request that is not safe to repeat is not repeated", async () => {
  const { rest, platform } = makeCore();
  platform.answer = cut;
  await expect(rest.signOn("oa_system")).rejects.toMatchObject({ code: "NO_ANSWER" });
  expect(platform.requests).toHaveLength(1);
});

test("what will never succeed is not repeated", async () => {
  const { rest, platform } = makeCore();
  platform.answer = () => problem(403, "NOT_ALLOWED");
  await expect(rest.getUnreadCount()).rejects.toMatchObject({ status: 403 });
  expect(platform.requests).toHaveLength(1);
});

test("a repetition waits as long as Retry-After says, and then a random while, so that not all come at once", async () => {
  const { rest, platform } = makeCore();
  platform.answer = answers(
    () => problem(429, "RATE_LIMITED", { "Retry-After": "3" }),
    () => Response.json({ total: 1 }),
  );
  const count = rest.getUnreadCount();
  await settle();
  expect(platform.nextTimer).toBe(3_500);
  await platform.pass(3_500);
  expect(await count).toBe(1);
});

test("a Retry-After may be a date, and one that is long gone means now", async () => {
  const { rest, platform } = makeCore();
  const later = new Date(platform.time + 5_000).toUTCString();
  platform.answer = () => problem(403, "NOT_ALLOWED", { "Retry-After": later });
  await expect(rest.getUnreadCount()).rejects.toMatchObject({ retryAfter: 5_000 });
  platform.answer = () => problem(403, "NOT_ALLOWED", { "Retry-After": "Wed, 18 Mar 2026 10:10:00 GMT" });
  await expect(rest.getUnreadCount()).rejects.toMatchObject({ retryAfter: 0 });
  platform.answer = () => problem(403, "NOT_ALLOWED", { "Retry-After": "soon" });
  await expect(rest.getUnreadCount()).rejects.toMatchObject({ retryAfter: null });
});

test("a pause of more than half a minute is left to the caller", async () => {
  const { rest, platform } = makeCore();
  platform.answer = () => problem(429, "QUOTA_USED_UP", { "Retry-After": "3600" });
  await expect(rest.getUnreadCount()).rejects.toMatchObject({ retryAfter: 3_600_000 });
  expect(platform.timers).toBe(0);
});

test("an answer that does not come is given up after the time-out, by the clock", async () => {
  const { rest, platform } = makeCore();
  platform.answer = () => new Promise(() => {});
  const failed = expect(rest.request("GET", "/slow", { timeout: 5_000, retries: 0 })).rejects.toMatchObject({
    code: "NO_ANSWER",
    message: "There was no answer in 5 s.",
  });
  await platform.pass(5_000);
  await failed;
});

test.each(["before", "during", "between"])("a request that its caller ends %s an attempt rejects with ABORTED", async (when) => {
  const { rest, platform } = makeCore();
  const controller = new AbortController();
  platform.answer = when === "between" ? () => problem(503, "BUS_AWAY") : () => new Promise(() => {});
  if (when === "before") controller.abort();
  const failed = expect(rest.request("GET", "/slow", { signal: controller.signal })).rejects.toMatchObject({ code: "ABORTED" });
  await settle();
  controller.abort();
  await failed;
  expect(platform.timers).toBe(0);
});

test("conversations come in pages, whose cursor is that of the Link header", async () => {
  const { rest, platform } = makeCore();
  const link = '<?limit=2&cursor=1773828600000%7E31001>; rel="next"';
  platform.answer = answers(
    () => Response.json([{ user_id: 1 }], { headers: { Link: link } }),
    () => Response.json([]),
  );
  const first = await rest.listConversations({ limit: 2 });
  expect(first).toEqual({ items: [{ user_id: 1 }], cursor: "1773828600000~31001" });
  const second = await rest.listConversations({ limit: 2, cursor: first.cursor });
  expect(second).toEqual({ items: [], cursor: null });
  expect(platform.requests.map(({ url }) => new URL(url).search)).toEqual(["?limit=2", "?limit=2&cursor=1773828600000%7E31001"]);
});

test("a history asks for what is older, and media addresses in it come in full", async () => {
  const { rest, platform } = makeCore();
  platform.answer = () =>
    Response.json([
      { ...MESSAGE, content_type: "FILE", content: "/api/v1/media/objects/a?s=1" },
      { ...MESSAGE, content_type: "IMAGE", content: "https://cdn.example/b" },
      { ...MESSAGE, content: "/not/an/address" },
    ]);
  const history = await rest.getHistory(-3, { limit: 10, before_id: 99 });
  expect(new URL(platform.requests[0]?.url ?? "").pathname).toBe("/api/v1/messages/history/-3");
  expect(new URL(platform.requests[0]?.url ?? "").search).toBe("?limit=10&before_id=99");
  expect(history.map(({ content }) => content)).toEqual([
    "https://api.example/api/v1/media/objects/a?s=1",
    "https://cdn.example/b",
    "/not/an/address",
  ]);
});

test("an answer without a body is null", async () => {
  const { rest, platform } = makeCore();
  platform.answer = () => new Response(null, { status: 204 });
  expect(await rest.request("DELETE", "/messages/1")).toBeNull();
});

test("an upload by PUT takes the bare file, exactly the headers that were granted, and no token", async () => {
  const { rest, platform } = makeCore();
  const upload = { method: "PUT", url: "/api/v1/media/objects/k?sign=1", headers: { "Content-Type": "image/png" } };
  platform.answer = answers(
    () => Response.json({ key: "k", upload, expires_in: 60 }),
    () => new Response(null, { status: 204 }),
  );
  const fractions: number[] = [];
  const file = new File(["12345"], "a.png", { type: "image/png" });
  expect(await rest.upload(file, { onProgress: (one) => fractions.push(one) })).toEqual({ key: "k", content_type: "IMAGE" });
  expect(await platform.requests[0]?.json()).toEqual({ content_type: "image/png", filename: "a.png", size: 5 });
  const put = platform.requests[1];
  expect(put?.url).toBe("https://api.example/api/v1/media/objects/k?sign=1");
  expect(put?.headers.has("Authorization")).toBe(false);
  expect(put?.headers.get("Content-Type")).toBe("image/png");
  expect(await put?.text()).toBe("12345");
  expect(fractions).toEqual([1]);
});

test("an upload by form has the file last, and an object store's XML is no mistake", async () => {
  const { rest, platform } = makeCore();
  const upload = { method: "POST", url: "https://store.example/bucket", fields: { key: "k", policy: "p" } };
  platform.answer = answers(
    () => Response.json({ key: "k", upload, expires_in: 60 }),
    () => new Response("<PostResponse/>", { status: 201 }),
  );
  expect(await rest.upload(new File(["x"], "a.txt"))).toEqual({ key: "k", content_type: "FILE" });
  const form = await platform.requests[1]?.formData();
  expect([...(form?.keys() ?? [])]).toEqual(["key", "policy", "file"]);
});

test("an upload that is refused rejects with its status", async () => {
  const { rest, platform } = makeCore();
  const upload = { method: "PUT", url: "https://store.example/k", headers: {} };
  platform.answer = answers(
    () => Response.json({ key: "k", upload, expires_in: 60 }),
    () => new Response("<Error><Code>AccessDenied</Code></Error>", { status: 403 }),
  );
  await expect(rest.upload(new File(["x"], "a.txt"))).rejects.toMatchObject({ status: 403, code: "NOT_JSON" });
});

const NEVER = -1;

/** As far as an upload uses one: it is at half, then answers, or is cut off. */
function makeXhr(status: number) {
  const made: { method: string; url: string; headers: [string, string][]; body: unknown }[] = [];
  class FakeXhr {
    readonly upload: { onprogress?: (event: { loaded: number; total: number }) => void } = {};
    readonly responseText = "";
    readonly status = status;
    readonly #headers: [string, string][] = [];
    #target: [string, string] = ["", ""];
    onload?: () => void;
    onerror?: () => void;
    onabort?: () => void;
    onloadend?: () => void;
    open = (method: string, url: string): void => void (this.#target = [method, url]);
    setRequestHeader = (name: string, value: string): void => void this.#headers.push([name, value]);
    abort(): void {
      this.onabort?.();
      this.onloadend?.();
    }
    send(body: unknown): void {
      const [method, url] = this.#target;
      made.push({ method, url, headers: this.#headers, body });
      this.upload.onprogress?.({ loaded: 1, total: 2 });
      if (status === NEVER) return;
      if (status === 0) this.onerror?.();
      else this.onload?.();
      this.onloadend?.();
    }
  }
  return { made, XMLHttpRequest: FakeXhr as unknown as typeof XMLHttpRequest };
}

const GRANT = { key: "k", upload: { method: "PUT", url: "/o/k", headers: { "Content-Type": "text/plain" } }, expires_in: 60 };

test.each([
  [204, null],
  [403, { status: 403, code: "NOT_JSON" }],
  [0, { code: "NO_ANSWER" }],
  [NEVER, { code: "ABORTED" }],
])("in a browser an upload tells how far it is; with the status %i it ends with %j", async (status, failure) => {
  const { made, XMLHttpRequest } = makeXhr(status);
  const platform = Object.assign(new VirtualPlatform(), { XMLHttpRequest, answer: () => Response.json(GRANT) });
  const { rest } = createCore({ baseUrl: "https://api.example", getToken: () => makeToken(7), platform });
  const fractions: number[] = [];
  const controller = new AbortController();
  const options = { onProgress: (one: number) => fractions.push(one), signal: controller.signal };
  const uploading = rest.upload(new File(["x"], "a.txt"), options);
  const ended = failure ? expect(uploading).rejects.toMatchObject(failure) : uploading;
  await settle();
  controller.abort();
  await ended;
  expect(made).toMatchObject([{ method: "PUT", url: "https://api.example/o/k", headers: [["Content-Type", "text/plain"]] }]);
  expect(fractions).toEqual(failure ? [0.5] : [0.5, 1]);
});
