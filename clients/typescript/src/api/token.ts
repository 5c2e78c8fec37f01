/**
 * The person's token: asked for once at a time, and again only after the server refused it.
 *
 * A client is one person's for ever. If another has signed in meanwhile, in another tab for example, then this one's person
 * is signed out: what is on the screen is theirs, and nothing of it may be done as somebody else.
 */
import type { ClientOptions, Me, TokenReason } from "../types";
import { CarillonError } from "./errors";

export class TokenSource {
  readonly #ask: ClientOptions["getToken"];
  readonly #onSignedOut: () => void;
  #token: string | null = null;
  #asked: Promise<string> | null = null;
  #reason: TokenReason = "start";
  #isSignedOut = false;
  #person: number | null = null;

  /** `onSignedOut` is called once when `ask` gives no token, or another person's; nothing is asked after that until `reset`. */
  constructor(ask: ClientOptions["getToken"], onSignedOut: () => void) {
    this.#ask = ask;
    this.#onSignedOut = onSignedOut;
  }

  readonly me: Me = {
    get: () => this.#person,
    load: async () => {
      await this.load();
      if (this.#person !== null) return this.#person;
      throw new CarillonError("The token is no JWT whose `sub` is a person's id.", { code: "NOT_CONFIGURED" });
    },
  };

  /** The token in use; null while there is none. */
  get(): string | null {
    return this.#token;
  }

  /** The token in use, or another one if it was refused. Rejects with SIGNED_OUT or NO_TOKEN. */
  async load(): Promise<string> {
    if (this.#isSignedOut) throw signedOut();
    if (this.#token !== null) return this.#token;
    this.#asked ??= this.#askOnce().finally(() => {
      this.#asked = null;
    });
    return this.#asked;
  }

  /** The server refused this token. Nothing happens if another one has taken its place already. */
  refuse(token: string | null, reason: TokenReason): void {
    if (token === null || token !== this.#token) return;
    this.#token = null;
    this.#reason = reason;
  }

  /** Begin anew after the person was signed out: `ask` is asked again. */
  reset(): void {
    if (!this.#isSignedOut) return;
    this.#isSignedOut = false;
    this.#reason = "start";
  }

  async #askOnce(): Promise<string> {
    let token: string | null;
    try {
      token = await this.#ask(this.#reason);
    } catch (cause) {
      throw new CarillonError("`getToken` failed.", { code: "NO_TOKEN", cause });
    }
    const person = token ? readPerson(token) : null;
    if (token && (this.#person === null || person === this.#person)) {
      this.#token = token;
      this.#person = person;
      return token;
    }
    this.#isSignedOut = true;
    this.#onSignedOut();
    throw signedOut();
  }
}

function signedOut(): CarillonError {
  return new CarillonError("`getToken` gave no token, or another person's.", { code: "SIGNED_OUT" });
}

/** The `sub` of a JWT, unverified: it says whose data this is, and the server says whether that is so. */
function readPerson(token: string): number | null {
  try {
    const payload = (token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    const { sub } = JSON.parse(atob(payload)) as { sub?: unknown };
    const id = Number(sub);
    return Number.isSafeInteger(id) && id > 0 ? id : null;
  } catch {
    return null;
  }
}
