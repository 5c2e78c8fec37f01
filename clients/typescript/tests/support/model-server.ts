/**
 * A Carillon in memory with one person in front of it, whose network a test holds in its hands: when a request is taken up,
 * when its answer comes or that it never does, and when frames come. It says what the server's SQL says of one person.
 */
import { CarillonError } from "../../src/api/errors";
import { Listeners } from "../../src/listeners";
import { Variable } from "../../src/observable";
import type { ApiConversation, ApiMessage, Connection, ConnectionState, Frame, PushedMessage, Rest } from "../../src/types";

export const ME = 1;

interface Kept {
  message: ApiMessage;
  peer: number;
  isUnread: boolean;
}

interface Line {
  unread: number;
  lastId: number;
  updatedAt: number;
}

/** A frame that was published, and how many NEW_MESSAGEs were published before it was written. */
interface Published {
  frame: Frame;
  after: number;
}

export class ModelServer {
  now = 1_800_000_000_000;
  readonly kept = new Map<number, Kept>();
  readonly lines = new Map<number, Line>();
  readonly accepted: ApiMessage[] = [];
  readonly #keys = new Map<string, ApiMessage>();
  readonly #recalled = new Set<number>();
  readonly newFrames: Published[] = [];
  readonly outbox: Published[] = [];
  #published = 0;
  #delivered = 0;
  #lastId = 100;

  // What happens on the server.

  /** Somebody else, an app or another device of the person writes: accepted, and persisted by `persist`. */
  accept(given: { peer: number; isMine: boolean; clientRef?: string | null; content?: string; key?: string }): ApiMessage {
    const { peer, isMine, key, content = `m${this.#lastId + 1}` } = given;
    const before = key === undefined ? undefined : this.#keys.get(key);
    if (before) return before;
    const message: ApiMessage = {
      id: ++this.#lastId,
      sender_id: isMine ? ME : peer > 0 ? peer : null,
      receiver_id: isMine ? peer : ME,
      app_id: peer < 0 ? -peer : null,
      app_name: peer < 0 ? `app ${-peer}` : null,
      type: peer > 0 ? "MESSAGE" : "NOTIFICATION",
      content_type: "TEXT",
      title: "t",
      content,
      filename: null,
      action_url: null,
      action_text: null,
      is_read: false,
      read_at: null,
      read_at_ms: null,
      created_at: new Date(this.now).toISOString().slice(0, 19),
      created_at_ms: this.now,
      client_ref: given.clientRef ?? null,
      state: peer > 0 ? null : "PENDING",
      state_text: null,
      ref: null,
      version: 1,
    };
    this.accepted.push(message);
    if (key !== undefined) this.#keys.set(key, message);
    return message;
  }

