/** Those who want to be told of something. One that throws stops no other: its error is shown as nobody's. */
export class Listeners<A extends unknown[]> {
  readonly #all = new Set<(...given: A) => void>();

  /** Returns what ends it. The same listener may be added twice. */
  add(listener: (...given: A) => void): () => void {
    const call = (...given: A): void => listener(...given);
    this.#all.add(call);
    return () => void this.#all.delete(call);
  }

  call(...given: A): void {
    for (const listener of [...this.#all]) {
      try {
        listener(...given);
      } catch (error) {
        report(error);
      }
    }
  }
}

/** Make an error of a listener visible to the page or process, as an error that nobody caught. */
function report(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
