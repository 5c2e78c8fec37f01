/** One conversation's history: the window that is loaded, kept up to date by frames. */
import { CarillonError } from "../api/errors";
import type { PushedMessage } from "../api/generated/frames";
import { Variable } from "../observable";
import type { History, Message } from "../types";
import { type StoreContext, Retry } from "./context";
import { fromAnswer, fromFrame } from "./messages";
import { insert, markRead, prepend, remove, replace, type Window } from "./window";

const PAGE = 50;
const LONG_PAGE = 100;
/** Pages that are read again at most after something was missed; what is older is forgotten, and can be loaded again. */
const MOST_PAGES = 10;

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

  constructor(context: StoreContext, peer: number) {
    this.#context = context;
    this.#peer = peer;
    this.#retry = new Retry(context.platform, () => void this.load());
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
    });
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
    const message = fromFrame(data, this.#context.person());
    if (message.client_ref !== null && message.is_mine) this.dropPending(message.client_ref);
    this.add(message);
  }

  /** A message is in the history now. */
  add(message: Message): void {
    if (this.#loads > 0) this.#arrived.add(message.id);
    if (this.#context.recalled.has(message.id)) return;
    const first = this.#window[0]?.id;
    const isOlder = this.#hasOlder && first !== undefined && message.id < first;
    if ((this.#isLoaded && !isOlder) || this.#loads > 0) this.#window = insert(this.#window, message);
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

  has(id: number): boolean {
    return this.#window.some((one) => one.id === id);
  }

  /** One load after the other, so that each knows the window that it adds to. */
  #queue(work: () => Promise<void>): Promise<void> {
    const run = (): Promise<void> => this.#context.activity.track(() => this.#run(work));
    this.#last = this.#last.then(run, run);
    return this.#last;
  }

  async #run(work: () => Promise<void>): Promise<void> {
    this.#loads += 1;
    this.#arrived = new Set();
    this.#readMeanwhile = 0;
    this.#error = null;
    this.#show();
    try {
      await work();
      this.#retry.clear();
    } catch (error) {
      if (!(error instanceof CarillonError)) throw error;
      this.#error = error;
      if (!this.#isLoaded) this.#retry.plan(error);
    } finally {
      this.#loads -= 1;
      this.#show();
    }
  }

  async #fetchDownTo(lowest: number): Promise<{ messages: Window; hasOlder: boolean }> {
    let messages: Window = [];
    const size = lowest === Infinity ? PAGE : LONG_PAGE;
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
    return page.map((one) => fromAnswer(one, this.#peer, person())).reverse();
  }

  /** What was fetched as it is now: frames may have come while it was on its way. */
  #renew(fetched: Window): Window {
    return markRead(fetched, this.#readMeanwhile).filter(({ id }) => !this.#context.recalled.has(id));
  }

  #show(): void {
    const items = this.#pending.length === 0 ? this.#window : [...this.#window, ...this.#pending];
    const [isLoading, error] = [this.#loads > 0, this.#error];
    const now = this.view.get();
    if (now.items === items && now.hasOlder === this.#hasOlder && now.isLoading === isLoading && now.error === error) return;
    this.view.set({ items, hasOlder: this.#hasOlder, isLoading, error });
  }
}
