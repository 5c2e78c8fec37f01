import { createClient } from "@carillon/client";
import { createFakeServer } from "@carillon/client/testing";
import { expect, test, vi } from "vitest";

test("a notice of the app is unread, and its button leads to the app", async () => {
  const server = createFakeServer({
    people: [{ id: 1, name: "Ann" }, { id: 2, name: "Bob" }],
    apps: [{ id: 7, app_id: "oa", name: "OA", callback_url: "https://oa.example.com/callback" }],
  });
  const client = createClient(server.optionsFor(1));
  client.start();

  const { id } = server.notify("oa", 1, { title: "Leave", content: "Approve?", target_url: "https://oa.example.com/leave/5" });
  await vi.waitFor(() => expect(client.store.unreadCount.get()).toBe(1));

  const url = new URL(await client.rest.getCallbackUrl(id));
  expect(server.verifyTicket("oa", url.searchParams.get("ticket") ?? "")).toMatchObject({ user_id: 1 });
  client.stop();
});
