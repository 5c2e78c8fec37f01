/** Says to a screen reader what came, politely: one message with its words, many as a number. */
import type { ApiConversation, Store } from "@carillon/client";
import type { ReactiveController, ReactiveControllerHost } from "lit";
import { announce } from "./format/content";
import { count, type Words } from "./words";

/** What comes within this time is said at once, in milliseconds. */
const GATHER = 700;

export class Announcer implements ReactiveController {
  /** What the live region has. */
  text = "";
  #end: (() => void) | null = null;
  #before: ReadonlyMap<number, ApiConversation> | null = null;
  #waiting: ApiConversation[] = [];
  #arrived = 0;
  #timer = 0;
  #store: Store | null = null;

  constructor(
    private readonly host: ReactiveControllerHost,
    private readonly words: () => Words,
  ) {
    host.addController(this);
  }

  follow(store: Store): void {
    this.#end?.();
    this.#store = store;
    this.#before = null;
    this.#end = store.conversations.subscribe(() => this.#compare(store.conversations.get().items));
  }

  hostConnected(): void {
    if (this.#store && !this.#end) this.follow(this.#store);
  }

  hostDisconnected(): void {
    window.clearTimeout(this.#timer);
    this.#end?.();
    this.#end = null;
  }

  /** A counter that rose means that something came; what was there at first is not news. */
  #compare(items: readonly ApiConversation[]): void {
    const before = this.#before;
    this.#before = items.length > 0 || before ? new Map(items.map((one) => [one.user_id, one])) : null;
    if (!before) return;
    for (const one of items) {
      const rise = one.unread_count - (before.get(one.user_id)?.unread_count ?? 0);
      if (rise <= 0) continue;
      this.#arrived += rise;
      this.#waiting.push(one);
    }
    if (this.#arrived > 0 && !this.#timer) this.#timer = window.setTimeout(() => this.#say(), GATHER);
  }

  #say(): void {
    const last = this.#waiting.at(-1);
    const words = this.words();
    if (last) this.text = this.#arrived === 1 ? announce(last, words) : count(words.newMessagesArrived, this.#arrived);
    this.#waiting = [];
    this.#arrived = 0;
    this.#timer = 0;
    this.host.requestUpdate();
  }
}
