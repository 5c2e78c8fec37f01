// Endpoints of apps, to which events are pushed: how each is, and what waits for it.

import { act } from "../acts.js";
import { button, column, field, form, hint, instant, row, select, status, table } from "../elements.js";
import { may } from "../operator.js";
import { h } from "../rendering.js";
import { ask } from "../server.js";
import { say, sayCount } from "../words.js";

const COLUMNS = [
  column("column.app_id"), column("column.endpoint", "long"), column("column.status"), column("column.failures", "number"),
  column("column.waiting", "number"), column("column.oldest"), column("column.next_try"), column("column.last_error", "long"),
  column("", "actions"),
];

export default {
  title: "callbacks.title",
  every: 2000,
  load: () => ask("callbacks"),
  view: (all) => [
    hint(say("callbacks.hint")),
    table(COLUMNS, all.map(makeRow), say("callbacks.nothing")),
    may("steer") && all.some(hasTaken) && h("section", { key: "again" }, h("h2", {}, say("callbacks.again")), againForm(all.filter(hasTaken))),
  ],
};

const hasTaken = (one) => one.url && one.taken_up_to > 0;
const isWell = (one) => one.status === "ACTIVE" && one.failures === 0;

const makeRow = (one) => row(one.id,
  one.app_id, one.url ?? say("callbacks.pulls"), one.url && showStatus(one), sayCount(one.failures), sayCount(one.waiting),
  instant(one.oldest_at), instant(one.next_try_at), one.last_error,
  one.url ? [
    !isWell(one) && button("act.call_again", () => act(`callbacks/${one.id}/resume`, {
      question: say("ask.call_again", { app: one.app_id }), label: say("yes.call_again"),
      done: say("done.call_again", { app: one.app_id }), isDangerous: false,
    }), { needs: "steer" }),
    one.status === "ACTIVE" && button("act.test", () => act(`callbacks/${one.id}/test`, {
      question: say("ask.test", { app: one.app_id }), label: say("yes.test"), done: say("done.test", { app: one.app_id }), isDangerous: false,
    }), { needs: "steer" }),
  ] : []);

function showStatus(one) {
  if (!one.is_active) return status("disabled", "off");
  if (one.status !== "ACTIVE") return status(one.status, "off");
  return one.failures ? status("failing", "FAILED") : status("active", "on");
}

const againForm = (all) => form("again", [
  select("id", { label: say("column.app_id"), options: all.map((one) => [String(one.id), `${one.app_id} (1–${one.taken_up_to})`]) }),
  field("seq", { label: say("callbacks.from"), type: "number", min: 1, required: "" }),
], {
  label: say("act.again"),
  submit: async ({ id, seq }) => {
    const app = all.find((one) => String(one.id) === id).app_id;
    return Boolean(await act(`callbacks/${id}/replay`, {
      question: say("ask.again", { app, seq }), label: say("yes.again"), done: say("done.again", { app, seq }), body: { seq: Number(seq) },
    }));
  },
});
