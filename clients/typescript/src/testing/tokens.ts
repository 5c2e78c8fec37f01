/** The fake server's tokens and tickets: who shows one, and for how long it is good. */
import { refuse } from "./problems";
import type { World } from "./world";

const TICKET = 30_000;
const SIGN_ON = 60_000;

/** A person, and until when they are signed in, in Unix milliseconds. */
export interface Identity {
  person: number;
  expiresAt: number;
}

interface Ticket extends Identity {
  /** The app that may redeem it; null for one that opens a socket. */
  app_id: string | null;
  endsAt: number;
}

export class Tokens {
  readonly #world: World;
  readonly #now: () => number;
  readonly #tokens = new Map<string, Identity>();
  readonly #tickets = new Map<string, Ticket>();
  #count = 0;

  constructor(world: World, now: () => number) {
    this.#world = world;
    this.#now = now;
  }

  /** A JWT in form. The client reads its `sub`; the server knows it by heart. */
  issue(person: number, lifetime: number): string {
    const expiresAt = this.#now() + lifetime;
    const claims = { sub: String(person), exp: Math.floor(expiresAt / 1000), jti: String(++this.#count) };
    const token = [{ alg: "HS256", typ: "JWT" }, claims].map(encode).concat("fake").join(".");
    this.#tokens.set(token, { person, expiresAt });
    return token;
  }

  /** Every token that was issued until now has expired. */
  expireAll(): void {
    for (const identity of this.#tokens.values()) identity.expiresAt = this.#now();
  }

  /** Who shows this; throws 401. */
  identify(token: string): Identity {
    const identity = this.#tokens.get(token);
    if (!identity || !this.#world.people.get(identity.person)?.isActive) {
      throw refuse("NOT_SIGNED_IN", "Not signed in, or the token or signature is invalid or expired.");
    }
    if (identity.expiresAt <= this.#now()) throw refuse("TOKEN_EXPIRED", "The token has expired.");
    return identity;
  }

  /** Who shows this header; throws 401. */
  readHeader(authorization: string | null): Identity {
    if (authorization === null) throw refuse("HEADER_MISSING", "The header Authorization is missing (or X-App-Id, for an app).");
    const token = /^bearer +(\S+) *$/i.exec(authorization)?.[1];
    if (token === undefined) throw refuse("HEADER_MALFORMED", "Authorization must be: Bearer <token>.");
    return this.identify(token);
  }

  issueSocketTicket(identity: Identity): { ticket: string; expires_in: number } {
    return { ticket: this.#keep({ ...identity, app_id: null, endsAt: this.#now() + TICKET }), expires_in: TICKET / 1000 };
  }

  issueSignOnTicket(person: number, app_id: string): string {
    return this.#keep({ person, expiresAt: Infinity, app_id, endsAt: this.#now() + SIGN_ON });
  }

  /** Spend a ticket of this app, or of a socket (null). Another's attempt does not spend it. */
  redeem(ticket: string, app_id: string | null): Identity | null {
    const found = this.#tickets.get(ticket);
    if (!found || found.app_id !== app_id) return null;
    this.#tickets.delete(ticket);
    return found.endsAt > this.#now() ? found : null;
  }

  #keep(ticket: Ticket): string {
    const name = `ticket-${++this.#count}`;
    this.#tickets.set(name, ticket);
    return name;
  }
}

function encode(part: Record<string, string | number>): string {
  return btoa(JSON.stringify(part)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}
