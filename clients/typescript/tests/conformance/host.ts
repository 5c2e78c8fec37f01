/** What the claims are tried on: a server, its raw doors, and what a test may do to it. The fake is one, a running stack another. */
import { vi } from "vitest";
import type { Frame, PushedMessage } from "../../src/api/generated/frames";
import type { Message } from "../../src/api/shapes";

export interface HostPerson {
  id: number;
  name: string;
  token: string;
}

export interface Host {
  /** Without `/api/v1`. */
  url: string;
  fetch: typeof fetch;
  WebSocket: typeof WebSocket;
  /** An app in which everybody has an account `user<id>`, and whose buttons may lead to `*.example.com`. */
  app: { app_id: string; id: number };
  newPerson(name?: string): Promise<HostPerson>;
  /** A token for so many seconds. */
  token(person: number, seconds: number): Promise<string>;
  /** A send of the app: a NOTIFICATION with a title and a content unless the body says otherwise. It is in the histories. */
  sendAsApp(body: Record<string, unknown>): Promise<Message>;
  /** A change of what the app sent, as `PATCH /messages/{id}` has it. */
  changeAsApp(id: number, body: Record<string, unknown>): Promise<Message>;
  /** Who came with this ticket, as the app is told; null if it is not good. */
  verifyTicket(ticket: string): Promise<Record<string, unknown> | null>;
  disable(person: number): Promise<void>;
  /** Everything that was done so far has been told to those who are connected: no frame of it comes later. */
  settle(): Promise<void>;
  restart(): Promise<void>;
  forgetPast(): Promise<void>;
}

export interface Reply<T> {
  status: number;
  body: T;
  headers: Headers;
}

/** An error's body. */
export interface Refusal {
  code: string;
  detail: string | { loc: (string | number)[]; msg: string; type: string }[];
  request_id: string;
}

interface Asked {
  body?: unknown;
  headers?: Record<string, string>;
}

/** A request of a person, or of nobody (null). A body that is text is sent as it is. */
export async function ask<T>(host: Host, who: { token: string } | null, line: string, { body, headers = {} }: Asked = {}): Promise<Reply<T>> {
  const [method = "", path = ""] = line.split(" ");
  const signed: Record<string, string> = who ? { Authorization: `Bearer ${who.token}`, ...headers } : headers;
  const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
  const typed: Record<string, string> = text === undefined ? signed : { "Content-Type": "application/json", ...signed };
  const response = await host.fetch(`${host.url}/api/v1${path}`, { method, headers: typed, ...(text !== undefined && { body: text }) });
  const answer = await response.text();
  const isJson = response.headers.get("Content-Type")?.includes("json") ?? false;
  return { status: response.status, headers: response.headers, body: (isJson ? JSON.parse(answer) : answer) as T };
}

/** A message from one person to another, which is in the histories. */
export async function write(host: Host, from: HostPerson, to: HostPerson, more: Record<string, unknown> = {}): Promise<Message> {
  const body = { type: "MESSAGE", title: "私信", content: "你好", receiver_id: to.id, ...more };
  return (await ask<Message>(host, from, "POST /messages/", { body, headers: { Prefer: "wait=10" } })).body;
}

/** How a send is answered; without `changes` it is a good one to oneself. */
export function trySend(host: Host, who: HostPerson, changes: Record<string, unknown>, headers: Record<string, string> = {}) {
  const body = { type: "MESSAGE", title: "私信", content: "你好", receiver_id: who.id, ...changes };
  return ask<Refusal & Message>(host, who, "POST /messages/", { body, headers });
}

/** The code and the place of the first wrong field, as `422 VALIDATION body.title`. */
export function describe422({ status, body: { code, detail } }: Reply<Refusal>): string {
  const loc = Array.isArray(detail) ? detail[0]?.loc.join(".") : "";
  return `${status} ${code} ${loc}`;
}

export function describeRefusal({ status, body }: Reply<Refusal>): string {
  return `${status} ${body.code}`;
}

/** An open socket, or one that was refused, and all that came over it. */
export class Listener {
  readonly frames: Frame[] = [];
  readonly texts: string[] = [];
  readonly socket: WebSocket;
  closeCode: number | null = null;
  isOpen = false;

  constructor(host: Host, query: Record<string, string>, protocols: string[] = []) {
    const url = `${host.url.replace("http", "ws")}/api/v1/ws/messages?${new URLSearchParams(query)}`;
    this.socket = new host.WebSocket(url, protocols);
    open.add(this);
    this.socket.onopen = () => (this.isOpen = true);
    this.socket.onerror = () => {};
    this.socket.onclose = ({ code }) => (this.closeCode = code);
    this.socket.onmessage = ({ data }) => {
      if (String(data).startsWith("{")) this.frames.push(JSON.parse(String(data)) as Frame);
      else this.texts.push(String(data));
    };
  }

  get types(): string[] {
    return this.frames.map(({ type }) => type).filter((type) => type !== "POSITION");
  }

  get messages(): PushedMessage[] {
    return this.frames.flatMap((frame) => (frame.type === "NEW_MESSAGE" ? [frame.data] : []));
  }

  /** The forms of messages that were changed, in order. */
  get changes(): PushedMessage[] {
    return this.frames.flatMap((frame) => (frame.type === "MESSAGE_UPDATED" ? [frame.data] : []));
  }

  /** The position of the last frame. */
  get pos(): string {
    return this.frames.at(-1)?.pos ?? "";
  }

  async waitFor(types: string[]): Promise<void> {
    await until(() => this.types.length >= types.length);
    if (this.types.join() !== types.join()) throw new Error(`came: ${this.types.join()}; wanted: ${types.join()}`);
  }

  async waitUntilClosed(): Promise<number> {
    await until(() => this.closeCode !== null);
    return this.closeCode ?? 0;
  }

  async close(): Promise<void> {
    this.socket.close(1000);
    await this.waitUntilClosed();
  }
}

const open = new Set<Listener>();

/** After each test: no socket stays. */
export function closeAll(): void {
  for (const { socket } of open) socket.close();
  open.clear();
}

/** A socket whose HELLO has come. */
export async function listen(host: Host, person: HostPerson, query: Record<string, string> = {}): Promise<Listener> {
  // A frame of what was done before may be on its way: it would be taken for one of what comes now.
  await host.settle();
  const listener = new Listener(host, { token: person.token, ...query });
  await until(() => listener.frames.length > 0);
  return listener;
}

export async function until(isSo: () => boolean): Promise<void> {
  await vi.waitUntil(isSo, { timeout: 20_000, interval: 5 });
}
