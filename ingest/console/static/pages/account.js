// Who is signed in, and a new password of their own.

import { attempt, tell } from "../acts.js";
import { facts, field, form, hint } from "../elements.js";
import { operator, setOperator } from "../operator.js";
import { h } from "../rendering.js";
import { ask, post } from "../server.js";
import { say, sayWord } from "../words.js";

const OF_THE_TOKEN = "token";

export default {
  title: "account.title",
  every: 5000,

  load: async () => {
    setOperator(await ask("me"));
    return operator();
  },

  view: (me) => [
    facts([
      ["column.name", me.name], ["column.role", sayWord("role", me.role)],
      ["account.may", me.permissions.map((one) => say(`may.${one}`)).join(", ")],
    ]),
    me.name === OF_THE_TOKEN ? hint(say("account.token")) : [h("h2", {}, say("account.password")), passwordForm()],
  ],
};

const passwordForm = () => form("password", [
  field("current", { label: say("account.current"), type: "password", required: true, autocomplete: "current-password" }),
  field("password", { label: say("account.new"), type: "password", required: true, autocomplete: "new-password" }),
  field("again", { label: say("account.again"), type: "password", required: true, autocomplete: "new-password" }),
], {
  label: say("account.change"),
  submit: async ({ current, password, again }) => {
    if (password !== again) {
      tell("", say("account.differ"));
      return false;
    }
    return Boolean(await attempt(() => post("me/password", { current, password }), say("account.changed")));
  },
});
