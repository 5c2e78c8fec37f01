/** What the parts of the store share. */
import type { CarillonError } from "../api/errors";
import { pickPause } from "../backoff";
import type { Platform } from "../platform";
import type { PushedMessage, Rest } from "../types";
import type { Activity } from "./activity";

export interface StoreContext {
  rest: Rest;
  platform: Platform;
  activity: Activity;
  /** Messages that were taken back: no page or answer that is older than the recall may bring them in again. */
  recalled: Set<number>;
  /** Newest forms of messages that were changed, as frames told them: an older form may come behind one. */
  forms: Map<number, PushedMessage>;
  /** Whose store it is; known before anything is loaded. */
  person(): number;
}

/** Tries again what failed for now, after growing pauses; nothing is in flight meanwhile, the error is on show. */
export class Retry {
  readonly #platform: Platform;
  readonly #act: () => void;
  #failures = 0;
  #end: () => void = () => {};

  constructor(platform: Platform, act: () => void) {
    this.#platform = platform;
    this.#act = act;
  }

  /** It failed. What cannot succeed later is not tried again by itself. */
  plan(error: CarillonError): void {
    this.#end();
    if (!error.isTemporary) return;
    this.#failures += 1;
    const pause = pickPause(this.#failures, this.#platform.random());
    this.#end = this.#platform.after(Math.max(pause, error.retryAfter ?? 0), this.#act);
  }

  /** It succeeded, or is not wanted any more. */
  clear(): void {
    this.#end();
    this.#failures = 0;
  }
}
