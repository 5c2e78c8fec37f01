/** Reading: the conversation list, histories, and what is unread. */
import { Fields } from "../fields";
import { presentConversation, presentMessage } from "../presenting";
import { invalid, refuse } from "../problems";
import { CARD_STATES } from "../rules";
import type { Conversation } from "../world";
import { type Answer, type Call, MOST, type Route, type RouteParts, readId } from "./route";

const LISTED = 1_000;
const PAGE = 200;
const DEPRECATED = {
  Deprecation: "@1795737600",
  Link: '</api/v1/messages/conversations/%7Bother_user_id%7D/read>; rel="successor-version"',
};

export function makeConversationRoutes({ world }: RouteParts): Route[] {
  function checkPeer(text: string | undefined): number {
    const peer = readId(text, "other_user_id");
    if (peer > 0 && !world.people.has(peer)) throw refuse("UNKNOWN_PERSON", "There is no such person.");
    if (peer < 0 && !world.apps.some(({ id }) => id === -peer)) throw refuse("UNKNOWN_APP", "There is no such app.");
    return peer;
  }

  function list({ me, query }: Call): Answer {
    const fields = new Fields(query, "query");
    const limit = fields.whole("limit", { least: 1, most: PAGE });
    fields.check();
    const all = world.listConversations(me);
    const show = (some: Conversation[]) => some.map((one) => presentConversation(world, one));
    if (limit === null && query["cursor"] === undefined) return { body: show(all.slice(0, LISTED)) };
    const at = readCursor(query["cursor"]);
    const { items, next } = listPage(all, limit ?? PAGE, { ...at, begun: at.begun ?? world.lastId });
    const link = `<?limit=${limit ?? PAGE}&cursor=${next && writeCursor(next)}>; rel="next"`;
    return { body: show(items), headers: next ? { Link: link } : {} };
  }

  function history({ me, path, query }: Call): Answer {
    const fields = new Fields(query, "query");
    const limit = fields.whole("limit", { least: 1, most: 100 }) ?? 50;
    const skip = fields.whole("skip", { least: 0, most: 100_000 }) ?? 0;
    const before = fields.whole("before_id") ?? MOST;
    readId(path[0], "other_user_id");
    fields.check();
    const older = world.listHistory(me, checkPeer(path[0])).filter(({ message }) => message.id < before);
    return { body: older.slice(skip, skip + limit).map((one) => presentMessage(one.message, me, world.findReadAt(me, one))) };
  }

  function read({ me, path, body }: Call): Answer {
    const fields = new Fields(body);
    const upTo = fields.whole("up_to_id", { least: 0 }) ?? MOST;
    fields.check();
    return { body: { updated_count: world.markRead(me, checkPeer(path[0]), upTo) } };
  }

  function listTodos({ me, query }: Call): Answer {
    const fields = new Fields(query, "query");
    const state = fields.oneOf("state", CARD_STATES) ?? "PENDING";
    const limit = fields.whole("limit", { least: 1, most: 100 }) ?? 50;
    const before = fields.whole("before_id") ?? MOST;
    fields.check();
    const found = world.listTodos(me, state).filter(({ message }) => message.id < before);
    return { body: found.slice(0, limit).map(({ message, read_at }) => presentMessage(message, me, read_at)) };
  }

  function count({ me }: Call): Answer {
    return { body: { total: world.countUnread(me), todo: world.listTodos(me, "PENDING").length } };
  }

  return [
    { method: "GET", path: /^\/messages\/todo$/, answer: listTodos },
    { method: "GET", path: /^\/messages\/conversations$/, answer: list },
    { method: "GET", path: /^\/messages\/history\/([^/]+)$/, answer: history },
    { method: "GET", path: /^\/messages\/unread-count$/, answer: count },
    { method: "PUT", path: /^\/messages\/conversations\/([^/]+)\/read$/, reads: "optional", answer: read },
    {
      method: "PUT",
      path: /^\/messages\/read-all$/,
      answer: ({ me }) => ({ body: { updated_count: world.markAllRead(me) }, headers: DEPRECATED }),
    },
  ];
}

/**
 * Where a list goes on: below `before`, the last message of the last conversation that was shown. What got a message while
 * somebody pages moved up, perhaps past where they are: when they are through, those after `begun` follow, above `down`.
 */
interface Cursor {
  before: number | null;
  down: number | null;
  begun: number | null;
}

function listPage(all: Conversation[], size: number, at: Cursor & { begun: number }): { items: Conversation[]; next: Cursor | null } {
  const left = all.filter(({ last }) => last.id < (at.before ?? MOST) && last.id > (at.down ?? 0));
  const items = left.slice(0, size);
  if (left.length > size) return { items, next: { ...at, before: items.at(-1)?.last.id ?? null } };
  const hasMoved = at.before !== null && all.some(({ last }) => last.id > at.begun);
  return { items, next: hasMoved ? { before: null, down: at.begun, begun: null } : null };
}

function writeCursor({ before, down, begun }: Cursor): string {
  return [before, down, begun].map((one) => one ?? "").join("-");
}

function readCursor(text = "--"): Cursor {
  if (!/^[0-9]{0,16}-[0-9]{0,16}-[0-9]{0,16}$/.test(text)) {
    throw invalid("cursor", "Input should be the cursor of a link to the next page", { where: "query" });
  }
  const [before = null, down = null, begun = null] = text.split("-").map((one) => (one === "" ? null : Number(one)));
  return { before, down, begun };
}
