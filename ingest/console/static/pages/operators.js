// Operators: who may sign in here, with which role.

import { act, show } from "../acts.js";
import { button, column, field, form, hint, instant, row, select, status, table } from "../elements.js";
import { may, operator } from "../operator.js";
import { h } from "../rendering.js";
import { ask } from "../server.js";
import { say, sayWord } from "../words.js";

const ROLES = ["viewer", "operator", "admin"];
const COLUMNS = [
  column("column.name"), column("column.role"), column("column.status"), column("column.created_at"),
  column("column.disabled_at"), column("", "actions"),
];

export default {
  title: "operators.title",
  every: 5000,
  load: () => ask("operators"),
  view: (operators) => [
    hint(say("operators.hint")),
    table(COLUMNS, operators.map(makeRow), say("operators.nothing")),
    may("manage") && h("section", { key: "add" }, h("h2", {}, say("operators.add")), addForm()),
  ],
};

const makeRow = (one) => row(one.name,
  one.name, sayWord("role", one.role), one.disabled_at ? status("disabled", "off") : status("active", "on"),
  instant(one.created_at), instant(one.disabled_at),
  [
    ...ROLES.filter((role) => role !== one.role).map((role) => button(`act.role.${role}`, () => change(one, "role", { role }),
      { label: say("act.role", { role: sayWord("role", role) }), needs: "manage" })),
    button("act.renew", () => renewPassword(one), { needs: "manage" }),
    one.disabled_at
      ? button("act.enable", () => change(one, "enable"), { needs: "manage" })
      : button("act.disable", () => change(one, "disable"), { needs: "manage" }),
  ]);

function change(one, deed, body) {
  const values = { name: one.name, role: body && sayWord("role", body.role) };
  const own = one.name === operator()?.name ? ` ${say("operators.own")}` : "";
  return act(`operators/${encodeURIComponent(one.name)}/${deed}`, {
    question: say(`ask.${deed}`, values) + own, label: say(`yes.${deed}`), done: say(`done.${deed}`, values), body,
  });
}

async function renewPassword(one) {
  const made = await act(`operators/${encodeURIComponent(one.name)}/password`, {
    question: say("ask.renew", { name: one.name }), label: say("yes.renew"),
  });
  if (made) await showPassword(made);
}

const addForm = () => form("operators", [
  field("name", { label: say("column.name"), required: true, maxlength: 64 }),
  select("role", { label: say("column.role"), options: ROLES.map((role) => [role, sayWord("role", role)]) }),
], {
  label: say("yes.add"),
  submit: async ({ name, role }) => {
    const made = await act("operators", {
      question: say("ask.add", { name, role: sayWord("role", role) }), label: say("yes.add"), body: { name, role },
      isDangerous: false,
    });
    if (made) await showPassword(made);
    return Boolean(made);
  },
});

const showPassword = (made) => show([
  h("p", {}, say("operators.password", { name: made.name })),
  h("output", { id: "secret", "aria-label": say("login.password") }, made.password),
], say("secret.kept"));
