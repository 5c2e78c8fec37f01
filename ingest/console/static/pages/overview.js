// The overview: how things stand, the latest broadcasts, and the last minutes as plots.

import { ACTIVE, COLUMNS, makeRow } from "../broadcast_parts.js";
import { table } from "../elements.js";
import { latest, PLOTS } from "../looks.js";
import { h } from "../rendering.js";
import { currentLanguage, say, sayCount } from "../words.js";

const LATE_SECONDS = 30; // as `carillon doctor` and the alert SendsLate judge it
const SHOWN = 3;

export default {
  title: "overview.title",
  every: 1000,
  load: async () => null, // the look is enough

  view: () => latest && [
    h("dl", { id: "tiles" }, listTiles(latest).map(([name, text, isBad]) =>
      h("div", { key: name, class: isBad ? "bad" : null }, h("dt", {}, say(`tile.${name}`)), h("dd", {}, text)))),
    h("h2", {}, say("overview.latest")),
    h("div", { id: "running" }, table(COLUMNS, chooseShown(latest.broadcasts).map(makeRow), say("nothing"))),
    h("h2", {}, say("overview.minutes")),
    h("div", { id: "plots" }, PLOTS.map((plot) => plot.figure(currentLanguage()))),
  ],
};

function listTiles({ backlog, rings, gateways, rates }) {
  const rate = (value) => (value == null ? "…" : say("a_second", { count: sayCount(value) }));
  return [
    ["waiting", sayCount(backlog.waiting)],
    ["oldest", say("seconds", { count: backlog.oldest_seconds.toFixed(1) }), backlog.oldest_seconds > LATE_SECONDS],
    ["accepted", rate(rates?.accepted)],
    ["delivered", rate(rates?.delivered)],
    ["broadcasts", sayCount(backlog.broadcasts)],
    ["people_left", sayCount(backlog.people_left)],
    ["sockets", gateways ? sayCount(gateways.sockets) : say("valkey_away"), !gateways],
    ["gateways", gateways ? sayCount(gateways.processes) : "–", gateways?.processes === 0],
    ["frames", rate(rates?.frames)],
    ["rings", rings ? sayCount(Object.values(rings).reduce((a, b) => a + b, 0)) : say("broker_away"), !rings],
    ["failed", sayCount(backlog.failed), backlog.failed > 0],
    ["drifted", sayCount(backlog.drifted), backlog.drifted > 0],
  ];
}

// Those that run, and so many of the latest: a short one is over before it is seen.
function chooseShown(broadcasts) {
  return broadcasts.filter((one, index) => index < SHOWN || ACTIVE.has(one.status));
}
