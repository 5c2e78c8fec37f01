/** Makes the store's messages of what the API answers, of frames, and of what the person writes. Pure. */
import type { PushedMessage } from "../api/generated/frames";
import type { ApiMessage, Draft, Message } from "../types";

/** What the API calls a message without a title of its own, as in the client document's examples. */
const TITLE = "私信";

export function fromAnswer(one: ApiMessage, peer: number, me: number): Message {
  return {
    ...pickShown(one),
    conversation_id: peer,
    is_read: one.is_read,
    read_at_ms: one.read_at_ms,
    is_mine: isMine(one.sender_id, peer, me),
  };
}

export function fromFrame(one: PushedMessage, me: number): Message {
  const peer = one.conversation_id;
  // A message to oneself is read when it is there (contract §2).
  const isOwn = peer === me;
  return {
    ...pickShown(one),
    conversation_id: peer,
    is_read: isOwn,
    read_at_ms: isOwn ? one.created_at_ms : null,
    is_mine: isMine(one.sender_id, peer, me),
  };
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

/** In a person's conversation whoever is me has sent it; what an app says on my behalf is the app's. */
function isMine(sender: number | null, peer: number, me: number): boolean {
  return peer > 0 && sender === me;
}

function pickShown(one: ApiMessage | PushedMessage) {
  return {
    id: one.id,
    client_ref: one.client_ref,
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
    delivery: "sent" as const,
    error: null,
  };
}
