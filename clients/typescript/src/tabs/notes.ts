/** What the tabs of one person tell each other. A change that an older tab would read wrongly needs another `VERSION`. */
import { CarillonError } from "../api/errors";
import type { ConnectionState, Frame } from "../types";
import type { Place } from "./sequence";

/** A part of the names of channels and locks: tabs that were loaded before and after an update do not mix. */
export const VERSION = 1;

/** What a leader passes on: a frame, or that everything which was read before is to be read again. */
export type TabEvent = Frame | "fresh";

/** From the leader, to all: where it is, and what happened. */
export interface Bulletin {
  kind: "bulletin";
  /** Where the leader is, after `event`. */
  place: Place;
  /** Where it stood when its term began; null if it knew nothing: then the term begins with `fresh`. */
  after: Place | null;
  event: TabEvent | null;
  /** Where a socket goes on after `event`. */
  position: string | null;
  state: PackedState;
  clockOffset: number;
}

export type Note =
  | Bulletin
  /** To the leader: where are you? It answers with a bulletin. */
  | { kind: "ask" }
  /** To the leader: try to connect now. */
  | { kind: "wake" }
  /** To all: the person has signed out of this browser. */
  | { kind: "signed_out" }
  /** To the tab that sent it. */
  | { kind: "mark"; id: string };

/** A state whose error, if it has one, is plain: a channel would carry nothing but its message. */
export interface PackedState {
  state: ConnectionState;
  error: (ConstructorParameters<typeof CarillonError>[1] & { message: string }) | null;
}

export function packState(state: ConnectionState): PackedState {
  if (!("error" in state) || !state.error) return { state, error: null };
  const { message, status, code, requestId, fields, retryAfter } = state.error;
  return { state: { ...state, error: null }, error: { message, status, code, requestId, fields, retryAfter } };
}

export function unpackState({ state, error }: PackedState): ConnectionState {
  return error && "error" in state ? { ...state, error: new CarillonError(error.message, error) } : state;
}
