/** What one tab knows and tells its listeners, whether its own socket or another tab is where that comes from. */
import { Listeners } from "../listeners";
import { Variable } from "../observable";
import type { ConnectionState, Frame } from "../types";
import { type Bulletin, type TabEvent, unpackState } from "./notes";
import { type Place, Sequence } from "./sequence";

export class Receiver {
  readonly state = new Variable<ConnectionState>({ status: "idle" });
  readonly clockOffset = new Variable(0);
  readonly frames = new Listeners<[Frame]>();
  readonly fresh = new Listeners<[]>();
  /** Where a socket goes on; null if there was none yet. */
  position: string | null = null;
  readonly #sequence = new Sequence();
  /** Something was missed: everything is to be read again as soon as there is a socket. */
  #needsFresh = false;
  #shown = "";

  get place(): Place {
    return this.#sequence.place;
  }

  /** This tab leads from `time` on, in Unix milliseconds. Gives where it stood before; null if it knew nothing. */
  lead(time: number, random: number): Place | null {
    const after = this.position === null ? null : this.#sequence.place;
    this.#sequence.begin(time, random);
    if (!after) this.#needsFresh = false;
    return after;
  }

  /** Count an event of this tab's own socket. It is passed on by `pass`, when the other tabs have been told. */
  count(event: TabEvent): void {
    this.#sequence.advance();
    if (event !== "fresh") this.position = event.pos;
  }

  /** Take what the leader says. False if it is no longer the leader. */
  read(bulletin: Bulletin): boolean {
    const { place, after, event } = bulletin;
    const reading = this.#sequence.read({ place, after, hasEvent: event !== null });
    if (!reading) return false;
    const news = reading.isNew ? event : null;
    this.position = bulletin.position;
    this.clockOffset.set(bulletin.clockOffset);
    // The term begins with a fresh start: that is enough.
    if (!after && place.count === 0) this.#needsFresh = false;
    if (reading.hasGap || news === "fresh") this.#needsFresh = true;
    this.#showPacked(bulletin.state);
    if (news !== null && news !== "fresh") this.pass(news);
    return true;
  }

  /** Tell the listeners, unless they were told by an earlier leader. */
  pass(event: TabEvent): void {
    if (event === "fresh") {
      this.#needsFresh = true;
      this.#callFresh();
    } else if (!this.#sequence.isRepeat(event)) {
      this.frames.call(event);
    }
  }

  show(state: ConnectionState): void {
    this.#shown = "";
    this.state.set(state);
    this.#callFresh();
  }

  #showPacked(packed: Bulletin["state"]): void {
    const text = JSON.stringify(packed);
    // Every bulletin says it again, and nobody is to be told of a state that has not changed.
    if (text !== this.#shown) this.show(unpackState(packed));
    this.#shown = text;
    this.#callFresh();
  }

  #callFresh(): void {
    if (!this.#needsFresh || this.state.get().status !== "open") return;
    this.#needsFresh = false;
    this.fresh.call();
  }
}
