/** The part of a history that is loaded: everything from some message on, in the order of ids. Pure; nothing is changed in place. */
import type { Message } from "../types";

export type Window = readonly Message[];

/** The window with this message in its place, instead of what had its id; a newer form of it stays. */
export function insert(window: Window, message: Message): Window {
  const place = findPlace(window, message.id);
  const known = window[place];
  const hasId = known?.id === message.id;
  if (hasId && known.version > message.version) return window;
  return [...window.slice(0, place), message, ...window.slice(hasId ? place + 1 : place)];
}

export function remove(window: Window, id: number): Window {
  const place = findPlace(window, id);
  return window[place]?.id === id ? [...window.slice(0, place), ...window.slice(place + 1)] : window;
}

/** Everything of the others up to that message is read. */
export function markRead(window: Window, upToId: number): Window {
  const isNews = ({ id, is_mine, is_read }: Message): boolean => !is_mine && !is_read && id <= upToId;
  if (!window.some(isNews)) return window;
  return window.map((one) => (isNews(one) ? { ...one, is_read: true } : one));
}

/**
 * What was fetched, and what came by frames after the fetch had begun (`arrived`), as the frames left it: the rest of the
 * window is either in what was fetched, or gone.
 */
export function replace(window: Window, fetched: Window, arrived: ReadonlySet<number>): Window {
  const late = window.filter(({ id }) => arrived.has(id));
  if (late.length === 0) return fetched;
  return [...fetched.filter(({ id }) => !arrived.has(id)), ...late].sort((one, other) => one.id - other.id);
}

/** Older messages before the window. */
export function prepend(window: Window, older: Window): Window {
  const first = window[0]?.id ?? Infinity;
  return [...older.filter(({ id }) => id < first), ...window];
}

/** The place of the first message whose id is not lower. */
function findPlace(window: Window, id: number): number {
  let [low, high] = [0, window.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((window[middle]?.id ?? Infinity) < id) low = middle + 1;
    else high = middle;
  }
  return low;
}
