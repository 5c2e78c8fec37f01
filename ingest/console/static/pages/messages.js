// Messages looked up: what a request sent, or the way of one message.

import { column, hint, instant, link, pager, row, table } from "../elements.js";
import { searchForm } from "../search_form.js";
import { ask, query, Refused } from "../server.js";
import { say, sayInstant } from "../words.js";
import { viewTrail } from "../trail.js";

const AN_ID = /^\d{1,16}$/;
const COLUMNS = [column("column.id"), column("column.to"), column("column.created_at")];

export default {
  title: "messages.title",
  every: 2000,

  load: async (route) => {
    const q = route.query.get("q");
    if (!q) return {};
    const trail = AN_ID.test(q) ? await findTrail(q) : null;
    if (trail) return { trail };
    return ask(`messages${query({ request_id: q, before_id: route.query.get("before") })}`);
  },

  view: (found, route) => [
    searchForm("messages", { value: route.query.get("q") ?? "", label: say("messages.label") }),
    hint(say("messages.hint")),
    found.trail && viewTrail(found.trail),
    found.messages && viewRequest(found, route),
  ],
};

// Digits can be a request's id too.
async function findTrail(id) {
  try {
    return await ask(`messages/${id}`);
  } catch (error) {
    if (error instanceof Refused && error.status === 404) return null;
    throw error;
  }
}

const viewRequest = (found, route) => [
  table(COLUMNS, found.messages.map(makeRow), say("messages.nothing")),
  found.searched_to && hint(say("messages.searched_to", { instant: sayInstant(found.searched_to) })),
  pager(route, { next: found.next_before_id, isFirst: !route.query.get("before"), word: "messages.further" }),
];

const makeRow = (one) => row(one.id,
  link(`messages/${one.id}`, one.id), one.receiver_id ?? say("everyone"), instant(one.created_at));
