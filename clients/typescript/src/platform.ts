/**
 * What the client takes from the world around it: clocks, chance, the network and the browser's own things.
 *
 * Everything else takes it from here and never from a global, so that tests can give their own and the package can be
 * imported where there is no `window`. What a platform does not have is undefined.
 */
export interface Platform {
  /** Unix milliseconds. */
  now(): number;
  /** At least 0, below 1. */
  random(): number;
  /** 128 random bits in hex, for `Idempotency-Key` and `client_ref`. */
  uuid(): string;
  /** Call `callback` after so many milliseconds; returns what takes it back. */
  after(milliseconds: number, callback: () => void): () => void;
  readonly fetch: typeof fetch;
  /** Tells how far an upload is, which fetch does not. Not in Node. */
  readonly XMLHttpRequest: typeof XMLHttpRequest | undefined;
  /** Node has one from version 22 on. */
  readonly WebSocket: SocketClass | undefined;
  /** Web Locks, for electing the tab that holds the socket. Only in a secure context. */
  readonly locks: LockManager | undefined;
  readonly BroadcastChannel: typeof BroadcastChannel | undefined;
  /** Call `callback` when the network comes back, and when the page becomes visible; returns what ends it. */
  onWake(callback: () => void): () => void;
  /**
   * Call `suspend` when the page is put away or frozen, so that nothing reaches it any more, and `resume` if it comes back
   * (the back-forward cache, a tab that was frozen); returns what ends it. A page that is closed is put away for good.
   */
  onSuspend(suspend: () => void, resume: () => void): () => void;
  /** The page's own address, against which a `baseUrl` without an origin is resolved. */
  readonly location: string | undefined;
  /** False only if the platform knows that there is no network. */
  isOnline(): boolean;
  /** Call `callback` when the network comes or goes; returns what ends it. */
  onNetworkChange(callback: () => void): () => void;
  /** Open a blank tab now, in the click; null if the platform does not let it. */
  openTab(): Tab | null;
  /** Leave this page for another address. */
  leaveFor(url: string): void;
}

/** What the client needs of a WebSocket: those of browsers and Node have it, and that of the package `ws`. */
export interface Socket {
  readonly readyState: number;
  send(text: string): void;
  close(code?: number): void;
  // Unknown, since each has events of its own types; the client sets them only.
  onopen: unknown;
  onmessage: unknown;
  onclose: unknown;
  onerror: unknown;
}

export type SocketClass = new (url: string) => Socket;

/** A tab that was opened for an address which is not known yet. It cannot reach the page that opened it. */
export interface Tab {
  go(url: string): void;
  close(): void;
}
