// Failed sends: what five attempts could not persist, to be tried again or given up.

import { act } from "../acts.js";
import { button, column, hidden, hint, instant, pager, row, table } from "../elements.js";
import { ask, query } from "../server.js";
import { say, sayCount, sayWord } from "../words.js";

const SHOWN = 50;
const COLUMNS = [
  column("column.id"), column("column.app"), column("column.title", "long"), column("column.kind"),
  column("column.from"), column("column.to"), column("column.error", "long"), column("column.attempts", "number"),
  column("column.failed_at"), column("", "actions"),
];

export default {
  title: "failed.title",
  every: 2000,

  load: (route) => ask(`failed${query({ before_id: route.query.get("before") })}`),

  view: (sends, route) => [
    hint(say("failed.hint")),
    table(COLUMNS, sends.map(makeRow), say("nothing")),
    pager(route, { next: sends.length === SHOWN && sends.at(-1).id, isFirst: !route.query.get("before") }),
  ],
};

const makeRow = (one) => row(one.id,
  one.id, one.app_name ?? "", one.title ?? hidden(say("private")), sayWord("kind", one.is_broadcast ? "BROADCAST" : one.type),
  one.sender_id ?? "", one.receiver_id ?? say("everyone"), one.error, sayCount(one.attempts), instant(one.failed_at),
  [
    button("act.replay", () => act(`failed/${one.id}/replay`, {
      question: say("ask.replay", { id: one.id }), label: say("yes.replay"),
      done: say("done.replay", { id: one.id }), isDangerous: false,
    }), { needs: "steer" }),
    button("act.drop", () => act(`failed/${one.id}/drop`, {
      question: say("ask.drop", { id: one.id }), label: say("yes.drop"), done: say("done.drop", { id: one.id }),
    }), { needs: "manage" }),
  ]);
