// Apps: what there is, and a new secret for one.

import { act, show } from "../acts.js";
import { button, column, row, status, table } from "../elements.js";
import { h } from "../rendering.js";
import { ask } from "../server.js";
import { say } from "../words.js";

const COLUMNS = [
  column("column.id"), column("column.app_id"), column("column.name"), column("column.status"),
  column("column.callback_url", "long"), column("column.redirect_hosts", "long"), column("", "actions"),
];

export default {
  title: "apps.title",
  every: 5000,
  load: () => ask("apps"),
  view: (apps) => table(COLUMNS, apps.map(makeRow), say("nothing")),
};

const makeRow = (one) => row(one.id,
  String(one.id), one.app_id, one.name, status(one.is_active ? "active" : "disabled", one.is_active ? "on" : "off"),
  one.callback_url, one.redirect_hosts.join(", "), [button("act.rotate", () => rotate(one), { needs: "manage" })]);

async function rotate(app) {
  const made = await act(`apps/${app.id}/rotate-secret`, {
    question: say("ask.rotate", { app: app.app_id }), label: say("yes.rotate"), isDangerous: false,
  });
  if (!made) return;
  await show([
    h("p", {}, say("secret.text", { app: made.app_id })),
    h("output", { id: "secret", "aria-label": say("secret.label") }, made.secret),
  ], say("secret.kept"));
}
