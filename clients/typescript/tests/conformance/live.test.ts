import { createHmac } from "node:crypto";
import WebSocket from "ws";
import type { Message } from "../../src/api/shapes";
import { live } from "../live/live";
import { claimAll } from "./claims";

const { url, app } = live;

/** An app's call. */
async function askAsApp(method: string, path: string, body: unknown): Promise<Response> {
  const timestamp = String(Math.floor(Date.now() / 1000));
  const sign = createHmac("sha256", app.secret).update(`app_id=${app.app_id}&timestamp=${timestamp}`).digest("hex");
  const headers = { "X-App-Id": app.app_id, "X-Timestamp": timestamp, "X-Sign": sign, "Content-Type": "application/json" };
  return await fetch(`${url}/api/v1${path}`, { method, headers, body: JSON.stringify(body) });
}

claimAll({
  url,
  fetch,
  WebSocket: WebSocket as unknown as typeof globalThis.WebSocket,
  app,
  newPerson: (name) => live.newPerson(name),
  token: (id, expires_in) => live.do("token", { id, expires_in }),
  sendAsApp: (body) => live.do<Message>("send", body),
  changeAsApp: async (id, body) => (await (await askAsApp("PATCH", `/messages/${id}`, body)).json()) as Message,
  verifyTicket: async (ticket) => {
    const response = await askAsApp("POST", "/simple/sso/verify", { ticket });
    return response.ok ? ((await response.json()) as Record<string, unknown>) : null;
  },
  disable: (id) => live.do("disable", { id }),
  settle: () => live.do("settle"),
  restart: () => live.do("restart_gateway"),
  forgetPast: () => live.do("expire_bus"),
});
