/** A `WebSocket` class whose other end is the fake server. */
import type { ServerSocket } from "./sockets";

/** What a socket does with its server. `open` throws if the handshake is refused. */
export interface SocketDoor {
  open(socket: ServerSocket, url: URL, protocols: string[]): void;
  forget(socket: ServerSocket): void;
}

type Handler = ((event: Event) => void) | null;

/**
 * A class as the browser's own, for the parts of it that clients use. Events come in later microtasks, in order. As in a
 * browser, a page is not told why a handshake was refused: `error`, then `close` with 1006.
 */
export function makeSocketClass(door: SocketDoor): typeof WebSocket {
  return class FakeWebSocket extends EventTarget {
    static readonly CONNECTING = 0;
    static readonly OPEN = 1;
    static readonly CLOSING = 2;
    static readonly CLOSED = 3;
    readonly CONNECTING = 0;
    readonly OPEN = 1;
    readonly CLOSING = 2;
    readonly CLOSED = 3;
    readonly extensions = "";
    readonly bufferedAmount = 0;
    binaryType: BinaryType = "blob";
    protocol = "";
    readyState = 0;
    readonly url: string;
    onopen: Handler = null;
    onmessage: Handler = null;
    onerror: Handler = null;
    onclose: Handler = null;
    readonly #peer: ServerSocket;

    constructor(url: string | URL, protocols: string | string[] = []) {
      super();
      const address = new URL(url);
      this.url = address.href;
      this.#peer = {
        give: (data) => queueMicrotask(() => this.#receive(data)),
        end: (code) => queueMicrotask(() => this.#end(code)),
      };
      queueMicrotask(() => this.#open(address, [protocols].flat()));
    }

    send(data: unknown): void {
      if (this.readyState === 0) throw new DOMException("The socket is not open yet.", "InvalidStateError");
      if (data === "ping" && this.readyState === 1) this.#peer.give("pong");
    }

    close(code = 1005): void {
      if (this.readyState >= 2) return;
      door.forget(this.#peer);
      this.readyState = 2;
      this.#peer.end(code);
    }

    #open(address: URL, protocols: string[]): void {
      if (this.readyState !== 0) return;
      try {
        door.open(this.#peer, address, protocols);
      } catch {
        this.#emit("error", {});
        return this.#end(1006);
      }
      this.readyState = 1;
      if (protocols.includes("bearer")) this.protocol = "bearer";
      this.#emit("open", {});
    }

    #receive(data: string): void {
      if (this.readyState === 1) this.#emit("message", { data });
    }

    #end(code: number): void {
      if (this.readyState === 3) return;
      this.readyState = 3;
      this.#emit("close", { code, reason: "", wasClean: code !== 1006 });
    }

    #emit(type: "open" | "message" | "error" | "close", more: object): void {
      const event = Object.assign(new Event(type), more);
      this[`on${type}`]?.(event);
      this.dispatchEvent(event);
    }
  } as unknown as typeof WebSocket;
}
