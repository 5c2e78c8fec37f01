// The operator's console: which page is shown, how it stays live, and who is signed in.
//
// A page (pages/) has a `title`, asks for its data with `load` every so many milliseconds, and describes itself with
// `view`; it is drawn in place (rendering.js).

import { attempt, prepareActs, tell } from "./acts.js";
import { forgetLook, latest, look } from "./looks.js";
import { operator, setOperator } from "./operator.js";
import account from "./pages/account.js";
import apps from "./pages/apps.js";
import audit from "./pages/audit.js";
import broadcast from "./pages/broadcast.js";
import broadcasts from "./pages/broadcasts.js";
import callbacks from "./pages/callbacks.js";
import failed from "./pages/failed.js";
import message from "./pages/message.js";
import messages from "./pages/messages.js";
import operators from "./pages/operators.js";
import overview from "./pages/overview.js";
import pauses, { sayPaused } from "./pages/pauses.js";
import people from "./pages/people.js";
import scheduled from "./pages/scheduled.js";
import { draw, h } from "./rendering.js";
import { ask, post, Refused, SignedOut } from "./server.js";
import { currentLanguage, say, sayCount, sayInstant, sayTime, sayWord, setLanguage } from "./words.js";

// A name with a slash is the page of one of them.
const PAGES = {
  overview, broadcasts, "broadcasts/": broadcast, scheduled, messages, "messages/": message, failed, apps, callbacks, people,
  pauses, operators, audit, account,
};
const LISTED = Object.keys(PAGES).filter((name) => !name.endsWith("/") && name !== "account");
const LOOK_MS = 1000;
const ROLE_MS = 30_000; // an admin may have given the operator another role
const LATE_MS = 2000; // over what the page promises

const $ = (selector) => document.querySelector(selector);

// ── where we are ──

// `#/broadcasts/42?before=7`; what is no page leads to the overview.
function readRoute() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [name, ...rest] = path.split("/");
  const known = rest.length ? `${name}/` : name;
  const page = Object.hasOwn(PAGES, known) ? PAGES[known] : null;
  const route = { path, name, id: rest.join("/"), query: new URLSearchParams(query), page };
  return page ? route : { ...route, path: "overview", name: "overview", page: overview };
}

// ── the page shown ──

// `asOf` is when its data was whole last; `problem` is why it is not by now; `refusal` is the server's last word.
let shown = { route: readRoute(), data: undefined, dueAt: 0, asOf: 0, problem: "", refusal: "" };
let isSignedIn = false;
let timer = null;
let roleAt = 0;

function visit() {
  const route = readRoute();
  const isOther = route.path !== shown.route.path;
  shown = { route, data: undefined, dueAt: 0, asOf: 0, problem: "", refusal: "" };
  tell("", "");
  drawAll();
  if (isOther) $("#title").focus();
  return refresh();
}

// Ask for what is due and draw it; every second, and after each act.
async function refresh({ isDue = true } = {}) {
  clearTimeout(timer);
  const began = Date.now();
  const visited = shown;
  if (isDue) visited.dueAt = 0;
  try {
    await Promise.all([look(), loadPage(visited, began), learnRole(began)]);
    visited.asOf = visited.loadedAt;
    visited.problem = "";
  } catch (error) {
    if (error instanceof SignedOut) return signOut(true);
    forgetLook();
    visited.problem = error.message;
  }
  if (visited !== shown || !isSignedIn) return undefined;
  drawAll();
  clearTimeout(timer);
  timer = setTimeout(refresh, Math.max(100, LOOK_MS - (Date.now() - began)), { isDue: false });
  return undefined;
}

async function loadPage(visited, began) {
  if (visited.dueAt > began) return;
  const { page } = visited.route;
  try {
    visited.data = await page.load(visited.route);
    visited.refusal = "";
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    visited.refusal = error.message;
  }
  visited.loadedAt = began;
  visited.dueAt = began + page.every;
}

async function learnRole(began) {
  if (began - roleAt < ROLE_MS) return;
  setOperator(await ask("me"));
  roleAt = began;
}

// ── drawing ──

function drawAll() {
  document.documentElement.lang = currentLanguage();
  const isWithin = $("#page").contains(document.activeElement);
  drawHeader();
  drawState();
  const { route, data, refusal } = shown;
  const title = say(route.page.title);
  document.title = `${title} · Carillon`;
  $("#title").textContent = title;
  draw($("#page"), drawContent(route, { data, refusal }));
  $("#page").dataset.page = route.path;
  // What had the focus is gone: a reader by keyboard goes on here, and not at the top of the document.
  if (isWithin && !$("#page").contains(document.activeElement)) $("#title").focus({ preventScroll: true });
}

