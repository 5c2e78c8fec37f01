// The operator's console. It asks `api/look` once a second and draws what came of it; rates are the
// differences between two looks, so that nothing is kept on the server. Texts go in as text, never as HTML.

const LOOK_MS = 1000;
const PLOT_HEIGHT = 150;
const KEPT = 600; // looks: ten minutes
const STOPPABLE = new Set(["SCHEDULED", "PENDING", "EXPANDING"]);
const RECALLABLE = new Set(["SCHEDULED", "PENDING", "EXPANDING", "DONE", "CANCELLED", "FAILED"]);
const LATE_SECONDS = 30; // as `carillon doctor` and the alert SendsLate judge it

const $ = (selector, within = document) => within.querySelector(selector);
const whole = new Intl.NumberFormat("en");
const number = (value) => (value == null ? "–" : whole.format(Math.round(value)));
const rate = (value) => (value == null ? "…" : `${number(value)}/s`);
const local = (iso) => new Date(iso).toLocaleString();

class SignedOut extends Error {}

// ── the server ──

async function ask(path, { method = "GET", body } = {}) {
  const headers = method === "GET" ? {} : { "X-Carillon-Console": "1" };
  const answer = await fetch(`api/${path}`, { method, body, headers, signal: AbortSignal.timeout(10000) });
  if (answer.status === 401) throw new SignedOut((await answer.json()).detail);
  if (!answer.ok) throw new Error(await reason(answer));
  return answer.json();
}

async function reason(answer) {
  const text = await answer.text();
  try {
    const { detail } = JSON.parse(text);
    return typeof detail === "string" ? detail : detail.map((one) => one.msg).join(" ");
  } catch {
    return `The server answered ${answer.status}.`;
  }
}

// ── elements ──

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

// The heading of a column of numbers.
const numbers = (textContent) => ({ textContent, className: "number" });

function table(headings, rows, nothing) {
  if (!rows.length) return element("p", { className: "hint", textContent: nothing });
  const head = element("tr", {}, ...headings.map((heading) =>
    element("th", typeof heading === "string" ? { textContent: heading } : heading)));
  return element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows));
}

const cell = (content, className = "") =>
  element("td", { className }, ...(Array.isArray(content) ? content : [content ?? ""]));
const count = (value) => cell(number(value), "number");
const status = (text, className = text) => element("span", { className: `status ${className}`, textContent: text });
const button = (text, onclick, className = "plain") => element("button", { textContent: text, onclick, className });

// ── asking before doing ──

function confirmed(question, label, isDangerous = true) {
  const dialog = $("#ask");
  $("#question").textContent = question;
  $("#yes").textContent = label;
  $("#yes").className = isDangerous ? "danger" : "";
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((decide) => {
    dialog.onclose = () => decide(dialog.returnValue === "yes");
  });
}

async function act(path, question, label, isDangerous = true) {
  if (!(await confirmed(question, label, isDangerous))) return undefined;
  return attempt(async () => {
    const done = await ask(path, { method: "POST" });
    await show();
    return done;
  });
}

async function attempt(work) {
  try {
    const done = await work();
    $("#problem").textContent = "";
    return done;
  } catch (error) {
    if (error instanceof SignedOut) signOut();
    else $("#problem").textContent = error.message;
    return undefined;
  }
}

// ── overview ──

const PLOTS = [
  { title: "Waiting sends", lines: [{ label: "waiting", color: "--accent" }] },
  {
    title: "Sends a second",
    lines: [{ label: "accepted", color: "--accent" }, { label: "in the histories", color: "--second" }],
  },
  { title: "Broadcast deliveries a second", lines: [{ label: "deliveries", color: "--accent" }] },
  {
    title: "Push",
    lines: [{ label: "frames a second", color: "--accent" }, { label: "sockets", color: "--second" }],
  },
];
const times = [];
let before = null; // the look before this one
let looking = null;

