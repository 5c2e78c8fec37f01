/** What the client shows to the outside: values that change, and those who want to know. */
import { Listeners } from "./listeners";

/**
 * A value that changes. `get` gives the same object until it does, so that React's `useSyncExternalStore` and a comparison
 * by `===` work.
 */
export interface Observable<T> {
  /** The value now. */
  get(): T;
  /** Call `listener` after every change; returns what ends it. Nothing is called at once. */
  subscribe(listener: () => void): () => void;
}

/** An observable that its owner sets. */
export class Variable<T> implements Observable<T> {
  readonly #listeners = new Listeners<[]>();
  #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  get = (): T => this.#value;

  subscribe = (listener: () => void): (() => void) => this.#listeners.add(listener);

  /** Take another value and tell everyone; nothing happens if it is the same one. */
  set(value: T): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    this.#listeners.call();
  }

  /** Take these parts of the value, which is an object, and tell everyone if one of them is another than before. */
  update(parts: Partial<T>): void {
    const names = Object.keys(parts) as (keyof T)[];
    if (names.some((name) => parts[name] !== this.#value[name])) this.set({ ...this.#value, ...parts });
  }
}
