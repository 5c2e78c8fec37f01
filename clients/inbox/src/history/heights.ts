/** How high the rows of a history are: measured once each, guessed before. Pure. */

/** The guess before anything was measured: a bubble of one line. */
const FIRST_GUESS = 56;

export class Heights {
  readonly #measured = new Map<string, number>();
  #sum = 0;

  /** Note a row's height in pixels; tells whether it is another one than before. */
  note(key: string, height: number): boolean {
    const before = this.#measured.get(key);
    if (before === height) return false;
    this.#measured.set(key, height);
    this.#sum += height - (before ?? 0);
    return true;
  }

  /** Forget all of it, when the width is another one. The mean stays as the guess. */
  clear(): void {
    const mean = this.guess;
    this.#measured.clear();
    this.#sum = 0;
    this.#first = mean;
  }

  #first = FIRST_GUESS;

  /** The mean of what was measured. */
  get guess(): number {
    return this.#measured.size > 0 ? this.#sum / this.#measured.size : this.#first;
  }

  /** Where each row begins, and at the end where the last one ends: one more number than there are rows. */
  offsetsOf(keys: readonly { key: string }[]): Float64Array {
    const offsets = new Float64Array(keys.length + 1);
    const guess = this.guess;
    let end = 0;
    keys.forEach(({ key }, index) => {
      end += this.#measured.get(key) ?? guess;
      offsets[index + 1] = end;
    });
    return offsets;
  }
}

/** The row that lies at that offset: the last one that begins at or before it. */
export function findRow(offsets: Float64Array, offset: number): number {
  let low = 0;
  let high = Math.max(0, offsets.length - 2);
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((offsets[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Which rows to have in the page: those between `top` and `bottom`, as [first, after the last]. */
export function chooseRange(offsets: Float64Array, top: number, bottom: number): [number, number] {
  const rows = offsets.length - 1;
  if (rows <= 0) return [0, 0];
  return [findRow(offsets, top), Math.min(rows, findRow(offsets, bottom) + 1)];
}
