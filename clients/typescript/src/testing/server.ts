/** A Carillon in memory, for tests: its doors are a `fetch` and a `WebSocket`, and a test turns it as it likes. */
import { CLOSE_CODES } from "../api/generated/close-codes";
import type { Message } from "../api/shapes";
import type { ClientOptions } from "../types";
import { FakeHttp } from "./http";
import { findAccount, presentMessage } from "./presenting";
import { makeProblem, Problem, refuse } from "./problems";
import { makeRoutes } from "./routes";
import { checkSend } from "./rules";
import { makeSocketClass } from "./socket-class";
import { Hub } from "./sockets";
import { Tokens } from "./tokens";
import { Uploads } from "./uploads";
import { type FakeApp, type FakePerson, World } from "./world";

const HOUR = 60 * 60 * 1000;
const NOT_CLEAN = 1006;

export interface FakeServerOptions {
  people: FakePerson[];
  apps?: FakeApp[];
  /** The server's clock, in Unix milliseconds; the real one if it is not given. */
  now?: () => number;
}

/** What an app sends: the fields of `POST /messages/`. */
export interface Notice {
  title: string;
  content: string | Record<string, unknown>;
  type?: "NOTIFICATION" | "MESSAGE";
  content_type?: "TEXT" | "USER_NOTIFICATION";
  /** A button that signs on to the app and goes there. */
  target_url?: string;
  /** A button of another kind. */
  action_url?: string;
  action_text?: string;
  /** How far the matter is: it makes the message a to-do. */
  state?: "PENDING" | "DONE" | "REJECTED" | "CLOSED";
  /** The state in the app's own words. */
  state_text?: string;
  /** The app's own name for the matter. */
  ref?: string;
}

/** What an app may change of what it sent. */
export type Change = Partial<Pick<Notice, "title" | "content" | "action_url" | "action_text" | "state" | "state_text">>;

/** How a request is refused that a test wants refused. */
export interface Failure {
  /** The API's code; that of the status if it is not given. */
  code?: string;
  /** How many requests (default 1). */
  times?: number;
  /** Only requests whose path has this in it. */
  path?: string;
  /** Of 429 and 503: seconds to wait (default 1). */
  retryAfter?: number;
}

/** A request that came. */
export interface SeenRequest {
  method: string;
  /** With the query, below the origin: `/api/v1/messages/`. */
  path: string;
}

/** Make a server with these people and apps. It starts nothing that would have to be ended. */
export function createFakeServer(options: FakeServerOptions): FakeServer {
  return new FakeServer(options);
}

export class FakeServer {
  /** What to give as `baseUrl`. */
  readonly url = "https://carillon.test";
  /** Every request that came, in order. */
  readonly requests: SeenRequest[] = [];
  /** False: nobody reaches it; requests fail, and sockets are not opened. Those that are open stay: see `drop`. */
  isReachable = true;
  readonly fetch: typeof fetch;
  readonly WebSocket: typeof WebSocket;
  readonly #world: World;
  readonly #tokens: Tokens;
  readonly #hub: Hub;
  readonly #uploads = new Uploads();
  readonly #http: FakeHttp;
  readonly #now: () => number;
  readonly #failures: { problem: Problem | null; path: string; times: number }[] = [];

