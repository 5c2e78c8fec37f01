/** One conversation's history: the window that is loaded, kept up to date by frames. */
import { CarillonError } from "../api/errors";
import type { PushedMessage } from "../api/generated/frames";
import { Variable } from "../observable";
import type { History, Message } from "../types";
import { type StoreContext, Retry } from "./context";
import { takeForm, toMessage } from "./messages";
import { LARGEST_HISTORY_PAGE, MOST_PAGES, PAGE } from "./sizes";
import { insert, markRead, prepend, remove, replace, type Window } from "./window";

export class HistoryBook {
  readonly view = new Variable<History>({ items: [], hasOlder: false, isLoading: false, error: null });
  /** How many hold it open. */
  holders = 0;
  readonly #context: StoreContext;
  readonly #peer: number;
  readonly #retry: Retry;
  #window: Window = [];
  #pending: readonly Message[] = [];
  #isLoaded = false;
  #hasOlder = false;
  #error: CarillonError | null = null;
  #loads = 0;
  /** While something is loaded: the messages that frames brought meanwhile, and up to where they said it is read. */
  #arrived = new Set<number>();
  #readMeanwhile = 0;
  #last: Promise<void> = Promise.resolve();
  #wantsReload = false;
  #hasLate = false;
  readonly #onShown: (message: Message) => void;

  /** `onShown` is told of every message of the person's that the server shows. */
  constructor(context: StoreContext, peer: number, onShown: (message: Message) => void) {
    this.#context = context;
    this.#peer = peer;
    this.#onShown = onShown;
    this.#retry = new Retry(context.platform, () => void this.reload());
  }

  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  /** Load the newest page, unless it is there. */
  load(): Promise<void> {
    return this.#isLoaded ? Promise.resolve() : this.reload();
  }

