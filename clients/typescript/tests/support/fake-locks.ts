/** Web Locks of a browser whose tabs a test plays: with `signal` and `steal`, one exclusive lock a name. */
import type { Tab } from "./tab-world";

interface Request {
  tab: Tab;
  name: string;
  callback: () => unknown;
  end: (error?: DOMException) => void;
}

export class FakeLocks {
  readonly #held = new Map<string, Request>();
  #waiting: Request[] = [];
  /** As in a sandboxed frame. */
  isForbidden = false;

  /** The locks as this tab sees them. */
  open(tab: Tab): LockManager {
    const request = (name: string, options: LockOptions, callback: () => unknown): Promise<unknown> =>
      new Promise((resolve, reject) => {
        const end = (error?: DOMException): void => tab.queue("lock", () => (error ? reject(error) : resolve(undefined)));
        if (this.isForbidden) return reject(new DOMException("No.", "SecurityError"));
        const made = { tab, name, callback, end };
        options.signal?.addEventListener("abort", () => this.#abort(made));
        if (options.steal) this.#steal(made);
        else this.#waiting.push(made);
        this.#grant(name);
      });
    return { request, query: () => Promise.reject(new Error("not needed")) } as unknown as LockManager;
  }

  /** A tab is gone. */
  free(tab: Tab): void {
    this.#waiting = this.#waiting.filter((request) => request.tab !== tab);
    for (const [name, request] of [...this.#held]) {
      if (request.tab === tab) this.#release(name, request);
    }
  }

  #steal(request: Request): void {
    this.#held.get(request.name)?.end(new DOMException("It was stolen.", "AbortError"));
    this.#held.delete(request.name);
    this.#waiting.unshift(request);
  }

  #abort(request: Request): void {
    if (!this.#waiting.includes(request)) return;
    this.#waiting = this.#waiting.filter((one) => one !== request);
    request.end(new DOMException("It was aborted.", "AbortError"));
  }

  #grant(name: string): void {
    if (this.#held.has(name)) return;
    const next = this.#waiting.find((request) => request.name === name);
    if (!next) return;
    this.#waiting = this.#waiting.filter((one) => one !== next);
    this.#held.set(name, next);
    next.tab.queue("lock", () => {
      void Promise.resolve(next.callback()).then(() => {
        next.end();
        this.#release(name, next);
      });
    });
  }

  #release(name: string, request: Request): void {
    if (this.#held.get(name) !== request) return;
    this.#held.delete(name);
    this.#grant(name);
  }
}