  constructor({ people, apps = [], now = () => Date.now() }: FakeServerOptions) {
    this.#now = now;
    this.#world = new World(now, (person, event) => this.#hub.tell(person, event));
    this.#tokens = new Tokens(this.#world, now);
    this.#hub = new Hub(this.#tokens, now);
    for (const person of people) this.#world.addPerson(person);
    this.#world.apps.push(...apps);
    const parts = { world: this.#world, tokens: this.#tokens, uploads: this.#uploads, now };
    this.#http = new FakeHttp({ ...parts, routes: makeRoutes(parts) });
    this.fetch = (input, init) => this.#receive(input, init);
    this.WebSocket = makeSocketClass({
      open: (socket, url, protocols) => {
        if (!this.isReachable) throw refuse("UNAVAILABLE", "A test made the server unreachable.");
        if (url.pathname !== "/api/v1/ws/messages") throw refuse("UNKNOWN_PATH", "There is nothing at this path.");
        this.#hub.admit(socket, url.searchParams, protocols);
      },
      forget: (socket) => this.#hub.forget(socket),
    });
  }

  /** What `createClient` needs to be this person's client. */
  optionsFor(person: number): ClientOptions {
    const { fetch, WebSocket } = this;
    const platform = { fetch, WebSocket, XMLHttpRequest: undefined, locks: undefined, BroadcastChannel: undefined };
    return { baseUrl: this.url, getToken: () => this.token(person), platform };
  }

  /** A token of this person, for so many milliseconds (an hour). */
  token(person: number, lifetime = HOUR): string {
    return this.#tokens.issue(person, lifetime);
  }

  /** One more person. */
  addPerson(person: FakePerson): void {
    this.#world.addPerson(person);
  }

  /** Have an app send something to a person. Throws the Problem that the app would be answered. */
  notify(app_id: string, person: number, notice: Notice): Message {
    return this.#send(app_id, { receiver_id: person, ...notice });
  }

  /** Have an app send something to everybody. */
  broadcast(app_id: string, notice: Notice): Message {
    return this.#send(app_id, { is_broadcast: true, ...notice });
  }

  /** Have an app change a card that it sent, as it would with `PATCH`: everybody who has it is told. */
  update(app_id: string, id: number, { content, ...change }: Change): Message {
    const message = this.#world.findSent(this.#world.findApp(app_id), id);
    const text = typeof content === "object" ? JSON.stringify(content) : content;
    this.#world.change(message, { ...change, ...(text !== undefined && { content: text }) });
    return presentMessage(message, null, null);
  }

  /** Who came with this ticket, as an app asks with `POST /simple/sso/verify`; null if it is unknown, used or too old. */
  verifyTicket(app_id: string, ticket: string): { user_id: number; app_user_id: string | null; name: string } | null {
    const person = this.#world.people.get(this.#tokens.redeem(ticket, app_id)?.person ?? NaN);
    if (!person) return null;
    return { user_id: person.id, app_user_id: findAccount(this.#world.findApp(app_id), person.id), name: person.name };
  }

  /** Answer a request that comes with this status, whatever it asks for. 0: it is not answered at all. */
  failNext(status: number, { times = 1, path = "", ...more }: Failure = {}): void {
    this.#failures.push({ problem: status === 0 ? null : makeProblem(status, more), path, times });
  }

  /** Cut the sockets of this person, or of all, as a network does. */
  drop(person: number | null = null): void {
    this.#hub.close(NOT_CLEAN, person);
  }

  /** Close all sockets as a server does that restarts. What it knows stays, and positions are good. */
  restart(): void {
    this.#hub.close(CLOSE_CODES.RESTARTING);
  }

  /** End every token that was issued until now, and close all sockets for that. */
  expireTokens(): void {
    this.#tokens.expireAll();
    this.#hub.close(CLOSE_CODES.TOKEN_EXPIRED);
  }

  /** Make every position of before too old to go on from: who has a socket, and who comes back with one, is told RESYNC. */
  forgetPast(): void {
    this.#hub.forgetPast();
  }

  /** Disable a person: they are signed out everywhere. */
  disable(person: number): void {
    this.#set(person, false);
    this.#hub.close(CLOSE_CODES.DISABLED, person);
  }

  enable(person: number): void {
    this.#set(person, true);
  }

  #set(person: number, isActive: boolean): void {
    const known = this.#world.people.get(person);
    if (!known) throw new Error(`There is no person ${person}.`);
    known.isActive = isActive;
  }

  #send(app_id: string, body: Record<string, unknown>): Message {
    const caller = this.#world.findApp(app_id);
    const given = { type: "NOTIFICATION", auto_sso: "target_url" in body, ...body };
    const parts = { world: this.#world, now: this.#now(), caller, findUpload: () => undefined };
    return presentMessage(this.#world.accept(checkSend(given, parts)), null, null);
  }

  async #receive(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
    const request = new Request(typeof input === "string" ? new URL(input, this.url) : input, init);
    const { pathname, search } = new URL(request.url);
    this.requests.push({ method: request.method, path: pathname + search });
    // As over a network: nothing is answered in the same turn.
    await Promise.resolve();
    request.signal.throwIfAborted();
    const failure = this.#takeFailure(pathname);
    if (!this.isReachable || failure?.problem === null) throw new TypeError("fetch failed");
    this.#world.deliverDue();
    return await this.#http.answer(request, failure?.problem);
  }

  #takeFailure(path: string): { problem: Problem | null } | undefined {
    const failure = this.#failures.find((one) => one.times > 0 && path.includes(one.path));
    if (failure) failure.times -= 1;
    return failure;
  }
}
