/**
 * What the fake server knows: people, apps, messages and everybody's copies of them. Everything happens at once, and in order.
 *
 * It knows nothing of HTTP or sockets: what happened is told to `onEvent`, for each person whom it concerns.
 */
import type { CardState, Frame } from "../api/generated/frames";
import { refuse } from "./problems";

/** A person of the fake server. */
export interface FakePerson {
  id: number;
  name: string;
  mobile?: string;
  english_name?: string;
  role?: "ADMIN" | "ORDINARY_USER";
}

/** An app of the fake server. */
export interface FakeApp {
  id: number;
  app_id: string;
  name: string;
  callback_url: string;
  /** Where its buttons may lead besides the host of `callback_url`: `host` or `*.domain`. */
  redirect_hosts?: string[];
  /** The app's own names for people. Without it everybody has an account, `user<id>`. */
  accounts?: Record<string, number>;
}

export type Known = Required<FakePerson> & { isActive: boolean };

/** A message that passed the rules, but has no id yet. */
export interface Sendable {
  sender_id: number | null;
  /** Null for a broadcast. */
  receiver_id: number | null;
  app: FakeApp | null;
  type: "MESSAGE" | "NOTIFICATION";
  content_type: "TEXT" | "IMAGE" | "VIDEO" | "FILE" | "USER_NOTIFICATION";
  title: string;
  content: string;
  filename: string | null;
  action_url: string | null;
  action_text: string | null;
  client_ref: string | null;
  state: CardState | null;
  state_text: string | null;
  ref: string | null;
  /** Unix milliseconds; null for now. */
  send_at: number | null;
}

export interface Stored extends Sendable {
  id: number;
  created_at: number;
  /** 1 at first, one more with each change. */
  version: number;
  status: "SCHEDULED" | "DELIVERED" | "RECALLED";
}

/** One person's copy. `peer` is its conversation; `read_at` in Unix milliseconds. */
export interface Delivery {
  message: Stored;
  peer: number;
  read_at: number | null;
}

/** What is listed of a conversation: `last` is its newest message. */
export interface Conversation {
  peer: number;
  last: Stored;
  unread: number;
}

type Without<T> = T extends unknown ? Omit<T, "pos"> : never;
/** What a person is told: a frame without its position, or the message from which it is made for them. */
export type PushEvent = MessageEvent | Exclude<Without<Frame>, { type: MessageEvent["type"] }>;
interface MessageEvent {
  type: "NEW_MESSAGE" | "MESSAGE_UPDATED";
  message: Stored;
  peer: number;
}
/** What a change of a card may touch. */
export type CardChange = Partial<Pick<Sendable, "title" | "content" | "action_url" | "action_text" | "state" | "state_text">>;

export class World {
  readonly people = new Map<number, Known>();
  readonly apps: FakeApp[] = [];
  readonly #messages = new Map<number, Stored>();
  readonly #deliveries = new Map<number, Delivery[]>();
  readonly #now: () => number;
  readonly #onEvent: (person: number, event: PushEvent) => void;
  #lastId = 1_000;

  constructor(now: () => number, onEvent: (person: number, event: PushEvent) => void) {
    this.#now = now;
    this.#onEvent = onEvent;
  }

  /** The id of the newest message. */
  get lastId(): number {
    return this.#lastId;
  }

  addPerson({ id, name, mobile, english_name, role = "ORDINARY_USER" }: FakePerson): void {
    const more = { mobile: mobile ?? `1380000${id}`, english_name: english_name ?? `person${id}` };
    this.people.set(id, { id, name, role, ...more, isActive: true });
  }

  findApp(app_id: string): FakeApp {
    const app = this.apps.find((one) => one.app_id === app_id);
    if (!app) throw refuse("UNKNOWN_APP", "There is no such app.");
    return app;
  }

