/** Makes the store's messages of what the API answers, of frames, and of what the person writes. Pure. */
import type { PushedMessage } from "../api/generated/frames";
import { TITLE } from "../api/rest";
import type { ApiMessage, Draft, Message } from "../types";

/** A message of a history, of an answer or of a frame, in the conversation with `peer`. */
export function toMessage(one: ApiMessage | PushedMessage, peer: number, me: number): Message {
  // A frame does not say whether it is read: it is new then. A message to oneself is read when it is there (contract §2).
  const whole = { is_read: peer === me, read_at_ms: null, read_at: null, sender_name: "", ...one };
  const { created_at, read_at, sender_name, ...known } = whole;
  return { ...known, conversation_id: peer, is_mine: isMine(one, peer, me), delivery: "sent", error: null };
}

/** The message, or its newer form, if `form` is one. Its read state is its own: a change leaves that as it is. */
export function takeForm(message: Message, form: PushedMessage | undefined, me: number): Message {
  if (!form || form.version <= message.version) return message;
  const { is_read, read_at_ms } = message;
  return { ...toMessage(form, message.conversation_id, me), is_read, read_at_ms };
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
    state: null,
    state_text: null,
    ref: null,
    version: 1,
    created_at_ms: now,
    is_read: peer === me,
    read_at_ms: null,
    is_mine: true,
    delivery: "sending",
    error: null,
  };
}
