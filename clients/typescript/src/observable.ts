/**
 * A value that changes, and those who want to know: what the client shows to the outside.
 *
 * `get` gives the same object until it changes, so that React's `useSyncExternalStore` and a comparison by `===` work.
 */
export interface Observable<T> {
  /** The value now. */
  get(): T;
  /** Call `listener` after every change; returns what ends it. Nothing is called at once. */
  subscribe(listener: () => void): () => void;
}

/** An observable that its owner sets. A listener that throws stops no other: its error goes to `reportError`. */
export class Variable<T> implements Observable<T> {
  readonly #listeners = new Set<() => void>();
  #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  get = (): T => this.#value;

  subscribe = (listener: () => void): (() => void) => {
    // A function of its own: the same listener may subscribe twice.
    const call = (): void => listener();
    this.#listeners.add(call);
    return () => void this.#listeners.delete(call);
  };

  /** Take another value and tell everyone; nothing happens if it is the same one. */
  set(value: T): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const listener of [...this.#listeners]) {
      try {
        listener();
      } catch (error) {
        reportListenerError(error);
      }
    }
  }
}

/** Make an error of a listener visible to the page or process, as an error that nobody caught. */
export function reportListenerError(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
