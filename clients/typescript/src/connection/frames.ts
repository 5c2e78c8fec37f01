/** Reads what comes over a socket. */
import type { Frame } from "../api/generated/frames";

/** A record, so that a type of frame that is missing here, or is no longer one, is an error of the compiler. */
const KNOWN: Record<Frame["type"], true> = {
  HELLO: true,
  POSITION: true,
  NEW_MESSAGE: true,
  MESSAGE_UPDATED: true,
  CONVERSATION_READ: true,
  ALL_READ: true,
  MESSAGE_RECALLED: true,
  RESYNC: true,
};

/** One frame. `frame` is null for a type that this client does not know: its `pos` counts all the same. */
export interface Received {
  pos: string | null;
  frame: Frame | null;
}

/** Null for what is no frame, such as `pong`. */
export function readFrame(data: unknown): Received | null {
  if (typeof data !== "string" || !data.startsWith("{")) return null;
  let value: { type?: unknown; pos?: unknown };
  try {
    value = JSON.parse(data) as typeof value;
  } catch {
    return null;
  }
  const isKnown = typeof value.type === "string" && Object.hasOwn(KNOWN, value.type);
  return { pos: typeof value.pos === "string" ? value.pos : null, frame: isKnown ? (value as Frame) : null };
}
