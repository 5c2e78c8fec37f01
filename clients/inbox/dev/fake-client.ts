/** A client without a server, for looking at the inbox and for its tests: what it has, it was given, and what it does, it does here. */
import {
  CarillonError,
  type ApiConversation,
  type AppAccount,
  type CarillonClient,
  type ConnectionState,
  type ConversationList,
  type Draft,
  type History,
  type Message,
  type Person,
  type Rest,
  type Store,
} from "@carillon/client";
import { Variable } from "@carillon/client/observable";

export const PAGE = 50;
const ME = 31000;

export interface FakeData {
  conversations: ApiConversation[];
  /** By conversation, oldest first. */
  messages: Map<number, Message[]>;
  people: Person[];
  apps: AppAccount[];
}

export class FakeClient implements CarillonClient {
  readonly me = { get: () => ME, load: () => Promise.resolve(ME) };
  readonly state = new Variable<ConnectionState>({ status: "idle" });
  readonly list = new Variable<ConversationList>({ items: [], hasMore: false, isLoading: true, error: null });
  readonly unread = new Variable(0);
  readonly histories = new Map<number, Variable<History>>();
  /** Every call of `markRead`, for tests. */
  readonly reads: [peer: number, upTo: number][] = [];
  /** What a message's content is when it is read again, by its id. */
  readonly fresh = new Map<number, string>();
  /** What the next sends, pages and searches run into. */
  failWith: CarillonError | null = null;
  /** How long an answer takes, in milliseconds. */
  delay = 30;
  /** Whether the other side reads what comes. */
  isRead = false;
  /** Every call of `refresh`, for tests. */
  readonly refreshed: number[] = [];
  readonly #loaded = new Map<number, number>();
  #nextId = 9_000_000;

  constructor(readonly data: FakeData) {}

  readonly rest = new Proxy({} as Rest, {
    get: (_, name: string) => {
      const calls: Record<string, unknown> = {
        resolve: (address: string) => new URL(address, location.href).href,
        searchPeople: async (q: string) => {
          await this.#answer();
          return this.data.people.filter((one) => `${one.name} ${one.english_name} ${one.mobile}`.includes(q));
        },
        listLaunchpadApps: async () => {
          await this.#answer();
          return this.data.apps;
        },
        signOn: async () => {
          await this.#answer();
          return `${location.origin}/signed-on`;
        },
        upload: this.#upload,
        request: async (_method: string, path: string) => {
          await this.#answer();
          const id = Number(path.split("/").at(-1));
          const found = [...this.data.messages.values()].flat().find((one) => one.id === id);
          return found && { ...found, content: this.fresh.get(id) ?? found.content };
        },
      };
      return calls[name];
    },
  });

  readonly connection = {
    state: this.state,
    clockOffset: new Variable(0),
    start: (): void => this.state.set({ status: "open" }),
    stop: (): void => this.state.set({ status: "stopped", reason: "closed", code: null, error: null }),
    wake: (): void => this.state.set({ status: "open" }),
    onFrame: () => () => undefined,
    onFresh: () => () => undefined,
  };