  /** Some accepted message comes into the histories: not always the oldest first, as two processes accept them. */
  persist(pick: number): void {
    const [message] = this.accepted.splice(pick % Math.max(1, this.accepted.length), 1);
    if (!message) return;
    const { id, sender_id, receiver_id } = message;
    const peer = message.app_id !== null ? -message.app_id : sender_id === ME ? (receiver_id ?? 0) : (sender_id ?? 0);
    const isUnread = sender_id !== ME;
    this.kept.set(id, { message: { ...message, is_read: sender_id === receiver_id }, peer, isUnread });
    const line = this.lines.get(peer) ?? { unread: 0, lastId: 0, updatedAt: 0 };
    this.lines.set(peer, {
      unread: line.unread + Number(isUnread),
      lastId: Math.max(line.lastId, id),
      updatedAt: Math.max(line.updatedAt, message.created_at_ms),
    });
    this.newFrames.push({ frame: { type: "NEW_MESSAGE", pos: "p", data: toPushed(message, peer) }, after: this.#published++ });
  }

  read(peer: number, upTo: number): number {
    const marked = this.#mark((one) => one.peer === peer && one.message.id <= upTo);
    if (marked.length === 0) return 0;
    const data = { conversation_id: peer, up_to_id: Math.max(...marked), unread_count: this.lines.get(peer)?.unread ?? 0 };
    this.#tell({ type: "CONVERSATION_READ", pos: "p", data });
    return marked.length;
  }

  readAll(): void {
    const marked = this.#mark(() => true);
    if (marked.length === 0) return;
    this.#tell({ type: "ALL_READ", pos: "p", data: { up_to_id: Math.max(...marked), unread_count: 0 } });
  }

  /** An app changes what it has sent: what it says, or only how far it is. What is not delivered yet is changed where it waits. */
  change(id: number, changesContent: boolean): void {
    const kept = this.kept.get(id);
    const message = kept?.message ?? this.accepted.find((one) => one.id === id);
    if (!message || message.app_id === null) return;
    const version = message.version + 1;
    const changed: ApiMessage = { ...message, version, state: "DONE", state_text: `v${version}`, ...(changesContent && { content: `m${id} v${version}` }) };
    if (!kept) return void (this.accepted[this.accepted.indexOf(message)] = changed);
    kept.message = changed;
    this.#tell({ type: "MESSAGE_UPDATED", pos: "p", data: toPushed(changed, kept.peer) });
  }

  recall(id: number): boolean {
    const waiting = this.accepted.findIndex((one) => one.id === id);
    if (waiting >= 0) {
      this.accepted.splice(waiting, 1);
      this.#recalled.add(id);
      return true;
    }
    const gone = this.kept.get(id);
    if (!gone) return this.#recalled.has(id);
    this.kept.delete(id);
    this.#recalled.add(id);
    const { peer, isUnread } = gone;
    const rest = this.#ids(peer);
    const [lastId] = rest;
    const last = lastId === undefined ? undefined : this.kept.get(lastId);
    if (!last) this.lines.delete(peer);
    else {
      const unread = (this.lines.get(peer)?.unread ?? 0) - Number(isUnread);
      this.lines.set(peer, { unread, lastId: last.message.id, updatedAt: last.message.created_at_ms });
    }
    this.#tell({ type: "MESSAGE_RECALLED", pos: "p", data: { id, conversation_id: peer } });
    return true;
  }

  // What it answers.

  listConversations(limit: number, cursor: string | null): { items: ApiConversation[]; cursor: string | null } {
    const all = [...this.lines].sort(([, a], [, b]) => b.updatedAt - a.updatedAt || b.lastId - a.lastId);
    const from = cursor === null ? 0 : all.findIndex(([, line]) => isBehind(line, cursor));
    const page = from < 0 ? [] : all.slice(from, from + limit);
    const last = page.at(-1)?.[1];
    const hasMore = from >= 0 && all.length > from + limit && last;
    return {
      items: page.map(([peer, line]) => this.#showLine(peer, line)),
      cursor: hasMore ? `${last.updatedAt}/${last.lastId}` : null,
    };
  }

  getHistory(peer: number, limit: number, before = Infinity): ApiMessage[] {
    const ids = this.#ids(peer).filter((id) => id < before);
    return ids.slice(0, limit).flatMap((id) => {
      const one = this.kept.get(id);
      return one ? [{ ...one.message, is_read: one.message.is_read || (one.message.sender_id !== ME && !one.isUnread) }] : [];
    });
  }

  countUnread(): number {
    return [...this.lines.values()].reduce((sum, { unread }) => sum + unread, 0);
  }

  tellStatus(id: number): "ACCEPTED" | "DELIVERED" | "RECALLED" {
    if (this.kept.has(id)) return "DELIVERED";
    return this.#recalled.has(id) ? "RECALLED" : "ACCEPTED";
  }

  /**
   * The next frame, of new messages or of the outbox: in order each, and what is in the outbox after the messages that
   * were published before it was written.
   */
  nextFrame(prefersOutbox: boolean): Frame | null {
    const [told] = this.outbox;
    if (told && told.after <= this.#delivered && (prefersOutbox || this.newFrames.length === 0)) {
      this.outbox.shift();
      return told.frame;
    }
    const next = this.newFrames.shift();
    if (!next) return null;
    this.#delivered += 1;
    return next.frame;
  }

  /** A resume does not replay what was recalled meanwhile. */
  isReplayed(frame: Frame): boolean {
    return (frame.type !== "NEW_MESSAGE" && frame.type !== "MESSAGE_UPDATED") || !this.#recalled.has(frame.data.id);
  }

  #ids(peer: number): number[] {
    return [...this.kept.values()].filter((one) => one.peer === peer).map((one) => one.message.id).sort((a, b) => b - a);
  }

  #mark(isMeant: (one: Kept) => boolean): number[] {
    const marked = [...this.kept.values()].filter((one) => one.isUnread && isMeant(one));
    for (const one of marked) {
      one.isUnread = false;
      const line = this.lines.get(one.peer);
      if (line) line.unread -= 1;
    }
    return marked.map((one) => one.message.id);
  }

  #tell(frame: Frame): void {
    this.outbox.push({ frame, after: this.#published });
  }

  #showLine(peer: number, { unread, lastId, updatedAt }: Line): ApiConversation {
    return {
      user_id: peer,
      username: `u${peer}`,
      full_name: `name ${peer}`,
      unread_count: unread,
      last_message: this.kept.get(lastId)?.message.content ?? "",
      last_message_type: "TEXT",
      updated_at: new Date(updatedAt).toISOString().slice(0, 19),
      updated_at_ms: updatedAt,
      is_system: peer <= 0,
      app_id: peer < 0 ? -peer : null,
      app_name: peer < 0 ? `app ${-peer}` : null,
    };
  }
}

function isBehind({ updatedAt, lastId }: Line, cursor: string): boolean {
  const [at = 0, id = 0] = cursor.split("/").map(Number);
  return updatedAt < at || (updatedAt === at && lastId < id);
}

function toPushed(message: ApiMessage, peer: number): PushedMessage {
  const { is_read: _read, read_at: _at, read_at_ms: _ms, ...data } = message;
  return { ...data, sender_name: "用户私信", conversation_id: peer };
}

interface Pending {
  take: () => void;
  isTaken: boolean;
  answer: () => void;
  fail: (error: CarillonError) => void;
}

/** The person's network: requests and frames come when the test lets them. */
export class ModelNetwork {
  readonly server = new ModelServer();
  readonly pending: Pending[] = [];
  readonly state = new Variable<ConnectionState>({ status: "idle" });
  readonly #frames = new Listeners<[Frame]>();
  readonly #fresh = new Listeners<[]>();
  #isResuming = false;

