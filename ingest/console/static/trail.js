// A message's whole way, step by step; what was written in it only for those who may read it, and that is audited.

import { act, show } from "./acts.js";
import { button, column, facts, instant, link, row, status, table } from "./elements.js";
import { h } from "./rendering.js";
import { query } from "./server.js";
import { say, sayCount, sayInstant, sayWord } from "./words.js";

const RECALLABLE = new Set(["SCHEDULED", "ACCEPTED", "DELIVERED", "FAILED"]);

const VERSIONS = [column("card.version"), column("card.changed_at"), column("card.changed_by"), column("column.request_id")];

export function viewTrail(one) {
  const person = (id) => id && link(`people${query({ q: id })}`, id);
  return [
    h("p", { class: "lead" }, one.title && h("strong", {}, one.title), " ", status(one.status),
      one.is_held && ` ${say("broadcast.held")}`),
    h("p", { class: "acts" },
      RECALLABLE.has(one.status) && !one.is_broadcast && button("act.recall", () => recall(one), { needs: "steer" }),
      button("act.read_content", () => readContent(one), { needs: "read-content" })),
    facts([
      ["column.id", one.is_broadcast ? link(`broadcasts/${one.id}`, one.id) : one.id],
      ["column.kind", sayWord("kind", one.is_broadcast ? "BROADCAST" : one.type)],
      ["column.content_type", one.content_type], ["column.app", one.app_name],
      ["column.from", person(one.sender_id)],
      ["column.to", one.is_broadcast ? say("everyone") : person(one.receiver_id)],
      ["column.request_id", one.request_id ? link(`messages${query({ q: one.request_id })}`, one.request_id) : say("way.no_request")],
    ]),
    one.card && viewCard(one.card),
    h("h2", {}, say("way.title")),
    h("ol", { class: "way" }, listSteps(one).map(([name, state, ...text]) =>
      h("li", { key: name, class: state }, h("strong", {}, say(`way.${name}`)), " ", text))),
  ];
}

// A card's state, and who made which version when; not what it said before.
const viewCard = (card) => [
  h("h2", {}, say("card.title")),
  facts([
    ["card.state", card.state && sayWord("state", card.state)],
    ["card.ref", card.ref],
    ["card.version", card.version],
  ]),
  table(VERSIONS, card.versions.map((one) => row(one.version,
    one.version, instant(one.changed_at), one.changed_by, one.request_id)), say("card.unchanged")),
];

// A step, whether it is done ("done"), goes on ("now"), is in trouble ("bad") or was not taken ("no"), and what is
// known of it.
function listSteps(one) {
  return [
    one.status === "SCHEDULED"
      ? ["accepted", "done", say("way.due", { instant: sayInstant(one.created_at) })]
      : ["accepted", "done", instant(one.created_at)],
    sayPersisted(one),
    sayPublished(one),
    saySockets(one),
    sayRead(one),
    one.recalled_at && ["recalled", "done", instant(one.recalled_at)],
  ].filter(Boolean);
}

function sayPersisted({ status: word, trouble, due_at: dueAt }) {
  if (word === "FAILED") {
    const text = say("way.failed", { count: sayCount(trouble?.attempts), error: trouble?.error });
    return ["persisted", "bad", text, " ", link("failed", say("failed.title"))];
  }
  if (word === "SCHEDULED") return ["persisted", "no", say("way.not_yet")];
  if (word !== "ACCEPTED") return ["persisted", "done", say("way.yes")];
  if (trouble) return ["persisted", "bad", sayTried(trouble)];
  return ["persisted", "now", dueAt ? say("way.waits", { instant: sayInstant(dueAt) }) : say("way.not_yet")];
}

const sayTried = ({ attempts, error, at }) =>
  say("way.tried", { count: sayCount(attempts), error, instant: at ? sayInstant(at) : "" });

function sayPublished(one) {
  if (one.is_broadcast) return ["published", "no", link(`broadcasts/${one.id}`, say("way.by_chunks"))];
  const [state, text] = {
    "not-yet": ["no", say("way.not_yet")],
    "in-hand": ["now", say("way.in_hand")],
    waiting: ["bad", say("way.bus_away")],
    "set-aside": ["bad", one.trouble ? sayTried(one.trouble) : ""],
    done: ["done", say("way.yes")],
  }[one.publication] ?? ["no", say("way.recalled_before")];
  return ["published", state, text];
}

function saySockets({ push, publication }) {
  if (publication === "not-yet") return ["sockets", "no", say("way.not_yet")];
  if (!push) return ["sockets", "no", say("valkey_away")];
  const values = { count: sayCount(push.sockets), instant: push.first_at ? sayInstant(push.first_at) : "" };
  if (push.answered < push.gateways) {
    return ["sockets", "now", say("way.asking", { answered: push.answered, gateways: push.gateways })];
  }
  if (push.is_whole) return ["sockets", "done", say(push.sockets ? "way.sockets_at" : "way.no_sockets", values)];
  return ["sockets", "no", say(push.sockets ? "way.sockets_some" : "way.not_recorded", values)];
}

function sayRead(one) {
  if (one.is_broadcast) return ["read", "no", link(`broadcasts/${one.id}`, say("way.by_chunks"))];
  return one.read_at ? ["read", "done", instant(one.read_at)] : ["read", "no", say("way.unread")];
}

const recall = (one) => act(`messages/${one.id}/recall`, {
  question: say("ask.recall", { title: one.title ?? one.id }), label: say("yes.recall"),
  done: say("done.recall", { title: one.title ?? one.id }),
});

async function readContent(one) {
  const found = await act(`messages/${one.id}/content`, {
    question: say("ask.read_content", { id: one.id }), label: say("yes.read_content"), isDangerous: false,
  });
  if (!found) return;
  await show([
    h("h2", {}, found.title),
    h("pre", { tabindex: "0" }, found.content),
    found.action_url && h("p", {}, `${found.action_text ?? ""} ${found.action_url}`),
  ], say("close"));
}