  readonly store: Store = {
    conversations: this.list,
    unreadCount: this.unread,
    history: (peer) => this.historyOf(peer),
    open: (peer) => {
      if (!this.#loaded.has(peer)) void this.loadOlder(peer);
      return () => undefined;
    },
    loadOlder: (peer) => this.loadOlder(peer),
    refresh: (peer) => this.refresh(peer),
    loadMoreConversations: () => this.loadConversations(),
    send: (peer, draft) => this.send(peer, draft),
    retry: (ref) => this.retry(ref),
    discard: (ref) => this.#change((one) => (one.client_ref === ref ? null : one)),
    recall: async (_peer, id) => {
      await this.#answer();
      this.#change((one) => (one.id === id ? null : one));
    },
    markRead: (peer, upTo) => this.markRead(peer, upTo),
    settled: () => Promise.resolve(),
  };

  start(): void {
    this.connection.start();
    void this.loadConversations();
  }

  stop(): void {
    this.connection.stop();
  }

  async openAction(): Promise<void> {
    await this.#answer();
    window.open("about:blank", "_blank");
  }

  historyOf(peer: number): Variable<History> {
    const history = this.histories.get(peer) ?? new Variable<History>({ items: [], hasOlder: false, isLoading: true, error: null });
    this.histories.set(peer, history);
    return history;
  }

  async loadConversations(): Promise<void> {
    this.list.set({ ...this.list.get(), isLoading: true, error: null });
    try {
      await this.#answer();
      this.#showList();
    } catch (error) {
      this.list.set({ ...this.list.get(), isLoading: false, error: error as CarillonError });
    }
  }

  async loadOlder(peer: number): Promise<void> {
    const history = this.historyOf(peer);
    history.set({ ...history.get(), isLoading: true, error: null });
    try {
      await this.#answer();
      this.#loaded.set(peer, (this.#loaded.get(peer) ?? 0) + PAGE);
      this.#show(peer);
    } catch (error) {
      history.set({ ...history.get(), isLoading: false, error: error as CarillonError });
    }
  }

  /** The other side's reading is only seen when the history is read again, as with the real one. */
  async refresh(peer: number): Promise<void> {
    await this.#answer();
    this.refreshed.push(peer);
    if (this.isRead) this.#change((one) => (one.conversation_id === peer && one.is_mine && one.id > 0 && !one.is_read ? { ...one, is_read: true, read_at_ms: Date.now() } : one));
  }

  /** Load a history as a whole. */
  loadAll(peer: number): void {
    this.#loaded.set(peer, 1e9);
    this.#show(peer);
  }

  /** Another person or an app says something. */
  receive(peer: number, given: Partial<Message> = {}): Message {
    const message = { ...makeMessage(peer, this.#nextId++), created_at_ms: Date.now(), ...given };
    this.#add(peer, message);
    return message;
  }

  /** An app changes a card. */
  update(id: number, form: Partial<Message>): void {
    this.#change((one) => (one.id === id ? { ...one, ...form, version: one.version + 1 } : one));
  }

  async send(peer: number, draft: Draft): Promise<Message> {
    const ref = crypto.randomUUID();
    const message: Message = {
      ...makeMessage(peer, 0),
      client_ref: ref,
      sender_id: ME,
      is_mine: true,
      created_at_ms: Date.now(),
      delivery: "sending",
      content: String(draft.content),
      content_type: draft.content_type ?? "TEXT",
    };
    this.#add(peer, message);
    return this.#deliver(ref);
  }

  async retry(ref: string): Promise<Message> {
    this.#change((one) => (one.client_ref === ref ? { ...one, delivery: "sending", error: null } : one));
    return this.#deliver(ref);
  }

  async #deliver(ref: string): Promise<Message> {
    try {
      await this.#answer();
    } catch (error) {
      this.#change((one) => (one.client_ref === ref ? { ...one, delivery: "failed", error: error as CarillonError } : one));
      throw error;
    }
    const id = this.#nextId++;
    this.#change((one) => (one.client_ref === ref ? { ...one, id, delivery: "sent" } : one));
    const sent = [...this.data.messages.values()].flat().find((one) => one.id === id);
    if (!sent) throw new Error("It was taken away.");
    return sent;
  }

  markRead(peer: number, upTo: number): void {
    this.reads.push([peer, upTo]);
    this.#change((one) => (one.conversation_id === peer && !one.is_mine && one.id <= upTo && !one.is_read ? { ...one, is_read: true } : one));
  }

  #upload = async (file: File, options: { onProgress?: (fraction: number) => void; signal?: AbortSignal } = {}) => {
    for (let step = 1; step <= 10; step++) {
      await this.#answer();
      options.signal?.throwIfAborted();
      options.onProgress?.(step / 10);
    }
    const content_type = file.type.startsWith("image/") ? "IMAGE" : file.type.startsWith("video/") ? "VIDEO" : "FILE";
    return { key: `up/${crypto.randomUUID()}`, content_type };
  };

  #add(peer: number, message: Message): void {
    const all = this.data.messages.get(peer) ?? [];
    this.data.messages.set(peer, [...all, message]);
    if (!this.#loaded.has(peer)) this.#loaded.set(peer, PAGE);
    this.#loaded.set(peer, (this.#loaded.get(peer) ?? 0) + 1);
    this.#show(peer);
    this.#showList();
  }

  #change(change: (one: Message) => Message | null): void {
    for (const [peer, all] of this.data.messages) {
      const next = all.map(change).filter((one) => one !== null);
      if (next.length === all.length && next.every((one, index) => one === all[index])) continue;
      this.data.messages.set(peer, next);
      if (this.histories.has(peer)) this.#show(peer);
    }
    this.#showList();
  }

  #show(peer: number): void {
    const all = this.data.messages.get(peer) ?? [];
    const loaded = this.#loaded.get(peer) ?? 0;
    this.historyOf(peer).set({ items: all.slice(-loaded), hasOlder: all.length > loaded, isLoading: false, error: null });
  }

  #showList(): void {
    const items = [...this.data.messages].map(([peer, all]) => this.#summarize(peer, all)).filter((one) => one !== null);
    items.sort((one, other) => other.updated_at_ms - one.updated_at_ms);
    this.list.set({ items, hasMore: false, isLoading: false, error: null });
    this.unread.set(items.reduce((sum, one) => sum + one.unread_count, 0));
  }

  #summarize(peer: number, all: readonly Message[]): ApiConversation | null {
    const last = all.at(-1);
    if (!last) return null;
    const known = this.data.conversations.find((one) => one.user_id === peer);
    const person = this.data.people.find((one) => one.id === peer);
    const name = known?.full_name ?? person?.name ?? String(peer);
    return {
      user_id: peer,
      username: known?.username ?? person?.mobile ?? "",
      full_name: name,
      is_system: peer <= 0,
      app_id: peer < 0 ? -peer : null,
      app_name: peer < 0 ? name : null,
      unread_count: all.filter((one) => !one.is_mine && !one.is_read).length,
      last_message: last.content.slice(0, 200),
      last_message_type: last.content_type,
      updated_at: "",
      updated_at_ms: last.created_at_ms,
    };
  }

  #answer(): Promise<void> {
    return new Promise((resolve, reject) => {
      setTimeout(() => (this.failWith ? reject(this.failWith) : resolve()), this.delay);
    });
  }
}

export function makeMessage(peer: number, id: number): Message {
  return {
    id,
    client_ref: null,
    conversation_id: peer,
    sender_id: peer > 0 ? peer : null,
    receiver_id: ME,
    app_id: peer < 0 ? -peer : null,
    app_name: null,
    type: peer > 0 ? "MESSAGE" : "NOTIFICATION",
    content_type: "TEXT",
    title: "私信",
    content: "",
    filename: null,
    action_url: null,
    action_text: null,
    state: null,
    state_text: null,
    ref: null,
    version: 1,
    created_at_ms: 0,
    is_read: false,
    read_at_ms: null,
    is_mine: false,
    delivery: "sent",
    error: null,
  };
}
