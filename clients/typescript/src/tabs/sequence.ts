/**
 * Where a tab stands in what leaders have told, so that it notices what it missed and what it is told again. Pure.
 *
 * Positions of the server cannot be compared. So every leader numbers what it tells, in a term of its own, and says where it
 * stood itself when that began: its socket goes on from there, and what came after it is told again, in the new term.
 */
import type { Frame } from "../types";

export interface Place {
  /** Which leader's; a later one's is higher. 0: nothing was told yet. */
  term: number;
  /** How many events of the term were told. */
  count: number;
}

/** What a tab may have to recognise: more than a server replays to a tab that was away. */
const REMEMBERED = 1_000;

export interface Reading {
  /** Something was told before it that this tab was not told. */
  hasGap: boolean;
  /** The event is not one that this tab was told already in the same term. */
  isNew: boolean;
}

export class Sequence {
  #place: Place = { term: 0, count: 0 };
  #recent: string[] = [];
  #repeats: string[] = [];

  get place(): Place {
    return this.#place;
  }

  /**
   * Begin a term of this tab's own. It is later than all that this tab knows, also where the clock was set back, and
   * `random` (at least 0, below 1) makes it another than that of a leader which this tab does not know.
   */
  begin(time: number, random: number): void {
    this.#place = { term: Math.max(time, this.#place.term + 1) + random, count: 0 };
  }

  /** Count an event of this tab's own term. */
  advance(): void {
    this.#place = { ...this.#place, count: this.#place.count + 1 };
  }

  /**
   * Read that a leader is at `place`, in a term that began when it was at `after`. Null if it is no longer the leader.
   * `hasEvent` says whether the last event comes with it.
   */
  read({ place, after, hasEvent }: { place: Place; after: Place | null; hasEvent: boolean }): Reading | null {
    if (place.term < this.#place.term) return null;
    const isContinued = place.term === this.#place.term || this.#follow(place.term, after);
    const known = this.#place.count;
    const hasGap = !isContinued || known < place.count - (hasEvent ? 1 : 0);
    if (place.count > known) this.#place = place;
    return { hasGap, isNew: hasEvent && place.count > known };
  }

  /** Whether an earlier leader told this tab of the same. It is remembered from now on. */
  isRepeat(frame: Frame): boolean {
    const key = makeKey(frame);
    if (key === null) return false;
    this.#recent.push(key);
    if (this.#recent.length > REMEMBERED) this.#recent.shift();
    const found = this.#repeats.indexOf(key);
    // What is told again comes first. After anything else nothing is left out any more: the last word counts.
    this.#repeats = found < 0 ? [] : this.#repeats.slice(found + 1);
    return found >= 0;
  }

  /** Go over to another term; true if nothing is missing between. What this tab was told beyond `after` comes again. */
  #follow(term: number, after: Place | null): boolean {
    const ahead = after?.term === this.#place.term ? this.#place.count - after.count : null;
    this.#place = { term, count: 0 };
    if (ahead === null) this.#repeats = [...this.#recent];
    else if (ahead > 0) this.#repeats.push(...this.#recent.slice(-ahead));
    return after === null || (ahead !== null && ahead >= 0);
  }
}

/**
 * The same for the same event, whichever socket tells it: `pos` and addresses of media are not. Null for RESYNC: to read
 * everything again is never superfluous.
 */
function makeKey(frame: Frame): string | null {
  if (!("data" in frame)) return null;
  const data: Record<string, unknown> = { ...frame.data };
  return JSON.stringify([frame.type, ...["id", "version", "conversation_id", "up_to_id", "unread_count"].map((name) => data[name])]);
}
