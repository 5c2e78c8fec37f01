/** Shows the REST API, and calls it as an app or a person: every request is signed here, with what stands in the form. */

const form = document.querySelector("#caller");
const result = document.querySelector("#result");
const find = (id) => document.querySelector(`#${id}`).value.trim();
const kind = () => new FormData(form).get("kind");

/** Lower-case hex of HMAC-SHA256. */
async function computeSignature(secret, text) {
  const encoder = new TextEncoder();
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", encoder.encode(secret), algorithm, false, ["sign"]);
  const bytes = await crypto.subtle.sign("HMAC", key, encoder.encode(text));
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The headers that say who is calling, now; throws an Error whose message is for the reader. */
async function makeHeaders() {
  const who = kind();
  if (who === "nobody") return {};
  if (who === "person") {
    if (!find("token")) throw new Error(form.dataset.incomplete);
    return { Authorization: `Bearer ${find("token")}` };
  }
  const [appId, secret] = [find("app-id"), find("secret")];
  if (!appId || !secret) throw new Error(form.dataset.incomplete);
  if (!globalThis.crypto?.subtle) throw new Error(form.dataset.insecure);
  const timestamp = String(Math.floor(Date.now() / 1000));
  const sign = await computeSignature(secret, `app_id=${appId}&timestamp=${timestamp}`);
  return { "X-App-Id": appId, "X-Timestamp": timestamp, "X-Sign": sign };
}

function say(text, mood = "") {
  result.textContent = text;
  result.className = mood;
}

/** Ask for something that changes nothing, as the caller of the form. */
async function check() {
  const path = kind() === "app" ? "broadcasts?limit=1" : "messages/unread-count";
  try {
    const headers = await makeHeaders();
    say(form.dataset.checking);
    const answer = await fetch(`api/v1/${path}`, { headers });
    if (answer.ok) return say(form.dataset.accepted, "good");
    const body = await answer.json().catch(() => ({}));
    say(`${answer.status}: ${body.detail ?? answer.statusText}`, "bad");
  } catch (error) {
    say(error instanceof TypeError ? form.dataset.unreachable : error.message, "bad");
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  check();
});
form.addEventListener("change", () => {
  for (const who of ["app", "person"]) document.querySelector(`#as-${who}`).hidden = kind() !== who;
  const cannotSign = kind() === "app" && !globalThis.crypto?.subtle;
  say(cannotSign ? form.dataset.insecure : "", cannotSign ? "bad" : "");
});

// Swagger UI has colours for the dark, and leaves it to the page when.
const dark = matchMedia("(prefers-color-scheme: dark)");
const colour = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", colour);
colour();

SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  // Without a validator of its own, Swagger UI sends the document's address to one on the net.
  validatorUrl: null,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  persistAuthorization: false,
  // The form above is in place of its own dialog, which cannot sign.
  plugins: [() => ({ wrapComponents: { authorizeBtn: () => () => null, authorizeOperationBtn: () => () => null } })],
  requestInterceptor: async (request) => {
    if (request.loadSpec) return request;
    try {
      Object.assign(request.headers, await makeHeaders());
    } catch (error) {
      say(error.message, "bad");
      throw error;
    }
    return request;
  },
});
