/** Which tab leads: the one that holds a Web Lock. The browser frees it when the tab is closed or crashes. */

export interface ElectionParts {
  locks: LockManager;
  name: string;
  /** The lock is this tab's. */
  onElected(): void;
  /** Another tab has stolen it. */
  onDeposed(): void;
  /** There are no locks for this page, such as in a sandboxed frame. */
  onForbidden(): void;
}

export class Election {
  readonly #parts: ElectionParts;
  /** Every join, steal and leave begins another one: what comes of an older one counts no more. */
  #round = 0;
  #leave: () => void = () => {};

  constructor(parts: ElectionParts) {
    this.#parts = parts;
  }

  /** Wait for the lock, behind those who wait already. */
  join(): void {
    this.leave();
    const controller = new AbortController();
    this.#leave = () => controller.abort();
    this.#request({ signal: controller.signal });
  }

  /** Take the lock from the tab that holds it, and from those who wait. */
  steal(): void {
    this.leave();
    this.#request({ steal: true });
  }

  /** Give the lock back, or wait no longer. */
  leave(): void {
    this.#round += 1;
    this.#leave();
    this.#leave = () => {};
  }

  #request(options: LockOptions): void {
    const { locks, name, onElected, onDeposed, onForbidden } = this.#parts;
    const round = this.#round;
    let isHeld = false;
    const hold = (): Promise<void> | undefined => {
      if (round !== this.#round) return undefined;
      isHeld = true;
      return new Promise((resolve) => {
        this.#leave = resolve;
        onElected();
      });
    };
    locks.request(name, options, hold).catch(() => {
      if (round !== this.#round) return;
      if (isHeld) onDeposed();
      else onForbidden();
    });
  }
}
