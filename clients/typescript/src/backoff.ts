/** Pauses between attempts. Pure. */

/** The longest pause after the first failure, in milliseconds. It doubles with every further one. */
const FIRST = 1_000;
const LONGEST = 30_000;

/**
 * A pause in milliseconds before the next attempt: anything from 0 to the longest (full jitter), so that clients that
 * failed together do not come back together.
 *
 * `failures` counts from 1; `random` is at least 0, below 1. No pause is longer than `longest`.
 */
export function pickPause(failures: number, random: number, longest = LONGEST): number {
  // 2 ** 30 is beyond every `longest`; a higher power would be Infinity in the end.
  return random * Math.min(longest, FIRST * 2 ** Math.min(failures - 1, 30));
}
