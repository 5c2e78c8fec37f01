/** A tab among those of the same person and server: who leads, whether the leader still does, and what they tell each other. */
import { Heartbeat } from "../connection/heartbeat";
import type { Platform } from "../platform";
import { Election } from "./election";
import type { Note } from "./notes";

/** Within this time of a leader's word there is no need to ask it for another. */
const RECENT = 20_000;
/** Tabs that miss their leader at the same time do not all steal the lead at once: over this time. */
const STEAL_JITTER = 1_000;

export interface TabGroupParts {
  platform: Platform;
  /** Of the lock and of the channel. */
  name: string;
  /** This tab leads from now on. Everything that an earlier leader told has been passed to `onNote`. */
  onElected(): void;
  /** It does no more; it waits for its turn again. */
  onDeposed(): void;
  onNote(note: Note): void;
}

export class TabGroup {
  readonly #parts: TabGroupParts;
  readonly #election: Election;
  #channel: BroadcastChannel | null;
  #isFollowing = true;
  #heartbeat: Heartbeat | null = null;
  #heardAt = -Infinity;
  #mark: string | null = null;
  #endDrain: () => void = () => {};
  #endWaiting: () => void = () => {};

  constructor(parts: TabGroupParts) {
    const { platform, name, onNote } = parts;
    const { locks } = platform;
    if (!locks) throw new Error("There are no Web Locks.");
    this.#parts = parts;
    this.#channel = this.#openChannel((note) => (note.kind === "mark" ? this.#takeMark(note.id) : onNote(note)));
    this.#election = new Election({
      locks,
      name,
      onElected: () => this.#drain(),
      onDeposed: () => this.stepDown(),
      onForbidden: () => this.#goAlone(),
    });
    this.#follow();
  }

  post(note: Note): void {
    this.#channel?.postMessage(note);
  }

  /** The leader has spoken. */
  hear(): void {
    this.#heardAt = this.#parts.platform.now();
    if (this.#heartbeat) this.#heartbeat.hear();
    else if (this.#isFollowing) this.#watch();
  }

  /** Look at once whether the leader is there: a person is looking at this tab now. Nothing happens in the leader itself. */
  check(): void {
    this.#heardAt = -Infinity;
    this.#heartbeat?.check();
  }

  /** Let another tab lead. */
  stepDown(): void {
    this.#endDrain();
    this.#parts.onDeposed();
    this.#follow();
  }

  leave(): void {
    this.#endDrain();
    this.#endWatch();
    this.#election.leave();
    this.#channel?.close();
    this.#channel = null;
  }

  #follow(): void {
    this.#isFollowing = true;
    this.#election.join();
    this.#watch();
    this.check();
  }

  /**
   * A leader may be frozen: phones stop all tabs but the one on the screen, and a lock stays with a tab that is stopped.
   * So a leader that does not answer loses its lead.
   */
  #watch(): void {
    const { platform } = this.#parts;
    this.#endWatch();
    const ping = (): void => {
      if (platform.now() - this.#heardAt < RECENT) this.#heartbeat?.hear();
      else this.post({ kind: "ask" });
    };
    this.#heartbeat = new Heartbeat(platform, { ping, onSilent: () => this.#stealSoon() });
  }

  #stealSoon(): void {
    const { platform } = this.#parts;
    this.#heartbeat = null;
    this.#endWaiting = platform.after(platform.random() * STEAL_JITTER, () => {
      this.#election.steal();
      this.#watch();
    });
  }

  #endWatch(): void {
    this.#endWaiting();
    this.#heartbeat?.stop();
    this.#heartbeat = null;
  }

  /**
   * Before it leads, a tab reads its channel to the end, where something of the last leader's may lie still. The end is
   * reached when a note that the tab sends to itself is back: a channel gives to each tab in the order of sending.
   */
  #drain(): void {
    const { platform } = this.#parts;
    this.#isFollowing = false;
    this.#endWatch();
    const id = platform.uuid();
    const sender = this.#openChannel(() => {});
    this.#mark = id;
    this.#endDrain = () => {
      this.#mark = null;
      sender.close();
      this.#endDrain = () => {};
    };
    sender.postMessage({ kind: "mark", id } satisfies Note);
  }

  #takeMark(id: string): void {
    if (id === this.#mark) this.#lead();
  }

  #goAlone(): void {
    this.#isFollowing = false;
    this.#endWatch();
    this.#channel?.close();
    this.#channel = null;
    this.#lead();
  }

  #lead(): void {
    this.#endDrain();
    this.#parts.onElected();
  }

  #openChannel(onNote: (note: Note) => void): BroadcastChannel {
    const { BroadcastChannel } = this.#parts.platform;
    if (!BroadcastChannel) throw new Error("There is no BroadcastChannel.");
    const channel = new BroadcastChannel(this.#parts.name);
    channel.onmessage = ({ data }: MessageEvent<Note>) => onNote(data);
    return channel;
  }
}
