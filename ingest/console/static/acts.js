// What an operator does: asks first, does it once, says what came of it.

import { draw, h } from "./rendering.js";
import { post, SignedOut } from "./server.js";
import { say } from "./words.js";

const $ = (selector) => document.querySelector(selector);
const underWay = new Set();
let afterwards = async () => {};
let endSession = () => {};

// What follows every act: `refresh` asks again for what is shown; `signOut` leads to signing in.
export function prepareActs({ refresh, signOut }) {
  afterwards = refresh;
  endSession = signOut;
}

// Post to `path` when the operator has said yes; what the server answered, or undefined. A second press while it is
// under way does nothing.
export async function act(path, { question, label, done, body, isDangerous = true }) {
  if (underWay.has(path) || !(await confirmFirst(question, { label, isDangerous }))) return undefined;
  underWay.add(path);
  try {
    return await attempt(() => post(path, body), done);
  } finally {
    underWay.delete(path);
  }
}

// Do something, and say that it is done or why not.
export async function attempt(work, done = "") {
  tell("", "");
  try {
    const answer = await work();
    tell(done, "");
    await afterwards();
    return answer;
  } catch (error) {
    if (error instanceof SignedOut) endSession(true);
    else tell("", error.message);
    return undefined;
  }
}

export function tell(result, problem) {
  $("#result").textContent = result;
  $("#problem").textContent = problem;
}

// Ask in a dialog, where "leave it" has the focus; true for yes.
export function confirmFirst(question, { label, isDangerous }) {
  const dialog = $("#ask");
  draw(dialog, h("form", { method: "dialog" },
    h("p", { id: "question" }, question),
    h("button", { value: "no", class: "plain", autofocus: "" }, say("ask.leave")),
    h("button", { value: "yes", id: "yes", class: isDangerous ? "danger" : "" }, label)));
  return openDialog(dialog).then((answer) => answer === "yes");
}

// Show something in a dialog until it is closed, and forget it then.
export async function show(content, close) {
  const dialog = $("#shown");
  draw(dialog, h("form", { method: "dialog" }, content, h("button", { value: "close", autofocus: "" }, close)));
  await openDialog(dialog);
  draw(dialog);
}

function openDialog(dialog) {
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((decide) => {
    dialog.onclose = () => decide(dialog.returnValue);
  });
}