function drawContent(route, { data, refusal }) {
  if (refusal) return h("p", { key: "refusal", class: "error", role: "alert" }, refusal);
  if (data === undefined) return h("p", { key: "loading", class: "hint" }, say("loading"));
  return h("div", { key: `${route.path} ${currentLanguage()}` }, route.page.view(data, route));
}

function drawHeader() {
  const failedCount = latest?.backlog.failed;
  draw($("#pages"), LISTED.map((name) =>
    h("a", { key: name, href: `#/${name}`, "aria-current": name === shown.route.name ? "page" : null },
      say(`${name}.title`),
      name === "failed" && failedCount > 0 && h("span", { class: "badge" }, sayCount(failedCount)))));
  drawPauses();
  const me = operator();
  draw($("#who"), me && h("a", { href: "#/account" }, `${me.name} (${sayWord("role", me.role)})`));
  for (const element of document.querySelectorAll("[data-word]")) {
    const text = say(element.dataset.word);
    if (element.textContent !== text) element.textContent = text;
  }
  for (const element of document.querySelectorAll("[data-label-word]")) {
    element.setAttribute("aria-label", say(element.dataset.labelWord));
  }
}

// On every page: what is stopped must not be forgotten.
function drawPauses() {
  draw($("#paused"), (latest?.pauses ?? []).map((one) =>
    h("p", { key: `${one.kind} ${one.target}` },
      h("strong", {}, say("pauses.banner", { what: sayPaused(one) })), " ",
      one.until ? say("pauses.banner_until", { instant: sayInstant(one.until) }) : "", " ", one.reason, " ",
      h("a", { href: "#/pauses" }, say("pauses.title")))));
}

// "live" is said of the page that is shown: all of it was asked for lately, and answered.
function drawState() {
  const { asOf, problem, route } = shown;
  const isLate = Date.now() - asOf > route.page.every + LATE_MS;
  const kind = problem ? "offline" : isLate ? "late" : "live";
  const since = asOf ? say("state.as_of", { time: sayTime(asOf) }) : "";
  const text = {
    live: say("state.live"),
    late: asOf ? say("state.late", { since }) : say("loading"),
    offline: say("state.offline", { problem, since }),
  }[kind];
  if ($("#state").textContent !== text) $("#state").textContent = text;
  $("#state").className = kind;
}

setInterval(() => isSignedIn && drawState(), 500);

// ── who is there ──

// `isOver`: the session ended by itself; the page that was shown comes back after signing in.
function signOut(isOver) {
  clearTimeout(timer);
  forgetLook();
  isSignedIn = false;
  setOperator(null);
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
  draw($("#page"));
  tell("", "");
  $("#console").hidden = true;
  $("#login").hidden = false;
  $("#login .error").textContent = isOver ? say("login.over") : "";
  drawHeader();
  document.title = `${say("login.title")} · Carillon`;
  $("#operator").focus();
}

async function signIn(me) {
  isSignedIn = true;
  setOperator(me);
  roleAt = Date.now();
  $("#login").hidden = true;
  $("#console").hidden = false;
  shown = { ...shown, route: readRoute(), data: undefined, dueAt: 0, asOf: 0 };
  drawAll();
  await refresh();
}

$("#login form").onsubmit = async (event) => {
  event.preventDefault();
  try {
    const me = await post("login", { name: $("#operator").value.trim(), password: $("#token").value });
    $("#login .error").textContent = "";
    $("#token").value = "";
    await signIn(me);
  } catch (error) {
    $("#login .error").textContent = error.message;
  }
};
$("#logout").onclick = () => attempt(async () => {
  await post("logout");
  signOut(false);
});
for (const choice of document.querySelectorAll("[data-language]")) {
  choice.onclick = () => {
    setLanguage(choice.dataset.language);
    drawAll();
  };
}
$("#skip").onclick = (event) => {
  event.preventDefault();
  $("#title").focus();
};
$("#menu").onclick = () => {
  const isOpen = $("#pages").classList.toggle("open");
  $("#menu").setAttribute("aria-expanded", isOpen);
};
addEventListener("hashchange", () => {
  $("#pages").classList.remove("open");
  $("#menu").setAttribute("aria-expanded", "false");
  if (isSignedIn) visit();
});
// A page that was in the background asks at once: browsers let its timers sleep.
addEventListener("visibilitychange", () => {
  if (isSignedIn && !document.hidden) refresh();
});
prepareActs({ refresh, signOut });

document.documentElement.lang = currentLanguage();
drawHeader();
ask("me").then(signIn, (error) => {
  signOut(false);
  if (!(error instanceof SignedOut)) $("#login .error").textContent = error.message;
});
