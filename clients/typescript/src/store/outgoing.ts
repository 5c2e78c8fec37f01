/** What the person sends: shown at once, tried with one key, and reconciled with whichever comes first, answer or frame. */
import { CarillonError } from "../api/errors";
import type { Draft, Message, SendRequest } from "../types";
import type { StoreContext } from "./context";
import type { HistoryBook } from "./history-book";
import { fromDraft, toMessage } from "./messages";

/** How long the frame of an accepted message is waited for before the send counts as over all the same. */
const PATIENCE = 10_000;

interface Outgoing {
  peer: number;
  request: SendRequest & { client_ref: string };
  shown: Message;
  isFailed: boolean;
  /** As the server has shown it, in a frame or a history. */
  seen?: Message;
}

export class OutgoingMessages {
  readonly #context: StoreContext;
  readonly #book: (peer: number) => HistoryBook;
  /** What the server has not shown yet: it is being sent, it failed, or it was accepted. */
  readonly #all = new Map<string, Outgoing>();
  readonly #awaited = new Map<string, () => void>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(context: StoreContext, book: (peer: number) => HistoryBook) {
    this.#context = context;
    this.#book = book;
  }

  send(peer: number, draft: Draft): Promise<Message> {
    const { platform, person } = this.#context;
    const ref = platform.uuid();
    const shown = fromDraft(draft, { ref, peer, me: person(), now: platform.now() });
    return this.#try({
      peer,
      request: { ...draft, receiver_id: peer, client_ref: ref, idempotency_key: ref },
      shown,
      isFailed: false,
    });
  }

  /** Try one again that failed, with the same key: if it was accepted all the same, it is not sent twice. */
  async retry(ref: string): Promise<Message> {
    const failed = this.#all.get(ref);
    if (failed?.isFailed) return this.#try(failed);
    throw new CarillonError("It has not failed.", { code: "UNKNOWN_MESSAGE" });
  }

  discard(ref: string): void {
    const failed = this.#all.get(ref);
    if (!failed?.isFailed) return;
    this.#all.delete(ref);
    this.#book(failed.peer).dropPending(ref);
  }

  /** The server has shown a message of the person's, in a frame or a history. */
  noteShown(message: Message): void {
    const ref = message.client_ref ?? "";
    const one = this.#all.get(ref);
    if (one) one.seen = message;
    this.#all.delete(ref);
    this.#awaited.get(ref)?.();
    this.#awaited.delete(ref);
  }

  /** One after another: they arrive in the order in which they were written. */
  #try(one: Outgoing): Promise<Message> {
    const { activity } = this.#context;
    one.isFailed = false;
    this.#all.set(one.request.client_ref, one);
    this.#book(one.peer).putPending({ ...one.shown, delivery: "sending", error: null });
    const post = (): Promise<Message> => this.#post(one);
    const result = activity.track(() => this.#last.then(post, post));
    this.#last = result;
    return result;
  }

  async #post(one: Outgoing): Promise<Message> {
    const { peer, request, shown } = one;
    const book = this.#book(peer);
    try {
      const answer = await this.#context.rest.send(request);
      const message = toMessage(answer, peer, this.#context.person());
      book.dropPending(request.client_ref);
      // Its frame may have been here first, and may have brought what happened since.
      if (this.#all.delete(request.client_ref)) {
        book.add(message);
        this.#await(request.client_ref, book);
      }
      return message;
    } catch (error) {
      if (one.seen) return one.seen;
      if (error instanceof CarillonError) {
        one.isFailed = true;
        book.putPending({ ...shown, delivery: "failed", error });
      }
      throw error;
    }
  }

  /** It may have been taken back before it was in any history: no frame tells that, and a history is asked. */
  #await(ref: string, book: HistoryBook): void {
    const { platform, activity } = this.#context;
    const end = activity.begin();
    const cancel = platform.after(PATIENCE, () => {
      this.#awaited.delete(ref);
      book.refresh();
      end();
    });
    this.#awaited.set(ref, () => {
      cancel();
      end();
    });
  }
}
