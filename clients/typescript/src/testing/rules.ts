/** The rules of a send: a request becomes a message, or is refused. What is said for people of the API holds here. */
import { Fields } from "./fields";
import { invalid, refuse } from "./problems";
import type { FakeApp, Sendable, World } from "./world";

const CONTENT_LIMIT = 64 * 1024;
const DAY = 24 * 60 * 60 * 1000;
const AHEAD = 90 * DAY;
const JUMP = "/api/v1/simple/sso/jump";
const ABSOLUTE = /^https?:\/\/(?<host>[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)(?::[0-9]{1,5})?(?:\/(?!\/)[^\s\\]*|[?#][^\s\\@]*)?$/i;
const TYPES = ["MESSAGE", "NOTIFICATION"] as const;
const CONTENT_TYPES = ["TEXT", "IMAGE", "VIDEO", "FILE", "USER_NOTIFICATION"] as const;
export const CARD_STATES = ["PENDING", "DONE", "REJECTED", "CLOSED"] as const;
const MEDIA: readonly string[] = ["IMAGE", "VIDEO", "FILE"];

/** An object that was announced. */
export interface Upload {
  owner: number;
  filename: string;
  isThere: boolean;
}

/** What the rules look at. `caller` is a person's id, or the app that sends. */
export interface RuleParts {
  world: World;
  now: number;
  caller: number | FakeApp;
  findUpload(key: string): Upload | undefined;
}

/** Check a send's body; throws the Problem of the first rule that is broken. */
export function checkSend(body: Record<string, unknown>, parts: RuleParts): Sendable {
  const asked = readFields(body);
  checkCaller(asked, parts.caller);
  checkReceiver(asked);
  checkContent(asked);
  checkButton(asked, parts.caller);
  checkCard(asked, parts.caller);
  const buttonApp = findButtonApp(asked, parts);
  const receiver_id = asked.is_broadcast ? null : findReceiver(asked, parts, buttonApp);
  const upload = checkMedia(asked, parts);
  const isPerson = typeof parts.caller === "number";
  const { type, content_type, title, content, action_text, client_ref, state, state_text, ref } = asked;
  return {
    ...{ type, content_type, title, content, action_text, client_ref, state, state_text, ref, receiver_id },
    sender_id: typeof parts.caller === "number" ? parts.caller : null,
    app: isPerson ? null : buttonApp,
    filename: upload?.filename ?? null,
    action_url: buildActionUrl(asked, buttonApp),
    send_at: checkInstant(asked.send_at, parts.now),
  };
}

type Asked = ReturnType<typeof readFields>;

function readFields(body: Record<string, unknown>) {
  const fields = new Fields(body);
  const asked = {
    type: fields.oneOf("type", TYPES) ?? "MESSAGE",
    title: fields.text("title", { least: 1, most: 255 }) ?? "",
    content: fields.content("content") ?? "",
    content_type: fields.oneOf("content_type", CONTENT_TYPES) ?? "TEXT",
    receiver_id: fields.whole("receiver_id"),
    app_id: fields.text("app_id", { least: 1, most: 255 }),
    app_user_id: fields.text("app_user_id", { least: 1, most: 255 }),
    is_broadcast: fields.flag("is_broadcast"),
    auto_sso: fields.flag("auto_sso"),
    target_url: fields.text("target_url", { most: 2048 }),
    action_url: fields.text("action_url", { most: 2048 }),
    action_text: fields.text("action_text", { most: 255 }),
    client_ref: fields.text("client_ref", { most: 64 }),
    state: fields.oneOf("state", CARD_STATES),
    state_text: fields.text("state_text", { most: 64 }),
    ref: fields.text("ref", { most: 128 }),
    send_at: fields.instant("send_at"),
  } as const;
  fields.check("type", "title", "content");
  return asked;
}

function checkCaller({ type, is_broadcast }: Asked, caller: number | FakeApp): void {
  if (typeof caller === "number" && (type !== "MESSAGE" || is_broadcast)) {
    throw refuse("FOR_APPS_ONLY", "Only apps may send notifications and broadcasts.");
  }
}

function checkReceiver({ is_broadcast, receiver_id, app_user_id, app_id }: Asked): void {
  const isNamed = receiver_id !== null || app_user_id !== null;
  if (is_broadcast && isNamed) throw invalid("is_broadcast", "A broadcast must not name a receiver.");
  if (is_broadcast) return;
  if (receiver_id !== null && app_user_id !== null) throw invalid("receiver_id", "Name the receiver in one way only.");
  if (!isNamed) throw invalid("receiver_id", "Name a receiver: receiver_id, or app_id and app_user_id.");
  if (app_user_id !== null && app_id === null) throw invalid("app_id", "app_user_id needs app_id.");
}

function checkContent({ type, content, content_type }: Asked): void {
  if (content_type === "USER_NOTIFICATION" && type !== "MESSAGE") {
    throw invalid("content_type", "USER_NOTIFICATION goes with MESSAGE only.");
  }
  if (new TextEncoder().encode(content).length > CONTENT_LIMIT) {
    throw refuse("CONTENT_TOO_LARGE", `The content is longer than ${CONTENT_LIMIT} bytes.`);
  }
}

function checkButton(asked: Asked, caller: number | FakeApp): void {
  const { action_url, auto_sso, type, content_type, target_url, app_id } = asked;
  if (action_url !== null && !ABSOLUTE.test(action_url) && !parseJump(action_url)) {
    throw invalid("action_url", "Must be an http(s) URL or a jump link.");
  }
  if (action_url !== null || !auto_sso) return;
  if (type !== "NOTIFICATION" && content_type !== "USER_NOTIFICATION") {
    throw invalid("auto_sso", "Goes with NOTIFICATION or USER_NOTIFICATION only.");
  }
  if (target_url === null) throw invalid("target_url", "auto_sso needs target_url.");
  if (app_id === null && typeof caller === "number") throw invalid("app_id", "auto_sso needs an app.");
}

/** What only cards have, and only apps give. */
function checkCard(asked: Asked, caller: number | FakeApp): void {
  const named = (["state", "state_text", "ref"] as const).find((name) => asked[name] !== null);
  if (named && typeof caller === "number") throw refuse("FOR_APPS_ONLY", "Only apps may send cards that change.");
  if (asked.type === "NOTIFICATION" || asked.content_type === "USER_NOTIFICATION") return;
  if (named) throw invalid(named, "Goes with NOTIFICATION or USER_NOTIFICATION only.");
}

function findButtonApp({ app_id }: Asked, { caller, world }: RuleParts): FakeApp | null {
  if (typeof caller !== "number") return caller;
  return app_id === null ? null : world.findApp(app_id);
}

function findReceiver({ receiver_id, app_user_id }: Asked, { world }: RuleParts, app: FakeApp | null): number {
  const id = app && app_user_id !== null ? findByAccount(app, app_user_id) : receiver_id;
  if (id !== null && world.people.get(id)?.isActive) return id;
  throw refuse(id === null ? "NO_MAPPING" : "UNKNOWN_RECEIVER", "There is no such receiver.");
}

function findByAccount({ accounts }: FakeApp, name: string): number | null {
  if (accounts) return accounts[name] ?? null;
  return /^user[0-9]+$/.test(name) ? Number(name.slice("user".length)) : null;
}

function checkMedia({ content, content_type }: Asked, { caller, findUpload }: RuleParts): Upload | null {
  if (!MEDIA.includes(content_type) || /^https?:\/\//i.test(content)) return null;
  const upload = findUpload(content);
  if (!upload || upload.owner !== caller) {
    throw refuse("NOT_YOUR_UPLOAD", "The content is not an object that the caller uploaded.");
  }
  if (!upload.isThere) throw invalid("content", "The object is not uploaded yet.", { code: "NOT_UPLOADED" });
  return upload;
}

function buildActionUrl({ action_url, auto_sso, target_url }: Asked, app: FakeApp | null): string | null {
  if (action_url || !auto_sso || !app || target_url === null) return action_url;
  if (!ABSOLUTE.test(target_url)) throw invalid("target_url", "Must be a well-formed absolute http(s) URL.");
  if (!isAllowedTarget(app, target_url)) {
    throw invalid("target_url", "The app allows no button to this host.", { code: "HOST_NOT_ALLOWED" });
  }
  return `${JUMP}?app_id=${encodeURIComponent(app.app_id)}&redirect_to=${encodeURIComponent(target_url)}`;
}

function checkInstant(send_at: number | null, now: number): number | null {
  if (send_at === null || send_at > now + AHEAD) {
    if (send_at !== null) throw invalid("send_at", "Must be within 90 days.");
    return null;
  }
  if (now - send_at > 60_000) {
    throw invalid("send_at", "Must not be more than a minute in the past.", { code: "SEND_AT_PAST" });
  }
  return send_at;
}

/** The parts of a jump link; null for any other address. */
export function parseJump(url: string): { app_id: string; target: string } | null {
  if (!url.startsWith(`${JUMP}?`)) return null;
  const query = new URLSearchParams(url.slice(JUMP.length));
  const [app_id, target] = [query.get("app_id"), query.get("redirect_to")];
  return app_id && target ? { app_id, target } : null;
}

/** Whether the app's buttons may lead there. */
export function isAllowedTarget({ callback_url, redirect_hosts = [] }: FakeApp, target: string): boolean {
  const host = ABSOLUTE.exec(target)?.groups?.["host"]?.toLowerCase();
  if (host === undefined) return false;
  const isOf = (entry: string): boolean => (entry.startsWith("*.") ? host.endsWith(entry.slice(1)) : host === entry);
  return host === new URL(callback_url).hostname || redirect_hosts.some(isOf);
}
