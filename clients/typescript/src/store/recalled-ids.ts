/**
 * Messages that were taken back: no fetch may bring them in again.
 *
 * A fetch may have been answered before the recall and arrive after its frame.
 */

/** A fetch that began before a recall is long answered when so many more have come. */
const REMEMBERED = 1_000;

export class RecalledIds {
  readonly #ids = new Set<number>();

  add(id: number): void {
    this.#ids.add(id);
    const [oldest] = this.#ids;
    if (this.#ids.size > REMEMBERED && oldest !== undefined) this.#ids.delete(oldest);
  }

  has(id: number): boolean {
    return this.#ids.has(id);
  }
}
