/**
 * What counts as read: a message of another's that was on the screen, in a page that is visible and has the focus.
 *
 * A message longer than the screen counts when its end was seen. The server takes "everything up to this one": so a
 * conversation opens at its first unread message, and not at its end.
 */

/** Most of a message: a bubble whose lowest line is still covered counts, one that only peeps in does not. */
const MOST = 0.6;

export class ReadPolicy {
  readonly #inView = new Set<number>();
  readonly #observed = new WeakSet<Element>();
  readonly #observer: IntersectionObserver;

  /** `onRead` is called with the highest id that is read by now. */
  constructor(private readonly onRead: (upToId: number) => void) {
    // No root: what a portal has scrolled away or hidden is not seen either.
    this.#observer = new IntersectionObserver((entries) => this.#take(entries), { threshold: [0, MOST, 1] });
  }

  start(): void {
    window.addEventListener("focus", this.#report);
    document.addEventListener("visibilitychange", this.#report);
  }

  stop(): void {
    window.removeEventListener("focus", this.#report);
    document.removeEventListener("visibilitychange", this.#report);
    this.#observer.disconnect();
    this.#inView.clear();
  }

  /** Watch the elements that have `data-unread` with a message's id. Safe to repeat. */
  observe(elements: Iterable<HTMLElement>): void {
    for (const element of elements) {
      if (this.#observed.has(element)) continue;
      this.#observed.add(element);
      this.#observer.observe(element);
    }
  }

  #take(entries: IntersectionObserverEntry[]): void {
    for (const entry of entries) {
      const id = Number((entry.target as HTMLElement).dataset["unread"]);
      if (!id) this.#observer.unobserve(entry.target);
      else if (isSeen(entry)) this.#inView.add(id);
      else this.#inView.delete(id);
    }
    this.#report();
  }

  #report = (): void => {
    if (this.#inView.size === 0 || document.visibilityState !== "visible" || !document.hasFocus()) return;
    this.onRead(Math.max(...this.#inView));
  };
}

function isSeen(entry: IntersectionObserverEntry): boolean {
  if (!entry.isIntersecting) return false;
  if (entry.intersectionRatio >= MOST) return true;
  const end = entry.boundingClientRect.bottom <= (entry.rootBounds?.bottom ?? 0) + 1;
  return end && entry.intersectionRect.bottom >= entry.boundingClientRect.bottom - 1 && entry.intersectionRect.height > 120;
}