function makePlots() {
  for (const plot of PLOTS) {
    const figure = element("figure", {}, element("figcaption", { textContent: plot.title }));
    $("#plots").append(figure);
    plot.values = plot.lines.map(() => []);
    const color = (name) => () => getComputedStyle(document.body).getPropertyValue(name);
    const axis = { stroke: color("--dim"), grid: { stroke: color("--line") }, ticks: { stroke: color("--line") } };
    plot.chart = new uPlot(
      {
        width: figure.clientWidth - 30,
        height: PLOT_HEIGHT,
        series: [
          { label: "at", value: (_, at) => (at == null ? "" : new Date(at * 1000).toLocaleTimeString()) },
          ...plot.lines.map((line) => ({
            label: line.label, stroke: color(line.color), width: 2, points: { show: false },
            value: (_, value) => number(value),
          })),
        ],
        axes: [axis, { ...axis, size: 70, values: (_, values) => values.map((value) => whole.format(value)) }],
        scales: { y: { range: (_, low, high) => [0, Math.max(1, high * 1.1)] } },
      },
      [times, ...plot.values],
      figure,
    );
    new ResizeObserver(() => plot.chart.setSize({ width: figure.clientWidth - 30, height: PLOT_HEIGHT })).observe(figure);
  }
}

function draw(values) {
  PLOTS.forEach((plot, index) => {
    plot.values.forEach((kept, line) => {
      kept.push(values[index][line]);
      if (kept.length > KEPT) kept.shift();
    });
    plot.chart.setData([times, ...plot.values]);
  });
}

// A counter of a process that was started again goes back to 0.
const perSecond = (now, then, seconds) => (then == null ? null : Math.max(0, now - then) / seconds);

// Of broadcasts in both looks, and of those that began in between.
function deliveries(now, then) {
  const known = new Map(then.map((one) => [one.id, one.expanded]));
  return now.reduce((sum, one) => sum + Math.max(0, one.expanded - (known.get(one.id) ?? 0)), 0);
}

async function look() {
  const [seen, latest] = await Promise.all([ask("look"), ask("broadcasts")]);
  const seconds = before ? Math.max(0.001, seen.at - before.seen.at) : null;
  const { backlog, gateways } = seen;
  const gone = (one) => one.ids_made - one.backlog.waiting;
  const rates = before && {
    accepted: perSecond(seen.ids_made, before.seen.ids_made, seconds),
    delivered: perSecond(gone(seen), gone(before.seen), seconds),
    expanded: deliveries(latest, before.latest) / seconds,
    frames: gateways && before.seen.gateways && perSecond(gateways.frames, before.seen.gateways.frames, seconds),
  };
  times.push(seen.at);
  if (times.length > KEPT) times.shift();
  draw([
    [backlog.waiting],
    [rates?.accepted ?? null, rates?.delivered ?? null],
    [rates?.expanded ?? null],
    [rates?.frames ?? null, gateways?.sockets ?? null],
  ]);
  showTiles(seen, rates);
  showRunning(latest);
  const badge = $("#failed-badge");
  badge.hidden = !backlog.failed;
  badge.textContent = number(backlog.failed);
  before = { seen, latest };
}

function showTiles({ backlog, rings, gateways }, rates) {
  const tiles = [
    ["Waiting", number(backlog.waiting)],
    ["Oldest waits", `${backlog.oldest_seconds.toFixed(1)} s`, backlog.oldest_seconds > LATE_SECONDS],
    ["Accepted", rate(rates?.accepted)],
    ["In the histories", rate(rates?.delivered)],
    ["Broadcasts", number(backlog.broadcasts)],
    ["People left", number(backlog.people_left)],
    ["Sockets", gateways ? number(gateways.sockets) : "Valkey is away", !gateways],
    ["Gateways", gateways ? number(gateways.processes) : "–", gateways?.processes === 0],
    ["Frames", rate(rates?.frames)],
    ["Rings waiting", rings ? number(Object.values(rings).reduce((a, b) => a + b, 0)) : "broker is away", !rings],
    ["Failed sends", number(backlog.failed), backlog.failed > 0],
    ["Unread drift", number(backlog.drifted), backlog.drifted > 0],
  ];
  $("#tiles").replaceChildren(
    ...tiles.map(([name, text, isBad]) =>
      element("div", { className: isBad ? "bad" : "" },
        element("dt", { textContent: name }), element("dd", { textContent: text }))),
  );
}

