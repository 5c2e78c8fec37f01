// What pages show of a broadcast, and do to it.

import { act } from "./acts.js";
import { bar, button, column, instant, link, row, status } from "./elements.js";
import { say, sayCount } from "./words.js";

const STOPPABLE = new Set(["SCHEDULED", "PENDING", "EXPANDING"]);
const RECALLABLE = new Set(["SCHEDULED", "PENDING", "EXPANDING", "DONE", "CANCELLED", "FAILED"]);
const STEER = { needs: "steer" };
const OF_A_RECALL = new Set(["RECALLING", "RECALLED"]);
export const ACTIVE = new Set(["PENDING", "EXPANDING", "RECALLING"]);

export const COLUMNS = [
  column("column.app"), column("column.title", "long"), column("column.status"), column("column.progress"),
  column("column.people", "number"), column("column.have_it", "number"), column("column.read", "number"),
  column("column.rate", "number"), column("column.created_at"), column("", "actions"),
];

export const makeRow = (one) => row(one.id,
  one.app_name, link(`broadcasts/${one.id}`, one.title || one.id), [status(one.status), sayTrouble(one)],
  progress(one), sayCount(one.total), sayCount(one.expanded - one.recalled), sayCount(one.read), sayRate(one),
  instant(one.created_at), actions(one));

export function progress(one) {
  return OF_A_RECALL.has(one.status) ? bar(one.recalled, one.expanded) : bar(one.expanded, one.total);
}

// Why a broadcast does not go on, if it does not.
export function sayTrouble(one) {
  if (one.is_held) return ` ${say("broadcast.held")}`;
  return one.failing ? ` ${say("broadcast.failing", { count: sayCount(one.failing) })}` : "";
}

function sayRate(one) {
  const isOver = OF_A_RECALL.has(one.status) || !one.seconds;
  return isOver ? "" : sayCount(one.expanded / one.seconds);
}

export function actions(one) {
  const asked = (deed) => ({
    question: say(`ask.${deed}`, { title: one.title }), label: say(`yes.${deed}`),
    done: say(`done.${deed}`, { title: one.title }),
  });
  return [
    STOPPABLE.has(one.status) && button("act.cancel", () => act(`broadcasts/${one.id}/cancel`, asked("cancel")), STEER),
    RECALLABLE.has(one.status) && button("act.recall", () => act(`broadcasts/${one.id}/recall`, asked("recall")), STEER),
  ];
}
