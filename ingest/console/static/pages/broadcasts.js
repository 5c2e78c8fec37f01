// All broadcasts, the last accepted first.

import { COLUMNS, makeRow } from "../broadcast_parts.js";
import { pager, table } from "../elements.js";
import { ask, query } from "../server.js";
import { say } from "../words.js";

const SHOWN = 50;

export default {
  title: "broadcasts.title",
  every: 1000,

  load: (route) => ask(`broadcasts${query({ before_id: route.query.get("before") })}`),

  view: (broadcasts, route) => [
    table(COLUMNS, broadcasts.map(makeRow), say("nothing")),
    pager(route, {
      next: broadcasts.length === SHOWN && broadcasts.at(-1).id, isFirst: !route.query.get("before"),
    }),
  ],
};