  /** Read the whole window again; several that ask at once share one. */
  reload(): Promise<void> {
    if (this.#wantsReload) return this.#last;
    this.#wantsReload = true;
    return this.#queue(async () => {
      this.#wantsReload = false;
      const lowest = this.#isLoaded ? (this.#window[0]?.id ?? 0) : Infinity;
      const fetched = await this.#fetchDownTo(lowest);
      this.#window = replace(this.#window, this.#renew(fetched.messages), this.#arrived);
      this.#hasOlder = fetched.hasOlder;
      this.#isLoaded = true;
    }, true);
  }

  /** Read it again if somebody holds it open, and let it go if not. */
  refresh(): void {
    if (this.holders > 0) void this.reload();
    else if (this.#isLoaded) this.unload();
  }

  loadOlder(): Promise<void> {
    return this.#queue(async () => {
      if (!this.#isLoaded || !this.#hasOlder) return;
      const page = await this.#fetch(PAGE, this.#window[0]?.id);
      this.#window = prepend(this.#window, this.#renew(page));
      this.#hasOlder = page.length === PAGE;
    });
  }

  /** Let it go, down to the newest page: what is older can be loaded again. */
  trim(): void {
    if (this.#window.length <= PAGE) return;
    this.#window = this.#window.slice(-PAGE);
    this.#hasOlder = true;
    this.#show();
  }

  /** Forget what is loaded. What is being sent stays. */
  unload(): void {
    this.#retry.clear();
    this.#window = [];
    this.#isLoaded = this.#hasOlder = false;
    this.#error = null;
    this.#show();
  }

  take(data: PushedMessage): void {
    const message = toMessage(data, this.#peer, this.#context.person());
    this.#note(message);
    // It came behind a newer one. Whether a read up to that one was of this one too, no frame tells.
    if (message.id < (this.#window.at(-1)?.id ?? 0)) {
      this.#hasLate = true;
      this.refresh();
    }
    this.add(message);
  }

  /** A message is in the history now. */
  add(given: Message): void {
    const message = this.#newest(given);
    if (this.#loads > 0) this.#arrived.add(message.id);
    if (this.#context.recalled.has(message.id)) return;
    const first = this.#window[0]?.id;
    const isOlder = this.#hasOlder && first !== undefined && message.id < first;
    if ((this.#isLoaded && !isOlder) || this.#loads > 0) this.#window = insert(this.#window, message);
    this.#show();
  }

  /** Messages were changed: show their newest forms. */
  renew(): void {
    this.#window = this.#window.map((one) => this.#newest(one));
    this.#show();
  }

  removeMessage(id: number): void {
    this.#window = remove(this.#window, id);
    this.#show();
  }

  readUpTo(id: number): void {
    this.#readMeanwhile = Math.max(this.#readMeanwhile, id);
    this.#window = markRead(this.#window, id);
    this.#show();
    if (this.#hasLate) this.refresh();
  }

  /** Show something that has no id yet, at the end; instead of what has its `client_ref`. */
  putPending(message: Message): void {
    const isThere = this.#pending.some(({ client_ref }) => client_ref === message.client_ref);
    this.#pending = isThere
      ? this.#pending.map((one) => (one.client_ref === message.client_ref ? message : one))
      : [...this.#pending, message];
    this.#show();
  }

  dropPending(ref: string): void {
    this.#pending = this.#pending.filter(({ client_ref }) => client_ref !== ref);
    this.#show();
  }

  /** One load after the other, so that each knows the window that it adds to. */
  #queue(work: () => Promise<void>, isReload = false): Promise<void> {
    const run = (): Promise<void> => this.#context.activity.track(() => this.#run(work, isReload));
    this.#last = this.#last.then(run, run);
    return this.#last;
  }

  async #run(work: () => Promise<void>, isReload: boolean): Promise<void> {
    this.#loads += 1;
    this.#arrived = new Set();
    this.#readMeanwhile = 0;
    this.#error = null;
    this.#show();
    try {
      await work();
      if (isReload) this.#retry.clear();
    } catch (error) {
      if (!(error instanceof CarillonError)) throw error;
      this.#error = error;
      if (isReload) this.#retry.plan(error);
    } finally {
      this.#loads -= 1;
      this.#show();
    }
  }

  async #fetchDownTo(lowest: number): Promise<{ messages: Window; hasOlder: boolean }> {
    let messages: Window = [];
    const size = lowest === Infinity ? PAGE : LARGEST_HISTORY_PAGE;
    for (let pages = 1; ; pages++) {
      const page = await this.#fetch(size, messages[0]?.id);
      messages = [...page, ...messages];
      if (page.length < size) return { messages, hasOlder: false };
      if (lowest === Infinity || (messages[0]?.id ?? 0) <= lowest || pages === MOST_PAGES) return { messages, hasOlder: true };
    }
  }

  /** A page, oldest first. */
  async #fetch(limit: number, before?: number): Promise<Window> {
    const { rest, person } = this.#context;
    const page = await rest.getHistory(this.#peer, { limit, ...(before !== undefined && { before_id: before }) });
    const messages = page.map((one) => toMessage(one, this.#peer, person())).reverse();
    for (const one of messages) this.#note(one);
    return messages;
  }

  /** The server has it: it is not being sent any more. */
  #note(message: Message): void {
    if (message.client_ref === null) return;
    this.dropPending(message.client_ref);
    this.#onShown(message);
  }

  /** What was fetched as it is now: frames may have come while it was on its way. */
  #renew(fetched: Window): Window {
    const here = fetched.filter(({ id }) => !this.#context.recalled.has(id)).map((one) => this.#newest(one));
    return markRead(here, this.#readMeanwhile);
  }

  #newest(message: Message): Message {
    const { forms, person } = this.#context;
    return takeForm(message, forms.get(message.id), person());
  }

  #show(): void {
    const items = this.#pending.length === 0 ? this.#window : [...this.#window, ...this.#pending];
    this.view.update({ items, hasOlder: this.#hasOlder, isLoading: this.#loads > 0, error: this.#error });
  }
}
