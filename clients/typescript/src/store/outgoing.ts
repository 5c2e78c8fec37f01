/** What the person sends: shown at once, tried with one key, and reconciled with whichever comes first, answer or frame. */
import { CarillonError } from "../api/errors";
import type { ApiMessage, Draft, Message, SendRequest } from "../types";
import type { StoreContext } from "./context";
import type { HistoryBook } from "./history-book";
import { fromAnswer, fromDraft } from "./messages";

/** How long the frame of an accepted message is waited for before the send counts as over all the same. */
const PATIENCE = 10_000;

interface Outgoing {
  peer: number;
  request: SendRequest;
  shown: Message;
}

export class OutgoingMessages {
  readonly #context: StoreContext;
  readonly #book: (peer: number) => HistoryBook;
  readonly #failed = new Map<string, Outgoing>();
  /** Accepted and not seen in a history yet. */
  readonly #awaited = new Map<number, () => void>();

  constructor(context: StoreContext, book: (peer: number) => HistoryBook) {
    this.#context = context;
    this.#book = book;
  }

  send(peer: number, draft: Draft): Promise<Message> {
    const { platform, person } = this.#context;
    const ref = platform.uuid();
    const shown = fromDraft(draft, { ref, peer, me: person(), now: platform.now() });
    return this.#try({ peer, request: { ...draft, receiver_id: peer, client_ref: ref, idempotency_key: ref }, shown });
  }

  /** Try one again that failed, with the same key: if it was accepted all the same, it is not sent twice. */
  retry(ref: string): Promise<Message> {
    const failed = this.#failed.get(ref);
    if (!failed) return Promise.reject(new CarillonError("There is no failed message of this name.", { code: "UNKNOWN_MESSAGE" }));
    this.#failed.delete(ref);
    return this.#try(failed);
  }

  discard(ref: string): void {
    const failed = this.#failed.get(ref);
    if (!failed) return;
    this.#failed.delete(ref);
    this.#book(failed.peer).dropPending(ref);
  }

  /** A message is in the histories, by a frame. */
  noteSeen(id: number, ref: string | null): void {
    this.#awaited.get(id)?.();
    if (ref !== null) this.#failed.delete(ref);
  }

  /** Everything is read again: nothing is waited for any more. */
  forgetAwaited(): void {
    for (const over of [...this.#awaited.values()]) over();
  }

  async #try(one: Outgoing): Promise<Message> {
    const { activity, rest } = this.#context;
    const book = this.#book(one.peer);
    book.putPending({ ...one.shown, delivery: "sending", error: null });
    const end = activity.begin();
    try {
      return this.#accept(one, await rest.send(one.request));
    } catch (error) {
      if (error instanceof CarillonError) {
        this.#failed.set(one.request.client_ref ?? "", one);
        book.putPending({ ...one.shown, delivery: "failed", error });
      }
      throw error;
    } finally {
      end();
    }
  }

  #accept({ peer, request }: Outgoing, answer: ApiMessage): Message {
    const book = this.#book(peer);
    const message = fromAnswer(answer, peer, this.#context.person());
    book.dropPending(request.client_ref ?? "");
    // Its frame may have been here first, and may have brought what happened since.
    if (!book.has(message.id)) {
      book.add(message);
      this.#await(message.id);
    }
    return message;
  }

  #await(id: number): void {
    const { platform, activity } = this.#context;
    const end = activity.begin();
    const cancel = platform.after(PATIENCE, () => over());
    const over = (): void => {
      cancel();
      this.#awaited.delete(id);
      end();
    };
    this.#awaited.set(id, over);
  }
}