const ACTIVE = new Set(["PENDING", "EXPANDING", "RECALLING"]);
const LATEST = 3;

// Those that run, and so many of the latest: a short one is over before it is seen.
function showRunning(latest) {
  const shown = latest.filter((one, index) => index < LATEST || ACTIVE.has(one.status));
  $("#running").replaceChildren(table(HEADINGS, shown.map(broadcastRow), "There are none yet."));
}

// ── broadcasts ──

const HEADINGS = [
  "App", "Title", "Status", "", numbers("People"), numbers("Have it"), numbers("Read"), numbers("A second"),
  "Created", "",
];

// Why a broadcast does not go on, if it does not.
function note(one) {
  if (one.is_held) return " held: the app is disabled";
  return one.failing ? ` ${number(one.failing)} parts fail, and are tried again` : "";
}

function broadcastRow(one) {
  const isRecall = one.status === "RECALLING" || one.status === "RECALLED";
  const done = isRecall ? one.recalled : one.expanded;
  const bar = element("progress", { max: Math.max(1, isRecall ? one.expanded : one.total), value: done });
  bar.setAttribute("aria-label", `${number(done)} of ${number(one.total)}`);
  const speed = isRecall || !one.seconds ? null : one.expanded / one.seconds;
  const actions = [];
  if (STOPPABLE.has(one.status)) {
    const text = `Cancel “${one.title}”? Who has it keeps it; nobody else gets it.`;
    actions.push(button("Cancel", () => act(`broadcasts/${one.id}/cancel`, text, "Cancel it")));
  }
  if (RECALLABLE.has(one.status)) {
    const text = `Recall “${one.title}”? It is taken out of every history.`;
    actions.push(button("Recall", () => act(`broadcasts/${one.id}/recall`, text, "Recall it")));
  }
  const row = element("tr", {},
    cell(one.app_name), cell(one.title, "long"), cell([status(one.status), note(one)]), cell([bar]), count(one.total),
    count(one.expanded - one.recalled), count(one.read), cell(speed ? number(speed) : "", "number"),
    cell(local(one.created_at)), cell(actions, "actions"));
  row.dataset.id = one.id;
  return row;
}

// ── the other pages ──

const failedRow = (one) => element("tr", {},
  cell(one.id), cell(one.is_broadcast ? "BROADCAST" : one.type), cell(one.app_name ?? `user ${one.sender_id}`),
  cell(one.receiver_id ?? "everyone"), cell(one.error, "long"), count(one.attempts), cell(local(one.failed_at)),
  cell([
    button("Replay", () => act(`failed/${one.id}/replay`, `Try send ${one.id} again?`, "Replay it", false)),
    button("Drop", () => act(`failed/${one.id}/drop`, `Give send ${one.id} up for good?`, "Drop it")),
  ], "actions"));

const appRow = (one) => element("tr", {},
  count(one.id), cell(one.app_id), cell(one.name),
  cell([status(one.is_active ? "active" : "disabled", one.is_active ? "on" : "off")]),
  cell(one.callback_url, "long"), cell(one.redirect_hosts.join(", "), "long"),
  cell([button("Rotate secret", () => rotate(one))], "actions"));

async function rotate(app) {
  const question = `Give ${app.app_id} a new secret? The present one works until the next rotation.`;
  const made = await act(`apps/${app.id}/rotate-secret`, question, "Rotate", false);
  if (!made) return;
  $("#secret-app").textContent = made.app_id;
  $("#secret-text").value = made.secret;
  const dialog = $("#secret");
  dialog.onclose = () => { $("#secret-text").value = ""; };
  dialog.showModal();
}

