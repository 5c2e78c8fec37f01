/** What others do while somebody looks at their inbox: over the API, without a browser. */
import { createHmac } from "node:crypto";
import { inject } from "vitest";
import type { LivePerson } from "../../typescript/tests/live/live-stack";

export async function send(from: LivePerson, to: LivePerson, content: string): Promise<number> {
  const answer = await fetch(`${inject("liveAbout").url}/api/v1/messages/`, {
    method: "POST",
    headers: { Authorization: `Bearer ${from.token}`, "Content-Type": "application/json", Prefer: "wait=10" },
    body: JSON.stringify({ type: "MESSAGE", receiver_id: to.id, title: "私信", content }),
  });
  if (!answer.ok) throw new Error(await answer.text());
  return ((await answer.json()) as { id: number }).id;
}

/** A call of the app, signed. Gives its JSON; fails if it is refused. */
export async function askAsApp(method: string, path: string, body: unknown): Promise<unknown> {
  const { url, app } = inject("liveAbout");
  const timestamp = String(Math.floor(Date.now() / 1000));
  const sign = createHmac("sha256", app.secret).update(`app_id=${app.app_id}&timestamp=${timestamp}`).digest("hex");
  const headers = { "X-App-Id": app.app_id, "X-Timestamp": timestamp, "X-Sign": sign, "Content-Type": "application/json" };
  const answer = await fetch(`${url}/api/v1${path}`, { method, headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(await answer.text());
  return await answer.json();
}

/** How many sockets the server has open. */
export async function countSockets(): Promise<number> {
  const text = await (await fetch(`${inject("liveAbout").url}/metrics`)).text();
  const found = /^carillon_sockets_open (\S+)$/m.exec(text)?.[1];
  if (found === undefined) throw new Error("There is no carillon_sockets_open in /metrics.");
  return Number(found);
}
