/** Claims about who is signed in, paths, people, apps and files. */
import { expect, test } from "vitest";
import type { AppAccount, Message, Person, UploadGrant } from "../../src/api/shapes";
import { ask, describe422, describeRefusal, type Host, type HostPerson, type Refusal, trySend } from "./host";

export function claimPeople(host: Host): void {
  const unread = (headers: Record<string, string>) => ask<Refusal>(host, null, "GET /messages/unread-count", { headers });

  test.each([
    ["no header", {}, "401 HEADER_MISSING"],
    ["another scheme", { Authorization: "Basic YTpi" }, "401 HEADER_MALFORMED"],
    ["no token behind the scheme", { Authorization: "Bearer " }, "401 HEADER_MALFORMED"],
    ["a token that is none", { Authorization: "Bearer nonsense" }, "401 NOT_SIGNED_IN"],
  ])("a call with %s is refused, and says how to sign in", async (_, headers, refusal) => {
    const reply = await unread(headers as Record<string, string>);
    expect(describeRefusal(reply)).toBe(refusal);
    expect(reply.headers.get("WWW-Authenticate")).toContain("Bearer");
  });

  test("a token that has expired is refused as that", async () => {
    const me = await host.newPerson();
    const reply = await unread({ Authorization: `Bearer ${await host.token(me.id, -5)}` });
    expect(describeRefusal(reply)).toBe("401 TOKEN_EXPIRED");
  });

  test("the scheme may be written in any case", async () => {
    const me = await host.newPerson();
    expect((await unread({ Authorization: `bEARER ${me.token}` })).status).toBe(200);
  });

  test("who is disabled is signed out", async () => {
    const me = await host.newPerson();
    await host.disable(me.id);
    const call = async () => describeRefusal(await ask<Refusal>(host, me, "GET /messages/unread-count"));
    await expect.poll(call, { timeout: 15_000 }).toBe("401 NOT_SIGNED_IN");
  });

  test("a path that is not there is 404, and a method that it does not take is 405 and says which it does", async () => {
    const me = await host.newPerson();
    expect(describeRefusal(await ask<Refusal>(host, me, "GET /nowhere"))).toBe("404 UNKNOWN_PATH");
    const reply = await ask<Refusal>(host, me, "DELETE /messages/unread-count");
    expect(describeRefusal(reply)).toBe("405 METHOD_NOT_ALLOWED");
    expect(reply.headers.get("Allow")).toContain("GET");
  });

  test("every answer has a request id: the caller's, or one of the server's, which an error says too", async () => {
    const me = await host.newPerson();
    const given = await ask(host, me, "GET /messages/unread-count", { headers: { "X-Request-Id": "mine-1" } });
    expect(given.headers.get("X-Request-Id")).toBe("mine-1");
    const made = await ask<Refusal>(host, me, "GET /nowhere");
    expect(made.body.request_id).toBe(made.headers.get("X-Request-Id"));
    expect(made.body.request_id).not.toBe("");
  });

  test("personal answers are kept by nobody", async () => {
    const reply = await ask(host, await host.newPerson(), "GET /messages/conversations");
    expect(reply.headers.get("Cache-Control")).toBe("private, no-store");
  });

  test("people are found by a part of their name, one character too, by their number, and by id in order", async () => {
    const mark = `寻${Math.random().toString(36).slice(2)}`;
    const people = [await host.newPerson(`甲${mark}`), await host.newPerson(`乙${mark}`)];
    const search = async (q: string) => (await ask<Person[]>(host, people[0] ?? null, `GET /users/search?q=${encodeURIComponent(q)}`)).body;
    const found = await search(mark.toUpperCase());
    expect(found.map(({ id, name, status }) => [id, name, status])).toEqual(people.map(({ id, name }) => [id, name, "ACTIVE"]));
    expect(Object.keys(found[0] ?? {}).sort()).toEqual(["english_name", "id", "mobile", "name", "status"]);
    expect((await search(found[0]?.mobile ?? "")).map(({ id }) => id)).toContain(people[0]?.id);
    expect(await search("%")).toEqual([]);
  });

  test("a search finds who is active only, and the list of all people everybody", async () => {
    const mark = `离${Math.random().toString(36).slice(2)}`;
    const [me, gone] = [await host.newPerson(mark), await host.newPerson(mark)];
    await host.disable(gone.id);
    const found = async (path: string) => (await ask<Person[]>(host, me, `GET ${path}${encodeURIComponent(mark)}`)).body;
    expect((await found("/users/search?q=")).map(({ id }) => id)).toEqual([me.id]);
    const all = await ask<{ total: number; items: Person[] }>(host, me, `GET /users/?limit=1&skip=1&keyword=${encodeURIComponent(mark)}`);
    expect(all.body).toMatchObject({ total: 2, items: [{ id: gone.id, status: "DISABLED", role: "ORDINARY_USER", is_deleted: 0 }] });
  });

  test.each(["/users/search?limit=0", "/users/search?limit=101", "/users/?limit=x", "/apps/?limit=0"])("%s is refused", async (path) => {
    expect(describe422(await ask<Refusal>(host, await host.newPerson(), `GET ${path}`))).toBe("422 VALIDATION query.limit");
  });

  test("the launchpad has the apps in which the person has an account, with that account", async () => {
    const me = await host.newPerson();
    for (const path of ["/simple/me/launchpad-apps", "/apps/"]) {
      const { body } = await ask<{ total: number; items: AppAccount[] }>(host, me, `GET ${path}`);
      expect(body).toMatchObject({ total: 1, items: [{ app_id: host.app.app_id, mapped_key: `user${me.id}`, is_active: true, protocol_type: "SIMPLE_API" }] });
    }
  });

  test("signing on to an app gives its page with a ticket, and an app that is not there is refused", async () => {
    const me = await host.newPerson();
    const sign = (app_id: unknown) => ask<Refusal & { redirect_url: string }>(host, me, "POST /simple/sso-login", { body: { app_id, username: "", password: "" } });
    const ticket = new URL((await sign(host.app.app_id)).body.redirect_url).searchParams.get("ticket") ?? "";
    expect(await host.verifyTicket(ticket)).toMatchObject({ user_id: me.id });
    expect(describeRefusal(await sign("none"))).toBe("404 UNKNOWN_APP");
    expect(describe422(await sign(undefined))).toBe("422 VALIDATION body.app_id");
  });

  const announce = (who: HostPerson, file: Record<string, unknown>) =>
    ask<Refusal & UploadGrant>(host, who, "POST /media/uploads", { body: { content_type: "text/plain", filename: "合同.txt", size: 5, ...file } });

  async function put({ upload }: UploadGrant, bytes: string): Promise<number> {
    const headers = "headers" in upload ? upload.headers : {};
    const response = await host.fetch(new URL(upload.url, `${host.url}/`).href, { method: upload.method, headers, body: bytes });
    await response.text();
    return response.status;
  }

  test("a file is announced, uploaded, sent by its key, and read at the address that the message has, under its own name", async () => {
    const me = await host.newPerson();
    const grant = (await announce(me, {})).body;
    expect(await put(grant, "hello")).toBe(204);
    const sent = (await trySend(host, me, { content_type: "FILE", content: grant.key })).body as Message;
    expect(sent.filename).toBe("合同.txt");
    expect(sent.content).not.toBe(grant.key);
    const response = await host.fetch(new URL(sent.content, `${host.url}/`).href);
    expect(await response.text()).toBe("hello");
    expect(response.headers.get("Content-Disposition")).toContain(encodeURIComponent("合同.txt"));
  });

  test("a file that is announced and not uploaded cannot be sent, and one of another person neither", async () => {
    const [me, peer] = [await host.newPerson(), await host.newPerson()];
    const grant = (await announce(me, {})).body;
    const send = async (who: HostPerson) => trySend(host, who, { content_type: "FILE", content: grant.key });
    expect(describe422(await send(me))).toBe("422 NOT_UPLOADED body.content");
    await put(grant, "hello");
    expect(describeRefusal(await send(peer))).toBe("403 NOT_YOUR_UPLOAD");
  });

  test("an upload has exactly the size that was announced, and is written once", async () => {
    const me = await host.newPerson();
    const grant = (await announce(me, {})).body;
    expect([await put(grant, "hell"), await put(grant, "hello!"), await put(grant, "hello"), await put(grant, "hello")]).toEqual([422, 413, 204, 409]);
  });

  test.each([
    ["without a name", { filename: undefined }, "filename"],
    ["with an empty name", { filename: "" }, "filename"],
    ["of no bytes", { size: 0 }, "size"],
    ["of a size that is text", { size: "5" }, "size"],
  ])("a file %s is not taken", async (_, file, field) => {
    expect(describe422(await announce(await host.newPerson(), file))).toBe(`422 VALIDATION body.${field}`);
  });
}
