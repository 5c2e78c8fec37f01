/** Pauses between attempts. Pure. */

export interface Backoff {
  /** The longest pause after the first failure, in milliseconds. It doubles with every further one. */
  first: number;
  /** No pause is longer. */
  longest: number;
}

/**
 * A pause in milliseconds before the next attempt: anything from 0 to the longest (full jitter), so that clients that
 * failed together do not come back together.
 *
 * `failures` counts from 1; `random` is at least 0, below 1.
 */
export function pickPause(failures: number, random: number, { first, longest }: Backoff): number {
  // 2 ** 30 is beyond every `longest`; a higher power would be Infinity in the end.
  return random * Math.min(longest, first * 2 ** Math.min(failures - 1, 30));
}
