// A field and a button that lead to a page of what was found; what is asked for stands in the page's address.

import { h } from "./rendering.js";
import { query } from "./server.js";
import { say } from "./words.js";

export function searchForm(path, { value, label }) {
  const onsubmit = (event) => {
    event.preventDefault();
    location.hash = `#/${path}${query({ q: event.target.elements.q.value.trim() })}`;
  };
  return h("form", { key: "search", class: "search", role: "search", onsubmit },
    h("label", { for: "q" }, label),
    h("input", { id: "q", name: "q", type: "search", value, maxlength: "255", autocomplete: "off" }),
    h("button", {}, say("act.look_up")));
}
