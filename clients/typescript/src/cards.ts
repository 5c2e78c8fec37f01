/** Cards: messages whose `content` is the JSON text of an object. */
import type { Message } from "./types";

/**
 * The object that a message's `content` is; null if it is text. `T` is what your apps send: it is not checked.
 *
 * A text that looks like an object, such as `{"a": 1}`, cannot be told from one.
 */
export function parseCard<T extends object = Record<string, unknown>>(message: Pick<Message, "content" | "content_type">): T | null {
  if (!["TEXT", "USER_NOTIFICATION"].includes(message.content_type) || !message.content.startsWith("{")) return null;
  try {
    return JSON.parse(message.content) as T;
  } catch {
    return null;
  }
}