  /** Take a message; it is delivered unless it is for later. */
  accept(sendable: Sendable): Stored {
    const isLater = sendable.send_at !== null && sendable.send_at > this.#now();
    const created_at = isLater && sendable.send_at !== null ? sendable.send_at : this.#now();
    const message: Stored = { ...sendable, id: ++this.#lastId, created_at, version: 1, status: "SCHEDULED" };
    this.#messages.set(message.id, message);
    if (!isLater) this.#deliver(message);
    return message;
  }

  /** Deliver what was for later and is due by now. */
  deliverDue(): void {
    for (const message of this.#messages.values()) {
      if (message.status === "SCHEDULED" && message.created_at <= this.#now()) this.#deliver(message);
    }
  }

  /** A message that this person sent, or has. */
  findVisible(person: number, id: number): Stored {
    const message = this.#messages.get(id);
    if (message && (message.sender_id === person || this.findReceived(person, id))) return message;
    throw refuse("UNKNOWN_MESSAGE", "There is no such message.");
  }

  /** The copy that was sent to this person, and not by them to somebody else. */
  findReceived(person: number, id: number): Delivery | undefined {
    return this.#listDeliveries(person).find(({ message, peer }) => message.id === id && (message.sender_id !== person || peer === person));
  }

  /** One conversation, newest first. */
  listHistory(person: number, peer: number): Delivery[] {
    return this.#listDeliveries(person)
      .filter((one) => one.peer === peer)
      .sort((a, b) => b.message.id - a.message.id);
  }

  /** When it was read: by the other side, if the person sent it to somebody. */
  findReadAt(person: number, { message, peer, read_at }: Delivery): number | null {
    if (peer <= 0 || peer === person || message.sender_id !== person) return read_at;
    return this.#listDeliveries(peer).find((one) => one.message === message)?.read_at ?? null;
  }

  /** Newest first. */
  listConversations(person: number): Conversation[] {
    const peers = new Set(this.#listDeliveries(person).map(({ peer }) => peer));
    return [...peers]
      .flatMap((peer) => {
        const history = this.listHistory(person, peer);
        const unread = history.filter(({ read_at }) => read_at === null).length;
        return history[0] ? [{ peer, last: history[0].message, unread }] : [];
      })
      .sort((a, b) => b.last.created_at - a.last.created_at || b.last.id - a.last.id);
  }

  countUnread(person: number): number {
    return this.#listDeliveries(person).filter(({ read_at }) => read_at === null).length;
  }

  /** Mark a conversation as read up to that message; how many became read. */
  markRead(person: number, peer: number, upTo: number): number {
    const marked = this.#mark(this.listHistory(person, peer).filter(({ message }) => message.id <= upTo));
    const unread_count = this.listHistory(person, peer).filter(({ read_at }) => read_at === null).length;
    if (marked.length > 0) {
      const data = { conversation_id: peer, up_to_id: Math.max(...marked), unread_count };
      this.#onEvent(person, { type: "CONVERSATION_READ", data });
    }
    return marked.length;
  }

  markAllRead(person: number): number {
    const marked = this.#mark(this.#listDeliveries(person));
    if (marked.length > 0) this.#onEvent(person, { type: "ALL_READ", data: { up_to_id: Math.max(...marked), unread_count: 0 } });
    return marked.length;
  }

  /** A message that this app sent. */
  findSent(app: FakeApp, id: number): Stored {
    const message = this.#messages.get(id);
    if (message?.app === app) return message;
    throw refuse("UNKNOWN_MESSAGE", "There is no such message.");
  }

  /** A person's to-dos of that state, of all conversations, newest first. */
  listTodos(person: number, state: CardState): Delivery[] {
    const theirs = this.#listDeliveries(person).filter(({ message }) => message.state === state && this.findReceived(person, message.id));
    return theirs.sort((a, b) => b.message.id - a.message.id);
  }

  /** Give a message its new form, for everybody who has it. */
  change(message: Stored, change: CardChange): void {
    Object.assign(message, change, { version: message.version + 1 });
    for (const [person, deliveries] of this.#deliveries) {
      const copy = deliveries.find((one) => one.message === message);
      if (copy) this.#onEvent(person, { type: "MESSAGE_UPDATED", message, peer: copy.peer });
    }
  }

  /** Take a message back from everybody; nothing happens if that was done before. */
  recall(message: Stored): void {
    message.status = "RECALLED";
    for (const [person, deliveries] of this.#deliveries) {
      const place = deliveries.findIndex((one) => one.message === message);
      const [gone] = place < 0 ? [] : deliveries.splice(place, 1);
      if (gone) this.#onEvent(person, { type: "MESSAGE_RECALLED", data: { id: message.id, conversation_id: gone.peer } });
    }
  }

  #deliver(message: Stored): void {
    message.status = "DELIVERED";
    const { sender_id: sender, receiver_id: receiver, app } = message;
    const isPersonal = message.type === "MESSAGE" && sender !== null;
    if (receiver === null) {
      const everybody = [...this.people.values()].filter(({ isActive }) => isActive);
      for (const { id } of everybody) this.#give(id, { message, peer: -(app?.id ?? 0), read_at: null });
    } else if (!isPersonal) {
      this.#give(receiver, { message, peer: app ? -app.id : 0, read_at: null });
    } else {
      this.#give(receiver, { message, peer: sender, read_at: receiver === sender ? message.created_at : null });
      if (receiver !== sender) this.#give(sender, { message, peer: receiver, read_at: message.created_at });
    }
  }

  #give(person: number, delivery: Delivery): void {
    this.#deliveries.set(person, [...this.#listDeliveries(person), delivery]);
    this.#onEvent(person, { type: "NEW_MESSAGE", message: delivery.message, peer: delivery.peer });
  }

  #mark(deliveries: Delivery[]): number[] {
    const unread = deliveries.filter(({ read_at }) => read_at === null);
    for (const one of unread) one.read_at = this.#now();
    return unread.map(({ message }) => message.id);
  }

  #listDeliveries(person: number): Delivery[] {
    return this.#deliveries.get(person) ?? [];
  }
}
