/** Makes the store's messages of what the API answers, of frames, and of what the person writes. Pure. */
import type { PushedMessage } from "../api/generated/frames";
import { TITLE } from "../api/rest";
import type { ApiMessage, Draft, Message } from "../types";

/** A message of a history, of an answer or of a frame, in the conversation with `peer`. */
export function toMessage(one: ApiMessage | PushedMessage, peer: number, me: number): Message {
  // A frame does not say whether it is read: it is new then. A message to oneself is read when it is there (contract §2).
  const { is_read, read_at_ms } = "is_read" in one ? one : { is_read: peer === me, read_at_ms: null };
  return {
    id: one.id,
    client_ref: one.client_ref,
    conversation_id: peer,
    sender_id: one.sender_id,
    receiver_id: one.receiver_id,
    app_id: one.app_id,
    app_name: one.app_name,
    type: one.type,
    content_type: one.content_type,
    title: one.title,
    content: one.content,
    filename: one.filename,
    action_url: one.action_url,
    action_text: one.action_text,
    created_at_ms: one.created_at_ms,
    is_read,
    read_at_ms,
    is_mine: isMine(one, peer, me),
    delivery: "sent",
    error: null,
  };
}

/** In a person's conversation whoever is me has sent it; what an app says on my behalf is the app's. */
export function isMine({ sender_id }: { sender_id: number | null }, peer: number, me: number): boolean {
  return peer > 0 && sender_id === me;
}

export function fromDraft(draft: Draft, parts: { ref: string; peer: number; me: number; now: number }): Message {
  const { ref, peer, me, now } = parts;
  return {
    id: 0,
    client_ref: ref,
    conversation_id: peer,
    sender_id: me,
    receiver_id: peer,
    app_id: null,
    app_name: null,
    type: "MESSAGE",
    content_type: draft.content_type ?? "TEXT",
    title: draft.title ?? TITLE,
    content: typeof draft.content === "string" ? draft.content : JSON.stringify(draft.content),
    filename: null,
    action_url: null,
    action_text: null,
    created_at_ms: now,
    is_read: peer === me,
    read_at_ms: null,
    is_mine: true,
    delivery: "sending",
    error: null,
  };
}
