/** The lines of the conversation list, and what a frame does to them. Pure; nothing is changed in place. */
import type { PushedMessage } from "../api/generated/frames";
import type { ApiConversation } from "../types";
import { isMine } from "./messages";

export type Lines = readonly ApiConversation[];

/** As long as the API cuts a preview (contract §4), in characters and not in UTF-16 units. */
const PREVIEW = 200;

export function find(lines: Lines, peer: number): ApiConversation | undefined {
  return lines.find(({ user_id }) => user_id === peer);
}

export function sumUnread(lines: Lines): number {
  return lines.reduce((sum, { unread_count }) => sum + unread_count, 0);
}

/** The lines with this one changed, in the API's order: the newest first. */
export function put(lines: Lines, line: ApiConversation): Lines {
  const others = lines.filter(({ user_id }) => user_id !== line.user_id);
  const place = others.findIndex(({ updated_at_ms }) => updated_at_ms <= line.updated_at_ms);
  return place < 0 ? [...others, line] : [...others.slice(0, place), line, ...others.slice(place)];
}

/**
 * The line after a new message; null if it cannot be told whether the line had it already: it was fetched, and is as new
 * as the message.
 */
export function addMessage(line: ApiConversation, data: PushedMessage, me: number): ApiConversation | null {
  if (data.created_at_ms <= line.updated_at_ms) return null;
  return {
    ...line,
    unread_count: line.unread_count + (isMine(data, data.conversation_id, me) ? 0 : 1),
    last_message: makePreview(data),
    last_message_type: data.content_type,
    updated_at: data.created_at,
    updated_at_ms: data.created_at_ms,
  };
}

/** Whether the line may no longer say what it says, since that message was changed: it may be of the line's newest one. */
export function isOutdated(line: ApiConversation, data: PushedMessage): boolean {
  return data.created_at_ms === line.updated_at_ms && makePreview(data) !== line.last_message;
}

export function setUnread(lines: Lines, peer: number, count: number): Lines {
  return lines.map((line) => (line.user_id === peer && line.unread_count !== count ? { ...line, unread_count: count } : line));
}

function makePreview({ content_type, content }: PushedMessage): string {
  return content_type === "TEXT" ? Array.from(content).slice(0, PREVIEW).join("") : `[${content_type}]`;
}
