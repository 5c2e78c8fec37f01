import { expect, test } from "vitest";
import { live } from "./live";

test("what the app sends is counted as unread", async () => {
  const person = await live.newPerson();
  const sent = await live.do<{ id: number }>("send", { receiver_id: person.id });
  const headers = { Authorization: `Bearer ${person.token}` };
  const history = await fetch(`${live.url}/api/v1/messages/history/-${live.app.id}`, { headers });
  expect(((await history.json()) as { id: number }[])[0]?.id).toBe(sent.id);
  const unread = await fetch(`${live.url}/api/v1/messages/unread-count`, { headers });
  expect(await unread.json()).toEqual({ total: 1, todo: 0 });
});

test("a command that does not exist is an error", async () => {
  await expect(live.do("dance")).rejects.toThrow("KeyError");
});
