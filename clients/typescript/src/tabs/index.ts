/** One socket for all tabs of a browser. Not written yet: each tab has its own. */
import type { Connection, SharedConnectionParts } from "../types";

export function createSharedConnection(parts: SharedConnectionParts): Connection {
  return parts.connect(null);
}
