/** The page of /inbox: signs somebody in, shows their inbox, and keeps the open conversation in the address. */
import { createClient, type CarillonClient } from "@carillon/client";
import "../inbox";
import { explain } from "../format/errors";
import { LANGUAGES, type Words } from "../words";
import { beside, loadConfig, makeGetToken, recall, remember, takeDemo, type Config, type Credentials } from "./credentials";
import { loadSettings, saveSettings, type Settings } from "./settings";
import "./sign-in";

let settings = loadSettings();
let config: Config | null = null;

const words = (): Words => LANGUAGES[settings.lang].words;

function applySettings(): void {
  document.documentElement.lang = LANGUAGES[settings.lang].locale;
}

function show(element: HTMLElement): void {
  document.querySelector("#page")?.replaceChildren(element);
}

function showSignIn(problem = ""): void {
  document.title = words().pageTitle;
  const form = document.createElement("carillon-sign-in");
  Object.assign(form, { words: words(), theme: settings.theme, config, problem });
  form.addEventListener("come", (event) => {
    const credentials = (event as CustomEvent<Credentials>).detail;
    remember(credentials);
    showInbox(credentials);
  });
  show(form);
}

function showInbox(credentials: Credentials): void {
  // The API is beside the page: `/inbox/` and `/api/v1/`, also behind a proxy's path.
  const client = createClient({ baseUrl: beside("..").replace(/\/$/, ""), getToken: makeGetToken(credentials) });
  const inbox = document.createElement("carillon-inbox");
  const leave = (problem = ""): void => {
    end();
    window.removeEventListener("popstate", follow);
    client.stop();
    remember(null);
    showSignIn(problem);
  };
  const follow = (): void => void (inbox.peer = readPeer());
  const end = watchSignedOut(client, () => leave(words().signInEnded));
  Object.assign(inbox, { client, theme: settings.theme, lang: settings.lang, peer: readPeer() });
  inbox.addEventListener("carillon-open", (event) => writePeer((event as CustomEvent<{ peer: number | null }>).detail.peer));
  inbox.addEventListener("carillon-unread", (event) => showCount((event as CustomEvent<{ count: number }>).detail.count));
  inbox.addEventListener("carillon-settings", (event) => {
    settings = (event as CustomEvent<Settings>).detail;
    saveSettings(settings);
    applySettings();
    button.textContent = words().signOut;
  });
  const button = makeSignOut(() => leave());
  inbox.append(button);
  window.addEventListener("popstate", follow);
  show(inbox);
}

/** Call `act` when the token is not, or no longer, accepted. */
function watchSignedOut(client: CarillonClient, act: () => void): () => void {
  return client.connection.state.subscribe(() => {
    const state = client.connection.state.get();
    if (state.status === "stopped" && state.reason === "signed_out") act();
  });
}

function makeSignOut(act: () => void): HTMLButtonElement {
  const button = document.createElement("button");
  button.slot = "menu";
  button.className = "sign-out";
  button.textContent = words().signOut;
  button.addEventListener("click", act);
  return button;
}

/** The conversation in the address: `#/31002`. */
function readPeer(): number | null {
  const found = /^#\/(-?\d+)$/.exec(location.hash)?.[1];
  return found === undefined ? null : Number(found);
}

/** A step in the browser's history, so that its back button leads to the list. */
function writePeer(peer: number | null): void {
  if (peer === readPeer()) return;
  history.pushState(null, "", `${location.pathname}${location.search}${peer === null ? "" : `#/${peer}`}`);
}

function showCount(count: number): void {
  document.title = count > 0 ? `(${count > 99 ? "99+" : count}) ${words().pageTitle}` : words().pageTitle;
}

/** Some phones lay their keyboard over the page: the page ends above it, and is not pushed away. */
function followKeyboard(): void {
  const { visualViewport } = window;
  visualViewport?.addEventListener("resize", () => {
    // Somebody who has zoomed in sees a part of the page, with or without a keyboard.
    if (visualViewport.scale !== 1) return;
    document.body.style.blockSize = `${visualViewport.height}px`;
    window.scrollTo(0, 0);
  });
}

async function start(): Promise<void> {
  applySettings();
  followKeyboard();
  let credentials = recall();
  let problem = "";
  try {
    config = await loadConfig();
    credentials = takeDemo(config) ?? credentials;
  } catch (error) {
    problem = `${words().configFailed} ${explain(error, words())}`;
  }
  if (credentials && !problem) showInbox(credentials);
  else showSignIn(problem);
}

void start();
