/** A core on a virtual platform, and answers of an API that the tests need again and again. */
import { createCore } from "../../src/core";
import type { ClientOptions, ConnectionState, Frame } from "../../src/types";
import { settle, VirtualPlatform } from "./virtual-platform";

/** A JWT of this person; the signature is nobody's. */
export function makeToken(person: number, name = "a"): string {
  return `${btoa('{"alg":"HS256"}')}.${btoa(JSON.stringify({ sub: String(person), name }))}.x`;
}

export function makeCore(getToken: ClientOptions["getToken"] = () => makeToken(7), baseUrl = "https://api.example") {
  const platform = new VirtualPlatform();
  platform.answer = ({ url }) => (url.endsWith("/ws/tickets") ? Response.json({ ticket: "t1", expires_in: 30 }) : Response.json({}));
  const core = createCore({ baseUrl, getToken, platform });
  const states: ConnectionState[] = [];
  const seen: (Frame | "fresh")[] = [];
  core.connection.state.subscribe(() => states.push(core.connection.state.get()));
  core.connection.onFresh(() => seen.push("fresh"));
  core.connection.onFrame((frame) => seen.push(frame));
  return { ...core, platform, states, seen };
}

/** A core with an open socket. */
export async function makeOpenCore(...given: Parameters<typeof makeCore>) {
  const core = makeCore(...given);
  core.connection.start();
  await settle();
  core.platform.socket.open();
  return core;
}

export function problem(status: number, code: string, headers: Record<string, string> = {}): Response {
  return Response.json({ detail: `It is ${code}.`, code, request_id: "r-1" }, { status, headers });
}

export function position(pos: string): { type: "POSITION"; pos: string } {
  return { type: "POSITION", pos };
}

export function recalled(id: number, pos = `p${id}`): Frame {
  return { type: "MESSAGE_RECALLED", pos, data: { id, conversation_id: 8 } };
}
