// What is scheduled: sends and broadcasts that are not due yet, the next one first.

import { act } from "../acts.js";
import { button, column, hidden, hint, instant, link, pager, row, table } from "../elements.js";
import { ask, query } from "../server.js";
import { say, sayWord } from "../words.js";

const SHOWN = 50;
const COLUMNS = [
  column("column.due_at"), column("column.kind"), column("column.app"), column("column.title", "long"),
  column("column.from"), column("column.to"), column("column.id"), column("", "actions"),
];

export default {
  title: "scheduled.title",
  every: 2000,

  load: (route) => ask(`scheduled${query({ after_id: route.query.get("after") })}`),

  view: (sends, route) => [
    hint(say("scheduled.hint")),
    table(COLUMNS, sends.map(makeRow), say("nothing")),
    pager(route, {
      name: "after", word: "pager.more", next: sends.length === SHOWN && sends.at(-1).id, isFirst: !route.query.get("after"),
    }),
  ],
};

const makeRow = (one) => row(one.id,
  [instant(one.due_at), one.is_held && ` ${say("scheduled.held")}`], sayWord("kind", one.is_broadcast ? "BROADCAST" : one.type),
  one.app_name ?? "", one.title ?? hidden(say("private")), one.sender_id ?? "", one.receiver_id ?? say("everyone"),
  link(one.is_broadcast ? `broadcasts/${one.id}` : `messages/${one.id}`, one.id),
  [button("act.cancel", () => act(one.is_broadcast ? `broadcasts/${one.id}/cancel` : `messages/${one.id}/recall`, {
    question: say("ask.unschedule", { what: one.title ?? one.id }), label: say("yes.cancel"),
    done: say("done.unschedule", { what: one.title ?? one.id }),
  }), { needs: "steer" })]);