  readonly connection: Connection = {
    state: this.state,
    clockOffset: new Variable(0),
    start: () => {},
    stop: () => {},
    wake: () => {},
    onFrame: (listener) => this.#frames.add(listener),
    onFresh: (listener) => this.#fresh.add(listener),
  };

  readonly rest = {
    listConversations: ({ limit = 50, cursor = null } = {}) => this.#ask(() => this.server.listConversations(limit, cursor)),
    getHistory: (peer: number, { limit = 50, before_id }: { limit?: number; before_id?: number } = {}) =>
      this.#ask(() => this.server.getHistory(peer, limit, before_id)),
    getUnreadCount: () => this.#ask(() => this.server.countUnread()),
    markRead: (peer: number, upTo: number) => this.#ask(() => this.server.read(peer, upTo)),
    recall: (id: number) =>
      this.#ask(() => {
        if (!this.server.recall(id)) throw new CarillonError("Gone.", { status: 404, code: "UNKNOWN_MESSAGE" });
      }),
    send: (given: Parameters<Rest["send"]>[0]) =>
      this.#ask(() => {
        // An app is nobody who could be written to.
        if (given.receiver_id <= 0) throw new CarillonError("Wrong.", { status: 422, code: "VALIDATION" });
        return this.server.accept({
          peer: given.receiver_id,
          isMine: true,
          clientRef: given.client_ref ?? null,
          content: String(given.content),
          ...(given.idempotency_key !== undefined && { key: given.idempotency_key }),
        });
      }),
    request: (_method: string, path: string) =>
      this.#ask(() => ({ status: this.server.tellStatus(Number(path.split("/").at(-1))) })),
  } as unknown as Rest;

  #ask<T>(act: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let outcome: () => void = () => {};
      const pending: Pending = {
        isTaken: false,
        take: () => {
          if (pending.isTaken) return;
          pending.isTaken = true;
          try {
            const result = structuredClone(act());
            outcome = () => resolve(result);
          } catch (error) {
            outcome = () => reject(error);
          }
        },
        answer: () => {
          pending.take();
          outcome();
        },
        fail: reject,
      };
      this.pending.push(pending);
    });
  }

  get isOpen(): boolean {
    return this.state.get().status === "open";
  }

  /** The server takes up some request. */
  take(pick: number): void {
    this.pending[pick % this.pending.length]?.take();
  }

  answer(pick: number): void {
    this.pending.splice(pick % Math.max(1, this.pending.length), 1)[0]?.answer();
  }

  /** Some request has no answer, whether the server has taken it up or not. */
  lose(pick: number): void {
    const [lost] = this.pending.splice(pick % Math.max(1, this.pending.length), 1);
    lost?.fail(new CarillonError("No answer.", { code: "NO_ANSWER" }));
  }

  pass(prefersOutbox: boolean): boolean {
    if (!this.isOpen) return false;
    const frame = this.server.nextFrame(prefersOutbox);
    if (!frame) return false;
    if (!this.#isResuming || this.server.isReplayed(frame)) this.#frames.call(frame);
    if (this.server.newFrames.length === 0) this.#isResuming = false;
    return true;
  }

  open(): void {
    if (this.isOpen) return;
    this.state.set({ status: "open" });
    this.#fresh.call();
  }

  drop(): void {
    if (this.isOpen) this.state.set({ status: "waiting", attempt: 1, retryAt: 0, error: null });
  }

  /** The socket is back: with all frames since, or with a RESYNC in their place. */
  resume(isResync: boolean): void {
    if (this.isOpen) return;
    this.state.set({ status: "open" });
    this.#isResuming = true;
    if (!isResync) return;
    while (this.server.nextFrame(true));
    this.#fresh.call();
    this.#frames.call({ type: "RESYNC", pos: "p" });
  }
}
