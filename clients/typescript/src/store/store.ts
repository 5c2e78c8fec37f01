/** The store: fetches what is on the screen, applies frames to it, and reads again what may have been missed. */
import type { Frame } from "../api/generated/frames";
import type { Observable } from "../observable";
import type { ConversationList, Draft, History, Message, PushedMessage, Store, StoreParts } from "../types";
import { Activity } from "./activity";
import type { StoreContext } from "./context";
import { ConversationBook } from "./conversation-book";
import { HistoryBook } from "./history-book";
import { OutgoingMessages } from "./outgoing";
import { Reads } from "./reads";
import { KEPT, REMEMBERED } from "./sizes";

export class LiveStore implements Store {
  readonly conversations: Observable<ConversationList>;
  readonly unreadCount: Observable<number>;
  readonly #parts: StoreParts;
  readonly #context: StoreContext;
  readonly #list: ConversationBook;
  /** In the order in which they were opened last. */
  readonly #books = new Map<number, HistoryBook>();
  readonly #outgoing: OutgoingMessages;
  readonly #reads: Reads;
  #isReady = false;

  constructor(parts: StoreParts) {
    const { rest, platform, connection } = parts;
    this.#parts = parts;
    const person = (): number => parts.me.get() ?? 0;
    this.#context = { rest, platform, activity: new Activity(), recalled: new Set(), forms: new Map(), person };
    this.#list = new ConversationBook(this.#context);
    this.#outgoing = new OutgoingMessages(this.#context, (peer) => this.#book(peer));
    this.#reads = new Reads(this.#context, () => this.#noteRead());
    this.conversations = this.#list.view;
    this.unreadCount = this.#list.unread;
    connection.onFresh(() => this.#readAgain());
    connection.onFrame((frame) => this.#take(frame));
    connection.state.subscribe(() => this.#followConnection());
  }

  history(peer: number): Observable<History> {
    return this.#book(peer).view;
  }

  open(peer: number): () => void {
    const book = this.#book(peer);
    this.#books.delete(peer);
    this.#books.set(peer, book);
    book.holders += 1;
    // Also if it is there: no frame tells when the other side has read what I sent.
    if (this.#isReady) void (book.holders === 1 ? book.reload() : book.load());
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      book.holders -= 1;
      if (book.holders === 0) book.trim();
      this.#forgetOldBooks();
    };
  }

  loadOlder(peer: number): Promise<void> {
    const book = this.#book(peer);
    return book.isLoaded ? book.loadOlder() : book.load();
  }

  refresh(peer: number): Promise<void> {
    const book = this.#books.get(peer);
    return book?.isLoaded ? book.reload() : Promise.resolve();
  }

  loadMoreConversations(): Promise<void> {
    return this.#list.loadMore();
  }

  async send(peer: number, draft: Draft): Promise<Message> {
    await this.#context.activity.track(() => this.#parts.me.load());
    return this.#outgoing.send(peer, draft);
  }

  retry(clientRef: string): Promise<Message> {
    return this.#outgoing.retry(clientRef);
  }

  discard(clientRef: string): void {
    this.#outgoing.discard(clientRef);
  }

  async recall(peer: number, messageId: number): Promise<void> {
    await this.#context.activity.track(() => this.#context.rest.recall(messageId));
    this.#noteRecall(peer, messageId);
    this.#list.doubt();
  }

  markRead(peer: number, upToId: number): void {
    this.#reads.mark(peer, upToId);
  }

  settled(): Promise<void> {
    return this.#context.activity.settled();
  }

  #book(peer: number): HistoryBook {
    let book = this.#books.get(peer);
    if (!book) {
      book = new HistoryBook(this.#context, peer, (message) => this.#outgoing.noteShown(message));
      this.#books.set(peer, book);
    }
    return book;
  }

  #take(frame: Frame): void {
    switch (frame.type) {
      case "NEW_MESSAGE":
        this.#books.get(frame.data.conversation_id)?.take(frame.data);
        break;
      case "MESSAGE_UPDATED":
        this.#noteForm(frame.data);
        break;
      case "MESSAGE_RECALLED":
        this.#noteRecall(frame.data.conversation_id, frame.data.id);
        break;
      case "CONVERSATION_READ":
        this.#books.get(frame.data.conversation_id)?.readUpTo(frame.data.up_to_id);
        break;
      case "ALL_READ":
        for (const book of this.#books.values()) {
          book.readUpTo(frame.data.up_to_id);
          // Up to where over all conversations: in this one, something older may have come since.
          book.refresh();
        }
        break;
    }
    this.#list.take(frame);
  }

  #noteRecall(peer: number, id: number): void {
    const { recalled } = this.#context;
    recalled.add(id);
    forgetOldest(recalled);
    this.#books.get(peer)?.removeMessage(id);
  }

  #noteForm(data: PushedMessage): void {
    const { forms } = this.#context;
    if (data.version <= (forms.get(data.id)?.version ?? 0)) return;
    forms.delete(data.id);
    forms.set(data.id, data);
    forgetOldest(forms);
    this.#books.get(data.conversation_id)?.renew();
  }

  /** A first socket, or something was missed: what is loaded is read again. */
  #readAgain(): void {
    this.#isReady = true;
    void this.#list.reload();
    for (const book of this.#books.values()) book.refresh();
  }

  /** Without a socket things are read all the same: it may be sockets alone that do not get through. */
  #followConnection(): void {
    const { status } = this.#parts.connection.state.get();
    if (status === "open") this.#reads.tellAll();
    if (!this.#isReady && (status === "waiting" || status === "offline")) {
      void this.#parts.me.load().then(
        () => !this.#isReady && this.#readAgain(),
        () => {}, // No token: the next attempt of the connection asks again, and its state says so.
      );
    }
  }

  /** Its frame says the same, if there is a socket. */
  #noteRead(): void {
    if (this.#parts.connection.state.get().status !== "open") this.#list.doubt();
  }

  #forgetOldBooks(): void {
    const closed = [...this.#books.values()].filter(({ holders, isLoaded }) => !holders && isLoaded);
    for (const book of closed.slice(0, -KEPT)) book.unload();
  }
}

/** Keep no more than are remembered; the oldest is the first. */
function forgetOldest(all: Set<number> | Map<number, unknown>): void {
  for (const one of all.keys()) if (all.size > REMEMBERED) all.delete(one);
}
