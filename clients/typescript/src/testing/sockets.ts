/** The fake server's end of sockets: what each person is told, what is replayed to who comes back, and who has to go. */
import { CLOSE_CODES } from "../api/generated/close-codes";
import type { Frame } from "../api/generated/frames";
import { refuse } from "./problems";
import { presentPush } from "./presenting";
import type { Identity, Tokens } from "./tokens";
import type { PushEvent } from "./world";

const SOCKETS = 10;
const NOWHERE = "0";
const LONGEST_TIMER = 2 ** 31 - 1;

/** What the server sees of a socket. */
export interface ServerSocket {
  give(text: string): void;
  end(code: number): void;
}

interface Entry {
  number: number;
  event: PushEvent;
}

interface Client extends Identity {
  timer: ReturnType<typeof setTimeout>;
}

export class Hub {
  readonly #clients = new Map<ServerSocket, Client>();
  readonly #log = new Map<number, Entry[]>();
  readonly #tokens: Tokens;
  readonly #now: () => number;
  #reached = 0;
  #life = 1;

  constructor(tokens: Tokens, now: () => number) {
    this.#tokens = tokens;
    this.#now = now;
  }

  /** Let a socket in; throws the Problem that a handshake is refused with. */
  admit(socket: ServerSocket, query: URLSearchParams, protocols: string[]): void {
    const identity = this.#identify(query, protocols);
    const theirs = [...this.#clients.values()].filter(({ person }) => person === identity.person);
    if (theirs.length >= SOCKETS) {
      throw refuse("TOO_MANY_SOCKETS", "This person has as many sockets open as they may.", { "Retry-After": "40" });
    }
    const lifetime = Math.min(Math.max(identity.expiresAt - this.#now(), 0), LONGEST_TIMER);
    const timer = setTimeout(() => this.#end(socket, CLOSE_CODES.TOKEN_EXPIRED), lifetime);
    // Node would wait for it.
    if (typeof timer === "object") timer.unref();
    this.#clients.set(socket, { ...identity, timer });
    this.#welcome(socket, identity.person, query.get("since"));
  }

  /** The client has gone. */
  forget(socket: ServerSocket): void {
    clearTimeout(this.#clients.get(socket)?.timer);
    this.#clients.delete(socket);
  }

  tell(person: number, event: PushEvent): void {
    const entry = { number: ++this.#reached, event };
    this.#log.set(person, [...(this.#log.get(person) ?? []), entry]);
    for (const socket of this.#find(person)) this.#give(socket, person, entry);
  }

  /** Close sockets with this code: a person's, or all. */
  close(code: number, person: number | null = null): void {
    for (const socket of this.#find(person)) this.#end(socket, code);
  }

  /** No position of before is good any more, and everybody is told so. */
  forgetPast(): void {
    this.#life += 1;
    this.#log.clear();
    for (const [socket, { person }] of this.#clients) this.#resync(socket, person);
  }

  #identify(query: URLSearchParams, protocols: string[]): Identity {
    if (protocols.includes("bearer")) return this.#tokens.identify(protocols.find((one) => one !== "bearer") ?? "");
    const [token, ticket] = [query.get("token"), query.get("ticket")];
    if (token !== null) return this.#tokens.identify(token);
    if (ticket === null) throw refuse("HEADER_MISSING", "A token is required.");
    const identity = this.#tokens.redeem(ticket, null);
    if (!identity) throw refuse("TICKET_NOT_VALID", "The ticket is invalid or was used.");
    if (identity.expiresAt <= this.#now()) throw refuse("TOKEN_EXPIRED", "The token has expired.");
    return identity;
  }

  #welcome(socket: ServerSocket, person: number, since: string | null): void {
    const known = since === null ? this.#reached : this.#readPosition(since, person);
    const pos = known === null ? NOWHERE : this.#makePosition(known, person);
    this.#write(socket, { type: "HELLO", pos, data: { server_time_ms: this.#now() } });
    if (known === null) this.#resync(socket, person);
    else for (const entry of this.#listMissed(person, known)) this.#give(socket, person, entry);
  }

  /** What came after a position, without messages that were taken back since. */
  #listMissed(person: number, known: number): Entry[] {
    const missed = (this.#log.get(person) ?? []).filter(({ number }) => number > known);
    const gone = new Set(missed.map(({ event }) => (event.type === "MESSAGE_RECALLED" ? event.data.id : null)));
    return missed.filter(({ event }) => !("message" in event) || !gone.has(event.message.id));
  }

  #makePosition(number: number, person: number): string {
    return `fake${this.#life}-${number}-${person}`;
  }

  #readPosition(since: string, person: number): number | null {
    const number = Number(since.split("-")[1]);
    return since === this.#makePosition(number, person) && number <= this.#reached ? number : null;
  }

  #resync(socket: ServerSocket, person: number): void {
    this.#write(socket, { type: "RESYNC", pos: this.#makePosition(this.#reached, person) });
  }

  #give(socket: ServerSocket, person: number, { number, event }: Entry): void {
    const pos = this.#makePosition(number, person);
    const frame = "message" in event ? { type: event.type, pos, data: presentPush(event, person) } : { ...event, pos };
    this.#write(socket, frame);
  }

  #write(socket: ServerSocket, frame: Frame): void {
    socket.give(JSON.stringify(frame));
  }

  #find(person: number | null): ServerSocket[] {
    return [...this.#clients].filter(([, client]) => person === null || client.person === person).map(([socket]) => socket);
  }

  #end(socket: ServerSocket, code: number): void {
    this.forget(socket);
    socket.end(code);
  }
}
