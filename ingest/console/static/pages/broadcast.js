// One broadcast: how far it is, what fails of it, and who has not read it.

import { act } from "../acts.js";
import { actions, progress, sayTrouble } from "../broadcast_parts.js";
import { button, column, facts, hint, instant, link, pager, row, status, table } from "../elements.js";
import { makePlot } from "../plots.js";
import { h } from "../rendering.js";
import { ask, query } from "../server.js";
import { currentLanguage, say, sayCount, sayTime, sayWord } from "../words.js";

const UNREAD_EVERY_MS = 10_000; // it probes a part of a million people
const PARTS = [
  column("column.chunk"), column("column.people", "number"), column("column.state"), column("column.attempts", "number"),
  column("column.error", "long"), column("column.try_at"),
];
const CHUNKS = [column("column.state"), column("column.chunks", "number"), column("column.people", "number")];
const PEOPLE = [column("column.id"), column("column.app_user_id"), column("column.name")];

let plot = null; // of the broadcast that is shown
let unread = { askedFor: "", at: 0, found: null, problem: "" };

export default {
  title: "broadcast.title",
  every: 1000,

  load: async (route) => {
    loadUnread(route);
    const one = await ask(`broadcasts/${route.id}`);
    if (plot?.id !== one.id) plot = { id: one.id, ...makePlot("progress", [["have_it", "--accent"], ["read", "--second"]]) };
    plot.keep(Date.now() / 1000, { have_it: one.expanded - one.recalled, read: one.read });
    return one;
  },

  view: (one, route) => [
    h("p", { class: "lead" }, h("strong", {}, one.title), " ", status(one.status), sayTrouble(one)),
    h("p", { key: "acts", class: "acts" }, actions(one), one.failing > 0 && retryButton(one)),
    h("p", { key: "bar" }, progress(one)),
    facts([
      ["column.id", one.id], ["column.app", one.app_name], ["column.people", sayCount(one.total)],
      ["column.have_it", sayCount(one.expanded - one.recalled)], ["column.read", sayCount(one.read)],
      ["column.recalled", one.recalled ? sayCount(one.recalled) : null],
      ["column.unresolved", one.unresolved_count ? sayCount(one.unresolved_count) : null],
      ["column.accepted_at", instant(one.accepted_at)], ["column.due_at", one.status === "SCHEDULED" ? instant(one.created_at) : null],
      ["column.started_at", instant(one.started_at)], ["column.finished_at", instant(one.finished_at)],
      ["column.request_id", one.request_id && link(`messages${query({ q: one.request_id })}`, one.request_id)],
    ]),
    plot.figure(currentLanguage()),
    one.parts.length > 0 && h("section", { key: "parts" }, h("h2", {}, say("broadcast.parts")),
      table(PARTS, one.parts.map(makePart), "")),
    h("h2", { key: "chunks" }, say("broadcast.chunks")),
    table(CHUNKS, one.chunks.map((count) => row(count.state,
      sayWord("chunk", count.state), sayCount(count.chunks), sayCount(count.people))), say("broadcast.no_chunks")),
    viewUnread(one, route),
  ],
};

const retryButton = (one) => button("act.retry", () => act(`broadcasts/${one.id}/retry`, {
  question: say("ask.retry", { title: one.title }), label: say("yes.retry"),
  done: say("done.retry", { title: one.title }), isDangerous: false,
}), { needs: "steer" });

const makePart = (part) => row(part.number ?? "plan",
  part.number == null ? say("broadcast.plan") : String(part.number), part.people == null ? "" : sayCount(part.people),
  sayWord("chunk", part.state), sayCount(part.attempts), part.error, instant(part.try_at));

// Nothing waits for it: of a large audience it takes seconds. What came last stays until the next answer.
async function loadUnread(route) {
  const path = `broadcasts/${route.id}/unread${query({ after: route.query.get("after") })}`;
  const isSame = unread.askedFor === path;
  if (isSame && Date.now() - unread.at < UNREAD_EVERY_MS) return;
  const asked = { askedFor: path, at: Date.now(), found: isSame ? unread.found : null, problem: "" };
  unread = asked;
  try {
    asked.found = await ask(path);
  } catch (error) {
    asked.problem = error.message;
  }
  asked.at = Date.now();
  ask(`broadcasts/${route.id}/readers`).catch(() => {}); // the count goes on also if its answer is late
}

const viewUnread = (one, route) => h("section", { key: "unread" },
  h("h2", {}, say("broadcast.unread")),
  h("p", {}, h("a", { href: `api/broadcasts/${one.id}/unread.csv`, download: "" }, say("broadcast.csv"))),
  hint(unread.found ? say("broadcast.unread_hint", { time: sayTime(unread.at) }) : say("loading")),
  unread.problem && h("p", { class: "error" }, unread.problem),
  unread.found && viewPeople(unread.found, route));

const viewPeople = (found, route) => [
  table(PEOPLE, found.people.map((person) => row(person.user_id,
    link(`people${query({ q: person.user_id })}`, person.user_id), person.app_user_id ?? "", person.name)), say("nobody")),
  pager(route, { name: "after", word: "pager.more", next: found.next_after, isFirst: !route.query.get("after") }),
];
