/** Cards: messages whose `content` is the JSON text of an object. */
import type { Message } from "./types";

/**
 * The object that a message's `content` is; null if it is text. `T` is what your apps send: it is not checked.
 *
 * A text that looks like an object, such as `{"a": 1}`, cannot be told from one.
 */
export function parseCard<T extends object = Record<string, unknown>>({ content }: Pick<Message, "content">): T | null {
  try {
    return content.startsWith("{") ? (JSON.parse(content) as T) : null;
  } catch {
    return null;
  }
}
