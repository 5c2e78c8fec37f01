// The audit: who did what, newest first. A press on a name, an act or a target shows only those rows.

import { column, hint, instant, link, pager, row, table } from "../elements.js";
import { h } from "../rendering.js";
import { ask, query } from "../server.js";
import { say } from "../words.js";

const SHOWN = 50;
const FILTERS = ["who", "act", "target"];
const COLUMNS = [
  column("column.at"), column("column.who"), column("column.act"), column("column.target"),
  column("column.before", "long"), column("column.after", "long"), column("column.request_id"), column("column.address"),
];

export default {
  title: "audit.title",
  every: 2000,

  load: (route) => ask(`audit${query({ ...chosen(route), before_id: route.query.get("before") })}`),

  view: (rows, route) => [
    hint(say("audit.hint")),
    viewChosen(route),
    table(COLUMNS, rows.map((one) => makeRow(one, route)), say("nothing")),
    pager(route, { next: rows.length === SHOWN && rows.at(-1).id, isFirst: !route.query.get("before") }),
  ],
};

const chosen = (route) => Object.fromEntries(FILTERS.map((name) => [name, route.query.get(name)]));

const viewChosen = (route) => {
  const shown = FILTERS.filter((name) => route.query.get(name));
  return shown.length > 0 && h("p", { key: "chosen" },
    shown.map((name) => `${say(`column.${name}`)}: ${route.query.get(name)} `), link("audit", say("audit.all")));
};

function makeRow(one, route) {
  const only = (name) => link(`audit${query({ ...chosen(route), [name]: one[name] })}`, one[name]);
  return row(one.id,
    instant(one.at), [only("who"), ` (${one.role})`], only("act"), only("target"),
    sayValues(one.before), sayValues(one.after), one.request_id, one.address);
}

function sayValues(values) {
  if (!values) return "";
  return Object.entries(values).map(([name, value]) =>
    `${name}: ${typeof value === "object" ? JSON.stringify(value) : value}`).join(", ");
}
