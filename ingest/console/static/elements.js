// The parts that the pages are made of: tables, buttons, statuses, instants, links to older rows.

import { whyNot } from "./operator.js";
import { h } from "./rendering.js";
import { query } from "./server.js";
import { say, sayCount, sayInstant, sayWord } from "./words.js";

// A column: the key of its heading, and `kind` ("number", "long", "actions" or none). Rows are made by `row`.
export const column = (heading, kind = "") => ({ heading, kind });

// A row: `key` tells it apart from the others for as long as it is there; a cell for each column.
export const row = (key, ...cells) => ({ key, cells });

// On a narrow screen rows become cards (console.css); the roles keep a table a table for screen readers.
export function table(columns, rows, nothing) {
  if (!rows.length) return h("p", { key: "nothing", class: "hint nothing" }, nothing);
  const heads = columns.map(({ heading, kind }) =>
    h("th", { class: kind, scope: "col", role: "columnheader" },
      heading ? say(heading) : h("span", { class: "unseen" }, say("column.actions"))));
  const lines = rows.map(({ key, cells }) =>
    h("tr", { key, "data-id": key, role: "row" }, cells.map((cell, index) => makeCell(columns[index], cell))));
  return h("table", { key: "table", role: "table" },
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, heads)),
    h("tbody", { role: "rowgroup" }, lines));
}

function makeCell({ heading, kind }, cell) {
  const label = heading ? say(heading) : null;
  const isEmpty = cell == null || cell === "" || (Array.isArray(cell) && !cell.some(Boolean));
  // On a narrow screen a cell is a grid of two: its heading, and one thing beside it.
  const content = Array.isArray(cell) && kind !== "actions" ? h("div", {}, cell) : cell;
  return h("td", { class: `${kind}${isEmpty ? " empty" : ""}`, "data-label": label, role: "cell" }, content);
}

// Names of facts beside them. Pairs of a key of words and what it is; those that are null are left out.
export function facts(pairs) {
  const shown = pairs.filter(([, value]) => value != null && value !== "");
  return h("dl", { class: "facts" }, shown.map(([key, value]) =>
    h("div", { key }, h("dt", {}, say(key)), h("dd", {}, value))));
}

// `needs`: the permission without which it is off, and says why.
export function button(key, onclick, { kind = "plain", label = say(key), needs } = {}) {
  const why = whyNot(needs);
  return h("button", { key, type: "button", class: kind, onclick, disabled: why !== null, title: why }, label);
}

export const link = (to, text, attributes = {}) => h("a", { href: `#/${to}`, ...attributes }, text);

export const status = (word, kind = word) =>
  h("span", { class: `status ${kind}` }, sayWord("status", word));

export const instant = (iso) => (iso ? h("time", { datetime: iso, title: iso }, sayInstant(iso)) : "");

export function bar(done, all) {
  const label = say("bar", { done: sayCount(done), all: sayCount(all) });
  return h("progress", { max: Math.max(1, all), value: done, "aria-label": label });
}

// What is not shown, and why.
export const hidden = (reason) => h("span", { class: "hint" }, reason);

export const hint = (text) => h("p", { class: "hint" }, text);

// Links to the newest and to older rows. A page of rows is an address of its own, so that all of it can be live.
export function pager(route, { name = "before", next, isFirst, word = "pager.next" }) {
  const { [name]: _, ...rest } = Object.fromEntries(route.query);
  const where = (values) => `${route.path}${query(values)}`;
  const newest = !isFirst && link(where(rest), say(name === "before" ? "pager.newest" : "pager.first"), { key: "first" });
  const older = next && link(where({ ...rest, [name]: next }), say(word), { key: "next" });
  if (!newest && !older) return null;
  return h("nav", { class: "pager", "aria-label": say("pager") }, newest, older);
}

// A form whose button does `submit` with the values by name; it is emptied when that comes to true.
export function form(key, fields, { label, submit }) {
  const onsubmit = async (event) => {
    event.preventDefault();
    const place = event.target;
    if (await submit(Object.fromEntries(new FormData(place)))) place.reset();
  };
  return h("form", { key, class: "fields", onsubmit }, fields, h("button", {}, label));
}

export const field = (name, { label, ...attributes }) =>
  h("label", { key: name }, h("span", {}, label), h("input", { name, ...attributes }));

export const select = (name, { label, options }) =>
  h("label", { key: name }, h("span", {}, label),
    h("select", { name }, options.map(([value, text]) => h("option", { key: value, value }, text))));
