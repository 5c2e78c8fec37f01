// People: looked up by id, or by part of a name or mobile.

import { column, hint, pager, row, status, table } from "../elements.js";
import { searchForm } from "../search_form.js";
import { ask, query } from "../server.js";
import { say, sayCount, sayWord } from "../words.js";

const SHOWN = 50;
const COLUMNS = [
  column("column.id"), column("column.name"), column("column.english_name"), column("column.mobile"),
  column("column.role"), column("column.status"), column("column.unread", "number"),
];

export default {
  title: "people.title",
  every: 5000,

  load: async (route) => {
    const [q, skip] = [route.query.get("q") ?? "", route.query.get("skip")];
    return q ? ask(`people${query({ q, skip })}`) : { total: 0, people: [] };
  },

  view: ({ total, people }, route) => {
    const [q, skip] = [route.query.get("q") ?? "", Number(route.query.get("skip") ?? 0)];
    return [
      searchForm("people", { value: q, label: say("people.label") }),
      q && hint(sayFound(total, { skip, shown: people.length })),
      q && table(COLUMNS, people.map(makeRow), say("nobody")),
      pager(route, { name: "skip", word: "pager.more", next: total > skip + people.length && String(skip + SHOWN), isFirst: !skip }),
    ];
  },
};

function sayFound(total, { skip, shown }) {
  const values = { total: sayCount(total), first: sayCount(skip + 1), last: sayCount(skip + shown) };
  return say(total > shown ? "people.found_part" : "people.found", values);
}

const makeRow = (one) => row(one.id,
  one.id, one.name, one.english_name, one.mobile, one.role,
  status(one.status, one.is_active ? "on" : "off"), one.unread == null ? "" : sayCount(one.unread));
