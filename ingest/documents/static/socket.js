/** Opens a socket as the person whose token is in the form, and shows every frame as it comes. */

const form = document.querySelector("#socket");
const [token, since, log, result] = ["token", "since", "log", "result"].map((id) => document.getElementById(id));
const MOST_LINES = 500;
let socket = null;

/** The address beside this page's own. */
function makeAddress() {
  const url = new URL("../api/v1/ws/messages", location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.search = since.value.trim() ? new URLSearchParams({ since: since.value.trim() }) : "";
  return url.href;
}

function say(text, mood = "") {
  result.textContent = text;
  result.className = mood;
}

function write(direction, text) {
  const line = document.createElement("span");
  line.textContent = `${new Date().toLocaleTimeString()} ${direction} ${text}\n`;
  log.append(line);
  while (log.childElementCount > MOST_LINES) log.firstElementChild.remove();
  log.hidden = false;
  log.scrollTop = log.scrollHeight;
}

function show(isOpen) {
  document.querySelector("#connect").hidden = isOpen;
  for (const id of ["ping", "disconnect"]) document.getElementById(id).hidden = !isOpen;
}

/** A frame as it came; its position is where to go on, so it is put into the form. */
function receive(text) {
  write("←", text);
  if (text === "pong") return;
  since.value = JSON.parse(text).pos ?? since.value;
}

function connect() {
  if (!token.value.trim()) return say(form.dataset.incomplete, "bad");
  let wasOpen = false;
  say(form.dataset.connecting);
  // A browser can set no header; the token is a subprotocol, and so in no address and no log.
  socket = new WebSocket(makeAddress(), ["bearer", token.value.trim()]);
  socket.onopen = () => {
    wasOpen = true;
    say(form.dataset.open, "good");
    show(true);
  };
  socket.onmessage = (event) => receive(event.data);
  socket.onclose = (event) => {
    show(false);
    if (!wasOpen) return say(form.dataset.refused, "bad");
    say(`${form.dataset.closed} ${event.code} ${event.reason}`, event.code === 1000 ? "" : "bad");
  };
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  // Enter in a field, while a socket is open: one is enough.
  if (!socket || socket.readyState === WebSocket.CLOSED) connect();
});
document.querySelector("#ping").addEventListener("click", () => {
  socket.send("ping");
  write("→", "ping");
});
document.querySelector("#disconnect").addEventListener("click", () => socket.close(1000));
