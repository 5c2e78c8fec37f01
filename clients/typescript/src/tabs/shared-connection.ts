/** A connection that the tabs of one person share: the leader has a socket and passes on what comes over it. */
import { Addresses } from "../api/addresses";
import { CarillonError } from "../api/errors";
import { pickPause } from "../backoff";
import { NO_WEBSOCKET } from "../connection/socket-attempt";
import type { Connection, ConnectionState, Frame, SharedConnectionParts, SocketConnection, StopReason } from "../types";
import { type Bulletin, type Note, packState, type TabEvent, VERSION } from "./notes";
import { Receiver } from "./receiver";
import type { Place } from "./sequence";
import { TabGroup } from "./tab-group";

export class SharedConnection implements Connection {
  readonly #parts: SharedConnectionParts;
  readonly #receiver = new Receiver();
  /** The tabs, from when the person is known until this one leaves. */
  #group: TabGroup | null = null;
  /** The socket, while this tab leads, and where the tab stood when that began. */
  #own: { socket: SocketConnection; after: Place | null; end: () => void } | null = null;
  /** Every join and leave begins another one: what comes of an older one counts no more. */
  #round = 0;
  #failures = 0;
  #endWaiting: () => void = () => {};
  #endWatching: () => void = () => {};
  #isStarted = false;
  #isWaiting = false;
  #isSuspended = false;

  constructor(parts: SharedConnectionParts) {
    this.#parts = parts;
  }

  readonly state = this.#receiver.state;
  readonly clockOffset = this.#receiver.clockOffset;

  onFrame(listener: (frame: Frame) => void): () => void {
    return this.#receiver.frames.add(listener);
  }

  onFresh(listener: () => void): () => void {
    return this.#receiver.fresh.add(listener);
  }

  start(): void {
    if (this.#isStarted) return;
    const { platform } = this.#parts;
    if (!platform.WebSocket) throw new CarillonError(NO_WEBSOCKET, { code: "NOT_CONFIGURED" });
    this.#isStarted = true;
    this.#failures = 0;
    const ends = [
      platform.onWake(() => this.wake()),
      platform.onSuspend(
        () => this.#suspend(),
        () => this.#resume(),
      ),
    ];
    this.#endWatching = () => ends.forEach((end) => end());
    void this.#join();
  }

  stop(reason: StopReason = "closed"): void {
    // It is the person who is signed out, and not this tab alone.
    if (reason === "signed_out") this.#group?.post({ kind: "signed_out" });
    this.#end({ status: "stopped", reason, code: null, error: null });
  }

  wake(): void {
    if (this.#own) return this.#own.socket.wake();
    this.#group?.post({ kind: "wake" });
    this.#group?.check();
    if (this.#isWaiting) void this.#join();
  }

  /** Find the other tabs. That takes the person, whose id is in the token. */
  async #join(): Promise<void> {
    const { platform, me, baseUrl } = this.#parts;
    this.#leave();
    const round = this.#round;
    this.#receiver.show({ status: "connecting", attempt: this.#failures + 1 });
    try {
      const person = await me.load();
      const server = new Addresses(baseUrl, platform.location).api("/").href;
      if (round === this.#round) this.#group = this.#openGroup(`carillon ${VERSION} ${person} ${server}`);
    } catch (error) {
      if (round === this.#round) this.#handleFailure(error);
    }
  }

  #openGroup(name: string): TabGroup {
    const { platform } = this.#parts;
    return new TabGroup({
      platform,
      name,
      onElected: () => this.#lead(),
      onDeposed: () => this.#own?.end(),
      onNote: (note) => this.#takeNote(note),
    });
  }

  #handleFailure(error: unknown): void {
    const { platform } = this.#parts;
    const known = asCarillonError(error);
    if (known.code === "SIGNED_OUT") return this.stop("signed_out");
    if (!known.isTemporary) return this.#end({ status: "stopped", reason: "refused", code: null, error: known });
    this.#failures += 1;
    const pause = pickPause(this.#failures, platform.random());
    this.#isWaiting = true;
    this.#endWaiting = platform.after(pause, () => void this.#join());
    const retryAt = platform.now() + pause;
    this.#receiver.show({ status: "waiting", attempt: this.#failures + 1, retryAt, error: known });
  }

  /** Nothing reaches a page that is put away, and a lead that it kept would be missed by all others. */
  #suspend(): void {
    this.#leave();
    this.#isSuspended = true;
  }

  #resume(): void {
    if (this.#isSuspended) void this.#join();
  }

  #leave(): void {
    this.#round += 1;
    this.#isWaiting = this.#isSuspended = false;
    this.#endWaiting();
    this.#own?.end();
    this.#group?.leave();
    this.#group = null;
    // Other tabs may go on meanwhile. If this one led from here when it is back, they would be told again what they know.
    this.#receiver.position = null;
  }

  #end(state: ConnectionState): void {
    if (!this.#isStarted) return;
    this.#isStarted = false;
    this.#endWatching();
    this.#leave();
    this.#receiver.show(state);
  }

  #lead(): void {
    const { platform, connect } = this.#parts;
    const after = this.#receiver.lead(platform.now(), platform.random());
    const socket = connect(this.#receiver.position);
    const ends = [
      socket.state.subscribe(() => this.#passState(socket)),
      socket.position.subscribe(() => this.#passPosition(socket.position.get())),
      socket.onFresh(() => this.#passEvent("fresh")),
      socket.onFrame((frame) => this.#passEvent(frame)),
    ];
    const end = (): void => {
      this.#own = null;
      ends.forEach((endOne) => endOne());
      socket.stop();
    };
    this.#own = { socket, after, end };
    socket.start();
  }

  #passState(socket: SocketConnection): void {
    const state = socket.state.get();
    this.#receiver.clockOffset.set(socket.clockOffset.get());
    this.#post(null, state);
    if (state.status === "stopped") this.#end(state);
    else this.#receiver.show(state);
  }

  #passPosition(position: string | null): void {
    if (position === this.#receiver.position) return;
    this.#receiver.position = position;
    this.#post(null);
  }

  /** The others first: a listener here may stop this tab. */
  #passEvent(event: TabEvent): void {
    this.#receiver.count(event);
    this.#post(event);
    this.#receiver.pass(event);
  }

  #post(event: TabEvent | null, state: ConnectionState = this.state.get()): void {
    const { place, position, clockOffset } = this.#receiver;
    if (!this.#own) return;
    const { after } = this.#own;
    const bulletin = { place, after, event, position, state: packState(state), clockOffset: clockOffset.get() };
    this.#group?.post({ kind: "bulletin", ...bulletin });
  }

  #takeNote(note: Note): void {
    if (note.kind === "signed_out") return this.#end({ status: "stopped", reason: "signed_out", code: null, error: null });
    if (note.kind === "bulletin") return this.#takeBulletin(note);
    if (note.kind === "wake") this.#own?.socket.wake();
    this.#post(null);
  }

  #takeBulletin(bulletin: Bulletin): void {
    if (this.#own && bulletin.place.term <= this.#receiver.place.term) return;
    // This tab was frozen, and another one leads.
    if (this.#own) this.#group?.stepDown();
    if (!this.#receiver.read(bulletin)) return;
    this.#group?.hear();
    const state = this.state.get();
    if (state.status === "stopped") this.#end(state);
  }
}

function asCarillonError(error: unknown): CarillonError {
  if (error instanceof CarillonError) return error;
  return new CarillonError("The tabs of this browser cannot reach each other.", { code: "NOT_CONFIGURED", cause: error });
}
