// Pauses: what is stopped for a while, a queue's work or everything of an app; sends are accepted all the same.

import { act } from "../acts.js";
import { button, column, field, form, hint, instant, row, select, table } from "../elements.js";
import { may } from "../operator.js";
import { h } from "../rendering.js";
import { ask } from "../server.js";
import { say, sayWord } from "../words.js";

const QUEUES = ["sends", "broadcasts"];
const COLUMNS = [
  column("column.paused"), column("column.reason", "long"), column("column.who"), column("column.since"),
  column("column.until"), column("", "actions"),
];

export default {
  title: "pauses.title",
  every: 1000,

  load: async () => {
    const [pauses, apps] = await Promise.all([ask("pauses"), ask("apps")]);
    return { pauses, apps };
  },

  view: ({ pauses, apps }) => [
    hint(say("pauses.hint")),
    table(COLUMNS, pauses.map(makeRow), say("pauses.nothing")),
    may("steer") && h("section", { key: "add" }, h("h2", {}, say("pauses.add")), addForm(apps)),
  ],
};

export const sayPaused = ({ kind, target }) => say(`pauses.${kind}`, { target: kind === "queue" ? sayWord("queue", target) : target });

const makeRow = (one) => row(`${one.kind} ${one.target}`,
  sayPaused(one), one.reason, one.paused_by, instant(one.paused_at), one.until ? instant(one.until) : say("pauses.no_end"),
  [button("act.resume", () => act("pauses/resume", {
    question: say("ask.resume", { what: sayPaused(one) }), label: say("yes.resume"),
    done: say("done.resume", { what: sayPaused(one) }), body: { kind: one.kind, target: one.target }, isDangerous: false,
  }), { needs: "steer" })]);

const addForm = (apps) => form("pauses", [
  select("what", {
    label: say("column.paused"),
    options: [
      ...QUEUES.map((name) => [`queue ${name}`, sayPaused({ kind: "queue", target: name })]),
      ...apps.map((app) => [`app ${app.app_id}`, sayPaused({ kind: "app", target: app.app_id })]),
    ],
  }),
  field("until", { label: say("pauses.until"), type: "datetime-local" }),
  field("reason", { label: say("column.reason"), maxlength: 500 }),
], {
  label: say("act.pause"),
  submit: async ({ what, until, reason }) => {
    const [kind, ...rest] = what.split(" ");
    const one = { kind, target: rest.join(" ") };
    const body = { ...one, reason, until: until ? new Date(until).toISOString() : null };
    const values = { what: sayPaused(one) };
    return Boolean(await act("pauses", {
      question: say("ask.pause", values), label: say("yes.pause"), done: say("done.pause", values), body,
    }));
  },
});
