/** Sending, taking back, and where buttons lead. */
import { Fields } from "../fields";
import { findAccount, presentMessage } from "../presenting";
import { invalid, refuse } from "../problems";
import { checkSend, isAllowedTarget, parseJump } from "../rules";
import type { FakeApp, Stored } from "../world";
import { type Answer, type Call, type Route, type RouteParts, readId } from "./route";

const DAY = 24 * 60 * 60 * 1000;

export function makeMessageRoutes({ world, tokens, uploads, now }: RouteParts): Route[] {
  const sent = new Map<string, { body: string; message: Stored }>();

  function send({ me, body, headers }: Call): Answer {
    const key = headers.get("Idempotency-Key");
    if (key !== null && (key.length === 0 || key.length > 255)) {
      throw invalid("Idempotency-Key", "Must be 1 to 255 characters.", { where: "header" });
    }
    const text = canonical(body);
    const first = key === null ? undefined : sent.get(`${me} ${key}`);
    if (first && first.body !== text) {
      throw invalid("Idempotency-Key", "This key was used before with another body.", { where: "header", code: "KEY_REUSED" });
    }
    const findUpload = (name: string) => uploads.find(name);
    const message = first?.message ?? world.accept(checkSend(body, { world, now: now(), caller: me, findUpload }));
    if (key !== null) sent.set(`${me} ${key}`, { body: text, message });
    return { body: presentMessage(message, me, null), headers: first ? { "Idempotency-Replay": "true" } : {} };
  }

  function show({ me, path }: Call): Answer {
    const message = world.findVisible(me, readId(path[0], "message_id"));
    const isBroadcast = message.receiver_id === null;
    const copy = isBroadcast ? undefined : world.findReceived(message.receiver_id ?? me, message.id);
    return { body: { ...presentMessage(message, me, copy?.read_at ?? null), status: message.status } };
  }

  function recall({ me, path }: Call): Answer {
    const message = world.findVisible(me, readId(path[0], "message_id"));
    if (message.sender_id !== me) throw refuse("NOT_THE_SENDER", "Only its sender may take a message back.");
    if (now() - message.created_at > DAY) throw refuse("RECALL_TOO_LATE", "A message can be taken back for 24 hours.");
    world.recall(message);
    return { status: 204 };
  }

  function press({ me, path }: Call): Answer {
    const received = world.findReceived(me, readId(path[0], "message_id"));
    if (!received) throw refuse("UNKNOWN_MESSAGE", "There is no such message.");
    const link = parseJump(received.message.action_url ?? "");
    if (!link) throw invalid("message_id", "The message has no button that signs on.", { where: "path", code: "NO_BUTTON" });
    return { body: { callback_url: jump(world.findApp(link.app_id), link.target, me) } };
  }

  function jump(app: FakeApp, target: string, me: number): string {
    if (!isAllowedTarget(app, target)) {
      throw invalid("redirect_to", "Must be an http(s) URL on a host of the app.", { where: "query", code: "HOST_NOT_ALLOWED" });
    }
    return `${signOn(app, me)}&next=${encodeURIComponent(target)}`;
  }

  function signOn({ callback_url, app_id }: FakeApp, me: number): string {
    const joint = callback_url.includes("?") ? "&" : "?";
    return `${callback_url}${joint}ticket=${encodeURIComponent(tokens.issueSignOnTicket(me, app_id))}`;
  }

  function signOnTo({ me, body }: Call): Answer {
    const fields = new Fields(body);
    const app_id = fields.text("app_id", { least: 1, most: 255 }) ?? "";
    fields.check("app_id");
    const app = world.findApp(app_id);
    if (findAccount(app, me) === null) throw refuse("NO_ACCOUNT", "You have no account in this app.");
    return { body: { redirect_url: signOn(app, me) } };
  }

  return [
    { method: "POST", path: /^\/messages\/?$/, reads: "body", answer: send },
    { method: "GET", path: /^\/messages\/([^/]+)$/, answer: show },
    { method: "DELETE", path: /^\/messages\/([^/]+)$/, answer: recall },
    { method: "GET", path: /^\/messages\/([^/]+)\/callback-url$/, answer: press },
    { method: "POST", path: /^\/simple\/sso-login$/, reads: "body", answer: signOnTo },
    { method: "POST", path: /^\/ws\/tickets$/, answer: ({ identity }) => ({ body: tokens.issueSocketTicket(identity) }) },
  ];
}

/** JSON text that is the same for the same value, whatever the order of its keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) => (isObject(one) ? Object.fromEntries(Object.entries(one).sort()) : one));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
