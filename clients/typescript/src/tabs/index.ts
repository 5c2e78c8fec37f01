/** One socket for all tabs of a person in a browser; docs/decisions/0041-one-socket-a-browser.md says how and why. */
import type { Connection, SharedConnectionParts } from "../types";
import { SharedConnection } from "./shared-connection";

/**
 * A connection that all tabs of the same person and server share. One of them, the leader, has the socket.
 *
 * Each tab is given every frame once, in order, whichever tab comes, goes or takes over. Needs `platform.locks` and
 * `platform.BroadcastChannel`; where the browser forbids locks all the same, the tab has a socket of its own.
 */
export function createSharedConnection(parts: SharedConnectionParts): Connection {
  return new SharedConnection(parts);
}
