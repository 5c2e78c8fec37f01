/** One attempt at a socket, from its ticket to its end. It ends once, whatever happens in which order. */
import type { Addresses } from "../api/addresses";
import { CarillonError } from "../api/errors";
import type { Platform, Socket } from "../platform";
import type { Rest } from "../types";

const TIMEOUT = 15_000;

/** How an attempt ended: by a close code, or by an error before the socket was open. */
export interface Ending {
  code: number | null;
  error: CarillonError | null;
}

export interface AttemptParts {
  platform: Platform;
  addresses: Addresses;
  rest: Rest;
  since: string | null;
  /** The server gave the ticket: the token is good. */
  onTicket(): void;
  onData(data: unknown): void;
  /** Called once; nothing else is called after it. */
  onEnd(ending: Ending): void;
}

export class SocketAttempt {
  readonly #parts: AttemptParts;
  readonly #controller = new AbortController();
  readonly #endTimer: () => void;
  #socket: Socket | null = null;
  #hasEnded = false;

  constructor(parts: AttemptParts) {
    this.#parts = parts;
    this.#endTimer = parts.platform.after(TIMEOUT, () => this.end(notOpened()));
    void this.#open();
  }

  send(text: string): void {
    if (this.#socket?.readyState === 1) this.#socket.send(text);
  }

  /** The server spoke: there is no need for the time-out any more. */
  settle(): void {
    this.#endTimer();
  }

  /** Give it up, for this reason; with null nobody is told. */
  end(ending: Ending | null): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#endTimer();
    this.#controller.abort();
    this.#socket?.close(1000);
    if (ending) this.#parts.onEnd(ending);
  }

  async #open(): Promise<void> {
    const { rest, addresses, since, onTicket } = this.#parts;
    try {
      const ticket = await rest.issueSocketTicket({ signal: this.#controller.signal });
      if (this.#hasEnded) return;
      onTicket();
      this.#connect(addresses.socket({ ticket, since: since ?? undefined }));
    } catch (error) {
      this.end(error instanceof CarillonError ? { code: null, error } : notOpened(error));
    }
  }

  #connect(url: string): void {
    const { WebSocket } = this.#parts.platform;
    if (!WebSocket) throw new CarillonError(NO_WEBSOCKET, { code: "NOT_CONFIGURED" });
    const socket = new WebSocket(url);
    this.#socket = socket;
    let isOpen = false;
    socket.onopen = () => {
      isOpen = true;
    };
    socket.onmessage = ({ data }: { data: unknown }) => {
      if (!this.#hasEnded) this.#parts.onData(data);
    };
    // It tells nothing, and the close event follows it; but the package `ws` throws an error that nobody listens to.
    socket.onerror = () => {};
    socket.onclose = ({ code }: { code: number }) => this.end(isOpen ? { code, error: null } : notOpened());
  }
}

export const NO_WEBSOCKET = "There is no WebSocket here: pass one as `platform: { WebSocket }`.";

function notOpened(cause?: unknown): Ending {
  return { code: null, error: new CarillonError("The socket was not opened.", { code: "NO_ANSWER", cause }) };
}
