/** What is in flight: so that `settled` can say when nothing is any more. */
export class Activity {
  #count = 0;
  #waiting: (() => void)[] = [];

  /** Something has begun; the function that is returned says that it is over, and may be called twice. */
  begin(): () => void {
    let isOver = false;
    this.#count += 1;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#count -= 1;
      // What follows directly may begin something else: the count is looked at after that.
      queueMicrotask(() => this.#look());
    };
  }

  /** Count `work` as in flight until it is done. */
  async track<T>(work: () => Promise<T>): Promise<T> {
    const end = this.begin();
    try {
      return await work();
    } finally {
      end();
    }
  }

  settled(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      queueMicrotask(() => this.#look());
    });
  }

  #look(): void {
    if (this.#count > 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
