/**
 * Asks again whether the other side has read what I sent: no frame tells it.
 *
 * It asks when that is likely: when they answer, when the person comes back to the page, and a few times after a send. Only
 * of what is on the screen, in a page that is looked at, while something is unread; never by the clock alone.
 */
import type { CarillonClient, Message } from "@carillon/client";
import type { ReactiveController, ReactiveControllerHost } from "lit";

/** After a send, in milliseconds. */
const AFTER_SEND = [4_000, 15_000, 60_000];
/** After an answer: their reading is told to the server a moment after it. */
const AFTER_ANSWER = 600;
/** A longer history takes several requests: its ticks wait until it is opened anew. */
const LONGEST = 100;

export class Receipts implements ReactiveController {
  #client: CarillonClient | null = null;
  #peer = 0;
  #newest = 0;
  #end: (() => void) | null = null;
  #timers: number[] = [];

  constructor(host: ReactiveControllerHost) {
    host.addController(this);
  }

  follow(client: CarillonClient, peer: number): void {
    this.hostDisconnected();
    this.#client = client;
    this.#peer = peer;
    this.#newest = this.#items.at(-1)?.id ?? 0;
    this.hostConnected();
  }

  hostConnected(): void {
    if (!this.#client || this.#end) return;
    this.#end = this.#client.store.history(this.#peer).subscribe(() => this.#look());
    window.addEventListener("focus", this.#ask);
  }

  hostDisconnected(): void {
    this.#end?.();
    this.#end = null;
    this.#cancel();
    window.removeEventListener("focus", this.#ask);
  }

  get #items(): readonly Message[] {
    return this.#client?.store.history(this.#peer).get().items ?? [];
  }

  /** Something is in the history that was not: mine, or theirs. */
  #look(): void {
    const newest = this.#items.findLast((one) => one.id > 0);
    if (!newest || newest.id <= this.#newest) return;
    const isFirstPage = this.#newest === 0;
    this.#newest = newest.id;
    if (isFirstPage) return;
    this.#cancel();
    this.#timers = (newest.is_mine ? AFTER_SEND : [AFTER_ANSWER]).map((after) => window.setTimeout(this.#ask, after));
  }

  #ask = (): void => {
    const items = this.#items;
    const isLookedAt = document.visibilityState === "visible" && document.hasFocus();
    const isWaiting = items.some((one) => one.is_mine && one.id > 0 && !one.is_read);
    if (!isLookedAt || !isWaiting || items.length > LONGEST) return;
    if (this.#client?.connection.state.get().status !== "open") return;
    void this.#client.store.refresh(this.#peer);
  };

  #cancel(): void {
    for (const timer of this.#timers) window.clearTimeout(timer);
    this.#timers = [];
  }
}
