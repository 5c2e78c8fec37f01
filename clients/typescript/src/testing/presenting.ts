/** The shapes in which the fake server shows what it knows: those of the API. */
import type { PushedMessage } from "../api/generated/frames";
import type { AppAccount, Conversation, Message, Person } from "../api/shapes";
import type { Conversation as Listed, FakeApp, Known, Stored, World } from "./world";

const PREVIEW = 200;
const MEDIA: readonly string[] = ["IMAGE", "VIDEO", "FILE"];

export const OBJECTS = "/api/v1/media/objects/";

/** `YYYY-MM-DDTHH:MM:SS`, in UTC. */
function showInstant(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19);
}

/** For media the address of the object, relative to the API. */
function showContent({ content, content_type }: Stored): string {
  return MEDIA.includes(content_type) && !/^https?:\/\//i.test(content) ? `${OBJECTS}${content}?signature=fake` : content;
}

function showCard({ state, state_text, ref, version }: Stored) {
  return { state, state_text, ref, version };
}

function showApp({ app }: Stored): { app_id: number | null; app_name: string | null } {
  return { app_id: app?.id ?? null, app_name: app?.name ?? null };
}

/** A message as `person` sees it; `read_at` in Unix milliseconds, null if it is not read. */
export function presentMessage(message: Stored, person: number | null, read_at: number | null): Message {
  const { id, sender_id, receiver_id, type, content_type, title, filename, action_url, action_text, created_at } = message;
  return {
    ...{ id, sender_id, receiver_id, ...showApp(message), type, content_type, title, content: showContent(message), filename },
    ...{ action_url, action_text, is_read: read_at !== null, created_at: showInstant(created_at), created_at_ms: created_at },
    read_at: read_at === null ? null : showInstant(read_at),
    read_at_ms: read_at,
    client_ref: person !== null && person === sender_id ? message.client_ref : null,
    ...showCard(message),
  };
}

/** A message as it is pushed to `person`, in whose conversation `peer` it is. */
export function presentPush({ message, peer }: { message: Stored; peer: number }, person: number): PushedMessage {
  const { id, sender_id, receiver_id, type, content_type, title, filename, action_url, action_text, created_at } = message;
  return {
    ...{ id, sender_id, type, content_type, title, content: showContent(message), filename, action_url, action_text },
    sender_name: type === "NOTIFICATION" ? "系统通知" : "用户私信",
    ...{ created_at: showInstant(created_at), created_at_ms: created_at, ...showApp(message), receiver_id, conversation_id: peer },
    client_ref: person === sender_id ? message.client_ref : null,
    ...showCard(message),
  };
}

export function presentConversation(world: World, { peer, last, unread }: Listed): Conversation {
  const text = last.content_type === "TEXT" ? [...last.content].slice(0, PREVIEW).join("") : `[${last.content_type}]`;
  return {
    ...presentPeer(world, peer),
    ...{ unread_count: unread, last_message: text, last_message_type: last.content_type },
    ...{ updated_at: showInstant(last.created_at), updated_at_ms: last.created_at },
  };
}

function presentPeer(world: World, peer: number) {
  const base = { user_id: peer, is_system: peer <= 0, app_id: null, app_name: null };
  if (peer === 0) return { ...base, username: "system", full_name: "系统通知" };
  const person = world.people.get(peer);
  if (peer > 0) return { ...base, username: person?.mobile ?? "", full_name: person?.name ?? "" };
  const app = world.apps.find(({ id }) => id === -peer);
  const name = app?.name ?? "";
  return { ...base, username: app?.app_id ?? "", full_name: name, app_id: -peer, app_name: name };
}

export function presentPerson({ id, mobile, name, english_name, isActive }: Known): Person {
  return { id, mobile, name, english_name, status: isActive ? "ACTIVE" : "DISABLED" };
}

/** An app and the account in it of a person, who has none if `account` is null. */
export function presentApp({ name, app_id }: FakeApp, account: string | null): AppAccount {
  return {
    ...{ app_name: name, app_id, protocol_type: "SIMPLE_API", mapped_key: account, is_active: true, description: "" },
    mapped_email: account === null ? null : `${account}@example.com`,
    category_id: null,
    category_name: null,
  };
}

/** The name by which an app knows a person; null without an account. */
export function findAccount({ accounts }: FakeApp, person: number): string | null {
  if (!accounts) return `user${person}`;
  return Object.keys(accounts).find((name) => accounts[name] === person) ?? null;
}
