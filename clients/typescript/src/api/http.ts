/** Requests to the API as the person: tokens, time-outs and repetitions. Which requests there are is known in `rest.ts`. */
import { pickPause } from "../backoff";
import type { Platform } from "../platform";
import type { RequestOptions } from "../types";
import type { Addresses } from "./addresses";
import { readAnswer } from "./answers";
import { CarillonError } from "./errors";
import type { TokenSource } from "./token";

const TIMEOUT = 30_000;
const LONGEST_PAUSE = 10_000;
/** A longer pause that the server asks for is not waited for here: the error says how long it is. */
const LONGEST_WAIT = 30_000;
const REPEATABLE = ["GET", "PUT", "DELETE"];

export interface Answer {
  body: unknown;
  headers: Headers;
}

interface HttpParts {
  platform: Platform;
  addresses: Addresses;
  tokens: TokenSource;
}

export class Http {
  readonly #parts: HttpParts;

  constructor(parts: HttpParts) {
    this.#parts = parts;
  }

  /** Ask as the person, and ask again what may be repeated if it fails for now. */
  async ask(method: string, path: string, options: RequestOptions = {}): Promise<Answer> {
    const isRepeatable = REPEATABLE.includes(method) || "Idempotency-Key" in (options.headers ?? {});
    const retries = options.retries ?? (isRepeatable ? 2 : 0);
    for (let failures = 1; ; failures++) {
      try {
        return await this.#askWithToken(method, path, options);
      } catch (error) {
        if (!(error instanceof CarillonError) || failures > retries || !isWorthRepeating(error, failures)) throw error;
        const pause = (error.retryAfter ?? 0) + pickPause(failures, this.#parts.platform.random(), LONGEST_PAUSE);
        await this.#wait(pause, options.signal);
      }
    }
  }

  /**
   * One request, sent by `send`, without a token. Rejects with NO_ANSWER, ABORTED or what the answer says. A `timeout` of
   * Infinity is none.
   */
  async exchange(
    send: (signal: AbortSignal) => Promise<Response>,
    options: { signal: AbortSignal | undefined; timeout: number },
  ): Promise<Answer> {
    const { signal, timeout } = options;
    if (signal?.aborted) throw aborted(signal.reason);
    const controller = new AbortController();
    const abort = (): void => controller.abort();
    signal?.addEventListener("abort", abort);
    const endTimer = timeout === Infinity ? undefined : this.#parts.platform.after(timeout, abort);
    try {
      const response = await send(controller.signal);
      return { body: await readAnswer(response, this.#parts.platform.now()), headers: response.headers };
    } catch (error) {
      if (error instanceof CarillonError) throw error;
      if (signal?.aborted) throw aborted(error);
      const why = controller.signal.aborted
        ? `There was no answer in ${timeout / 1000} s.`
        : "The server was not reached, or does not allow this page's origin.";
      throw new CarillonError(why, { code: "NO_ANSWER", cause: error });
    } finally {
      endTimer?.();
      signal?.removeEventListener("abort", abort);
    }
  }

  /** A token that the server refuses is replaced once. */
  async #askWithToken(method: string, path: string, options: RequestOptions): Promise<Answer> {
    for (let isSecond = false; ; isSecond = true) {
      const token = await this.#parts.tokens.load();
      try {
        return await this.#askWith(token, method, path, options);
      } catch (error) {
        if (!(error instanceof CarillonError) || error.status !== 401) throw error;
        this.#parts.tokens.refuse(token, error.code === "TOKEN_EXPIRED" ? "expired" : "refused");
        if (isSecond) throw error;
      }
    }
  }

  #askWith(token: string, method: string, path: string, options: RequestOptions): Promise<Answer> {
    const { query, body, signal, timeout = TIMEOUT } = options;
    const headers: Record<string, string> = { Authorization: `Bearer ${token}`, ...options.headers };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const init: RequestInit = { method, headers, body: body === undefined ? null : JSON.stringify(body) };
    const url = this.#parts.addresses.api(path, query).href;
    // Called without its platform: a browser's own fetch refuses to be a method of something else.
    const { fetch } = this.#parts.platform;
    return this.exchange((ended) => fetch(url, { ...init, signal: ended }), { signal, timeout });
  }

  /** Resolves after the pause, or as soon as the caller ends the request: the next attempt says so then. */
  #wait(pause: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const endTimer = this.#parts.platform.after(pause, resolve);
      const abort = (): void => {
        endTimer();
        resolve();
      };
      signal?.addEventListener("abort", abort, { once: true });
    });
  }
}

function aborted(cause: unknown): CarillonError {
  return new CarillonError("The caller ended the request.", { code: "ABORTED", cause });
}

/** What failed inside of the server is tried once more only: a second time it is likely to stay. */
function isWorthRepeating(error: CarillonError, failures: number): boolean {
  if (!error.isTemporary || error.code === "NO_TOKEN" || (error.retryAfter ?? 0) > LONGEST_WAIT) return false;
  return error.status !== 500 || failures === 1;
}
