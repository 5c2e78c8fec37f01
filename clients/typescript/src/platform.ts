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
  /** A random UUID, for `Idempotency-Key` and `client_ref`. */
  uuid(): string;
  /** Call `callback` after so many milliseconds; returns what takes it back. */
  after(milliseconds: number, callback: () => void): () => void;
  readonly fetch: typeof fetch;
  readonly WebSocket: typeof WebSocket;
  /** Web Locks, for electing the tab that holds the socket. Only in a secure context. */
  readonly locks: LockManager | undefined;
  readonly BroadcastChannel: typeof BroadcastChannel | undefined;
  /** Call `callback` when the network comes back, and when the page becomes visible; returns what ends it. */
  onWake(callback: () => void): () => void;
  /** False only if the platform knows that there is no network. */
  isOnline(): boolean;
  /** Call `callback` when the network comes or goes; returns what ends it. */
  onNetworkChange(callback: () => void): () => void;
}
