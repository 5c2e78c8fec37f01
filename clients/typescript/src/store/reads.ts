/** Tells the server what was read: of each conversation one request at a time, and only the newest message. */
import { CarillonError } from "../api/errors";
import type { StoreContext } from "./context";

export class Reads {
  readonly #context: StoreContext;
  readonly #onRead: (peer: number) => void;
  readonly #wanted = new Map<number, number>();
  readonly #told = new Map<number, number>();
  readonly #running = new Set<number>();

  /** `onRead` is called when the server knows. */
  constructor(context: StoreContext, onRead: (peer: number) => void) {
    this.#context = context;
    this.#onRead = onRead;
  }

  mark(peer: number, upToId: number): void {
    if (upToId <= (this.#wanted.get(peer) ?? 0)) return;
    this.#wanted.set(peer, upToId);
    void this.#tell(peer);
  }

  /** Tell what could not be told before. */
  tellAll(): void {
    for (const peer of this.#wanted.keys()) void this.#tell(peer);
  }

  async #tell(peer: number): Promise<void> {
    if (this.#running.has(peer)) return;
    this.#running.add(peer);
    const { activity, rest } = this.#context;
    await activity.track(async () => {
      try {
        for (let upTo = this.#next(peer); upTo !== null; upTo = this.#next(peer)) {
          await rest.markRead(peer, upTo);
          this.#told.set(peer, upTo);
          this.#onRead(peer);
        }
      } catch (error) {
        if (!(error instanceof CarillonError)) throw error;
        // Tried again with the next message that is read, and when the socket is back. It can be marked anew.
        if (!error.isTemporary) this.#wanted.delete(peer);
      } finally {
        this.#running.delete(peer);
      }
    });
  }

  #next(peer: number): number | null {
    const wanted = this.#wanted.get(peer) ?? 0;
    return wanted > (this.#told.get(peer) ?? 0) ? wanted : null;
  }
}