const personRow = (one) => element("tr", {},
  count(one.id), cell(one.name), cell(one.english_name), cell(one.mobile), cell(one.role),
  cell([status(one.status, one.is_active ? "on" : "off")]), cell(one.unread == null ? "" : number(one.unread), "number"));

async function lookUp() {
  const asked = $("#q").value.trim();
  const { total, people } = await ask(`people?q=${encodeURIComponent(asked)}`);
  $("#found").textContent = asked ? `${number(total)} found${total > people.length ? `, the first ${people.length} shown` : ""}.` : "";
  const headings = [numbers("Id"), "Name", "English name", "Mobile", "Role", "Status", numbers("Unread")];
  $("#people .rows").replaceChildren(asked ? table(headings, people.map(personRow), "Nobody.") : "");
}

// A list that goes on: the newest, then older ones below.
function pages(section, path, headings, row, nothing) {
  let shown = [];
  const more = $(".more", section);
  const place = () => $(".rows", section).replaceChildren(table(headings, shown.map(row), nothing));
  const extend = async (found) => {
    shown = shown.concat(found);
    more.hidden = found.length < 50;
    place();
  };
  more.onclick = () => attempt(async () => extend(await ask(`${path}?before_id=${shown.at(-1).id}`)));
  return async () => {
    const found = await ask(path);
    shown = [];
    await extend(found);
  };
}

const VIEWS = {
  overview: async () => {},
  broadcasts: pages($("#broadcasts"), "broadcasts", HEADINGS, broadcastRow, "There are none."),
  failed: pages($("#failed"), "failed",
    ["Id", "Kind", "From", "To", "Error", numbers("Attempts"), "Failed at", ""], failedRow, "There are none."),
  apps: async () => $("#apps .rows").replaceChildren(table(
    [numbers("Id"), "App id", "Name", "Status", "Callback URL", "Redirect hosts", ""], (await ask("apps")).map(appRow),
    "There are no apps.")),
  people: lookUp,
};

// ── which page, who is there ──

const current = () => (location.hash.slice(1) in VIEWS ? location.hash.slice(1) : "overview");

async function show() {
  for (const name of Object.keys(VIEWS)) {
    $(`#${name}`).hidden = name !== current();
    const link = $(`nav a[href="#${name}"]`);
    if (name === current()) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  await VIEWS[current()]();
}

async function watch() {
  const began = performance.now();
  try {
    await look();
    setState("live", false);
  } catch (error) {
    if (error instanceof SignedOut) return signOut();
    before = null;
    setState(`no answer: ${error.message}`, true);
  }
  looking = setTimeout(watch, Math.max(100, LOOK_MS - (performance.now() - began)));
  return undefined;
}

function setState(text, isAway) {
  $("#state").textContent = text;
  $("#state").className = isAway ? "away" : "";
}

function signOut() {
  clearTimeout(looking);
  before = null;
  $("#console").hidden = true;
  $("#login").hidden = false;
  $("#token").focus();
}

async function signIn() {
  $("#login").hidden = true;
  $("#console").hidden = false;
  if (!$("#plots").children.length) makePlots();
  await attempt(show);
  watch();
}

$("#login").onsubmit = async (event) => {
  event.preventDefault();
  try {
    await ask("login", { method: "POST", body: $("#token").value });
    $("#login .error").textContent = "";
    $("#token").value = "";
    await signIn();
  } catch (error) {
    $("#login .error").textContent = error.message;
  }
};
$("#logout").onclick = () => attempt(async () => {
  await ask("logout", { method: "POST" });
  signOut();
});
$("#search").onsubmit = (event) => {
  event.preventDefault();
  attempt(lookUp);
};
addEventListener("hashchange", () => attempt(show));

ask("apps").then(signIn, (error) => {
  signOut();
  if (!(error instanceof SignedOut)) $("#login .error").textContent = error.message;
});
