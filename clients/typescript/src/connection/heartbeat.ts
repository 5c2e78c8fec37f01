/**
 * A socket's signs of life: pings it, and notices when nothing comes back.
 *
 * Timers of a background tab come up to a minute late, and those of a sleeping device as late as it slept; what the socket
 * received meanwhile may be handed out after them. So a late timer judges nothing: it asks once more.
 */
import type { Platform } from "../platform";

/** As the API's guide says; the server closes a socket that is silent for 90 s. */
const INTERVAL = 25_000;
/** How long an answer may take. With the interval it is less than two heartbeats. */
const PATIENCE = 20_000;
/** After a sign that the network or the page is back: a person is looking at it now. */
const SHORT_PATIENCE = 5_000;
/** A timer that is later than this was held back. */
const LATE = 2_000;

export class Heartbeat {
  readonly #platform: Platform;
  readonly #ping: () => void;
  readonly #onSilent: () => void;
  #endTimer: () => void = () => {};
  #isAnswered = true;
  #isChecking = false;

  /** `ping` sends one; `onSilent` is called once when the socket is taken for dead. */
  constructor(platform: Platform, parts: { ping: () => void; onSilent: () => void }) {
    this.#platform = platform;
    this.#ping = parts.ping;
    this.#onSilent = parts.onSilent;
    this.#pause();
  }

  /** Something came, whatever it was. */
  hear(): void {
    this.#isAnswered = true;
  }

  /** Look at once whether the socket still lives. Nothing happens if that is under way. */
  check(): void {
    if (this.#isChecking) return;
    this.#isChecking = true;
    this.#ask(SHORT_PATIENCE, true);
  }

  stop(): void {
    this.#endTimer();
  }

  #pause(): void {
    this.#wait(INTERVAL - PATIENCE, () => this.#ask(PATIENCE, true));
  }

  #ask(patience: number, mayAskAgain: boolean): void {
    this.#isAnswered = false;
    this.#ping();
    const dueAt = this.#platform.now() + patience;
    this.#wait(patience, () => {
      const isLate = this.#platform.now() - dueAt > LATE;
      this.#isChecking = false;
      if (this.#isAnswered && !isLate) this.#pause();
      // The next timer would be late as well: without a pause there is a ping a minute all the same.
      else if (this.#isAnswered) this.#ask(PATIENCE, true);
      else if (isLate && mayAskAgain) this.#ask(SHORT_PATIENCE, false);
      else this.#onSilent();
    });
  }

  #wait(milliseconds: number, callback: () => void): void {
    this.#endTimer();
    this.#endTimer = this.#platform.after(milliseconds, callback);
  }
}
