/** Keeps one socket open: tickets, pauses, `since`, and what to do when it was closed. */
import type { Addresses } from "../api/addresses";
import { CarillonError } from "../api/errors";
import { CLOSE_CODES } from "../api/generated/close-codes";
import type { Frame } from "../api/generated/frames";
import type { TokenSource } from "../api/token";
import { pickPause } from "../backoff";
import { Listeners } from "../listeners";
import { Variable } from "../observable";
import type { Platform } from "../platform";
import type { ConnectionState, Rest, SocketConnection, StopReason } from "../types";
import { tellStopReason } from "./close-rules";
import { readFrame } from "./frames";
import { Heartbeat } from "./heartbeat";
import { type Ending, NO_WEBSOCKET, SocketAttempt } from "./socket-attempt";

/** After a restart everybody comes back at once: over this time. */
const RESTART_PAUSE = 5_000;
/** A socket that lived for so long was a good one: the pauses begin anew after it. */
const PROVEN = 10_000;

export interface SocketConnectionParts {
  platform: Platform;
  addresses: Addresses;
  rest: Rest;
  tokens: TokenSource;
  /** Where to go on; null to begin. */
  since: string | null;
}

export class OwnSocket implements SocketConnection {
  readonly state = new Variable<ConnectionState>({ status: "idle" });
  readonly clockOffset = new Variable(0);
  readonly position: Variable<string | null>;
  readonly #parts: SocketConnectionParts;
  readonly #frames = new Listeners<[Frame]>();
  readonly #fresh = new Listeners<[]>();
  #attempt: SocketAttempt | null = null;
  #heartbeat: Heartbeat | null = null;
  #failures = 0;
  #openedAt: number | null = null;
  #token: string | null = null;
  #endWaiting: () => void = () => {};
  #endWatching: () => void = () => {};

  constructor(parts: SocketConnectionParts) {
    this.#parts = parts;
    this.position = new Variable(parts.since);
  }

  start(): void {
    if (this.#isRunning()) return;
    const { platform, tokens } = this.#parts;
    if (!platform.WebSocket) throw new CarillonError(NO_WEBSOCKET, { code: "NOT_CONFIGURED" });
    tokens.reset();
    const ends = [platform.onWake(() => this.wake()), platform.onNetworkChange(() => this.#checkNetwork())];
    this.#endWatching = () => ends.forEach((end) => end());
    this.#failures = 0;
    this.#connect();
  }

  stop(reason: StopReason = "closed"): void {
    this.#stop(reason, {});
  }

  wake(): void {
    const { status } = this.state.get();
    if (status === "waiting" || status === "offline") this.#connect();
    else if (status === "open") this.#heartbeat?.check();
  }

  onFrame(listener: (frame: Frame) => void): () => void {
    return this.#frames.add(listener);
  }

  onFresh(listener: () => void): () => void {
    return this.#fresh.add(listener);
  }

  #connect(): void {
    this.#endWaiting();
    this.state.set({ status: "connecting", attempt: this.#failures + 1 });
    const since = this.position.get();
    this.#attempt = new SocketAttempt({
      ...this.#parts,
      since,
      onTicket: () => {
        this.#token = this.#parts.tokens.get();
      },
      onData: (data) => this.#take(data, since),
      onEnd: (ending) => this.#handleEnd(ending),
    });
  }

  #take(data: unknown, since: string | null): void {
    this.#heartbeat?.hear();
    const received = readFrame(data);
    if (!received) return;
    const { frame, pos } = received;
    if (frame?.type === "HELLO") this.#open(frame.data.server_time_ms, since === null);
    else if (frame && frame.type !== "POSITION") this.#pass(frame);
    // After its listeners: whoever goes on from a position has been told all that is before it.
    if (pos !== null) this.position.set(pos);
  }

  #open(serverTime: number, isFirst: boolean): void {
    const { platform } = this.#parts;
    this.#attempt?.settle();
    this.#openedAt = platform.now();
    this.clockOffset.set(serverTime - platform.now());
    this.#heartbeat = new Heartbeat(platform, {
      ping: () => this.#attempt?.send("ping"),
      onSilent: () => this.#drop("Nothing came from the server any more."),
    });
    this.state.set({ status: "open" });
    if (isFirst) this.#fresh.call();
  }

  #pass(frame: Frame): void {
    if (frame.type === "RESYNC") this.#fresh.call();
    if (frame.type === "NEW_MESSAGE" || frame.type === "MESSAGE_UPDATED") {
      frame = { ...frame, data: this.#parts.addresses.resolveMedia(frame.data) };
    }
    this.#frames.call(frame);
  }

  #checkNetwork(): void {
    if (this.#parts.platform.isOnline()) return;
    this.#drop("There is no network.");
    if (this.state.get().status === "waiting") this.state.set({ status: "offline" });
  }

  #drop(why: string): void {
    this.#attempt?.end({ code: null, error: new CarillonError(why, { code: "NO_ANSWER" }) });
  }

  #handleEnd({ code, error }: Ending): void {
    const { platform, tokens } = this.#parts;
    const lived = this.#openedAt === null ? 0 : platform.now() - this.#openedAt;
    this.#letGo();
    if (error?.code === "SIGNED_OUT") return this.stop("signed_out");
    if (error && isFinal(error)) return this.#stop("refused", { error });
    const reason = code === null ? null : tellStopReason(code);
    if (reason) return this.#stop(reason, { code });
    if (code === CLOSE_CODES.TOKEN_EXPIRED) tokens.refuse(this.#token, "expired");
    if (lived >= PROVEN) this.#failures = 0;
    this.#failures += 1;
    this.#wait(this.#pickPause(code, error), error);
  }

  #pickPause(code: number | null, error: CarillonError | null): number {
    const { platform } = this.#parts;
    const random = platform.random();
    // It was a good socket a moment ago, and only the token is to be replaced.
    if (code === CLOSE_CODES.TOKEN_EXPIRED && this.#failures === 1) return 0;
    if (code === CLOSE_CODES.RESTARTING && this.#failures === 1) return random * RESTART_PAUSE;
    return (error?.retryAfter ?? 0) + pickPause(this.#failures, random);
  }

  #wait(pause: number, error: CarillonError | null): void {
    const { platform } = this.#parts;
    const retryAt = Math.round(platform.now() + pause);
    // Tried again all the same: platforms are wrong at times, about a server on the same machine for example.
    this.#endWaiting = platform.after(pause, () => this.#connect());
    this.state.set(
      platform.isOnline() ? { status: "waiting", attempt: this.#failures + 1, retryAt, error } : { status: "offline" },
    );
  }

  #stop(reason: StopReason, { code = null, error = null }: Partial<Ending>): void {
    if (!this.#isRunning()) return;
    this.#endWaiting();
    this.#endWatching();
    this.#attempt?.end(null);
    this.#letGo();
    this.state.set({ status: "stopped", reason, code, error });
  }

  #isRunning(): boolean {
    return !["idle", "stopped"].includes(this.state.get().status);
  }

  #letGo(): void {
    this.#heartbeat?.stop();
    this.#heartbeat = null;
    this.#attempt = null;
    this.#openedAt = null;
  }
}

/** A token that was refused twice, or a person who may not: trying again would not help. */
function isFinal(error: CarillonError): boolean {
  return [401, 403].includes(error.status) || error.code === "NOT_CONFIGURED";
}
