/** What is in a message's content: cards, links, and the one line that the list shows. Pure. */
import type { ApiConversation } from "@carillon/client";
import { fill, type Words } from "../words";

export type CardValue =
  | { kind: "text"; text: string }
  | { kind: "flag"; is: boolean }
  | { kind: "list"; values: CardValue[] }
  | { kind: "items"; items: CardItem[] };

export interface CardItem {
  label: string;
  value: CardValue;
}

/** Deeper than this a value is shown as its JSON text: nobody reads further. */
const DEEPEST = 3;

/** The items of content that is a JSON object, in the sender's order; null if it is anything else. */
export function readCard(content: string): CardItem[] | null {
  if (!content.startsWith("{")) return null;
  try {
    const parsed: unknown = JSON.parse(content);
    return isObject(parsed) ? readItems(parsed, 1) : null;
  } catch {
    // Text may begin with a brace.
    return null;
  }
}

function readItems(object: Record<string, unknown>, depth: number): CardItem[] {
  return Object.entries(object)
    .filter(([, value]) => value !== null && value !== "")
    .map(([label, value]) => ({ label, value: readValue(value, depth) }));
}

function readValue(value: unknown, depth: number): CardValue {
  if (typeof value === "boolean") return { kind: "flag", is: value };
  if (typeof value !== "object" || value === null) return { kind: "text", text: String(value) };
  if (depth >= DEEPEST) return { kind: "text", text: JSON.stringify(value) };
  if (Array.isArray(value)) return { kind: "list", values: value.map((one) => readValue(one, depth + 1)) };
  return { kind: "items", items: readItems(value as Record<string, unknown>, depth + 1) };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export interface TextPart {
  text: string;
  /** Where it leads, if it is a link. */
  href: string | null;
}

// Punctuation at the end, Chinese too, belongs to the sentence and not to the address.
const LINK = /https?:\/\/[^\s<>"'，。；！？、（）《》“”]*[^\s<>"'，。；！？、（）《》“”.,;:!?)\]]/gi;

/** The text in pieces, those that are web addresses as links. */
export function splitLinks(text: string): TextPart[] {
  const parts: TextPart[] = [];
  let end = 0;
  for (const found of text.matchAll(LINK)) {
    if (found.index > end) parts.push({ text: text.slice(end, found.index), href: null });
    parts.push({ text: found[0], href: found[0] });
    end = found.index + found[0].length;
  }
  if (end < text.length) parts.push({ text: text.slice(end), href: null });
  return parts;
}

/** Whether the text is one to three emoji and nothing else: those are shown large. */
export function isEmojiOnly(text: string): boolean {
  return text.length <= 32 && /^(?:\p{Extended_Pictographic}(?:\p{Emoji_Modifier}|️|‍\p{Extended_Pictographic})*\s?){1,3}$/u.test(text);
}

/** The list's line for a conversation. */
export function previewOf(conversation: ApiConversation, words: Words): string {
  switch (conversation.last_message_type) {
    case "IMAGE":
      return `[${words.picture}]`;
    case "VIDEO":
      return `[${words.video}]`;
    case "FILE":
      return `[${words.file}]`;
    case "USER_NOTIFICATION":
      return `[${words.notice}]`;
    default:
      return conversation.user_id <= 0 ? flattenCard(conversation.last_message) : conversation.last_message;
  }
}

// The list has only the first 200 characters: the object may be cut anywhere.
const PAIR = /"((?:[^"\\]|\\.)*)"\s*:\s*(?:"((?:[^"\\]|\\.)*)"?|(-?[\d.]+))/g;

/** An object's items in one line, `申请人 张三 · 金额 1200`, also if its end is missing; other text as it is. */
export function flattenCard(text: string): string {
  if (!text.startsWith("{")) return text;
  const pairs = [...text.matchAll(PAIR)].map(([, label = "", quoted, plain]) => `${unescape(label)} ${unescape(quoted ?? plain ?? "")}`);
  return pairs.length > 0 ? pairs.join(" · ") : text;
}

function unescape(text: string): string {
  try {
    return JSON.parse(`"${text}"`) as string;
  } catch {
    return text;
  }
}

/** What is said of a new message to somebody who does not see it. */
export function announce(conversation: ApiConversation, words: Words): string {
  return fill(words.newMessageFrom, { name: nameOf(conversation, words), text: previewOf(conversation, words).slice(0, 120) });
}

/** The conversation's name; the system's own is translated. */
export function nameOf(conversation: Pick<ApiConversation, "user_id" | "full_name" | "username">, words: Words): string {
  return conversation.user_id === 0 ? words.system : conversation.full_name || conversation.username;
}
