/** Who is signed in to the page: one of the demo's people, or whose token was pasted. Kept in this tab only. */
import { CarillonError, type ClientOptions } from "@carillon/client";

const KEY = "carillon.inbox.signed-in";

export interface DemoPerson {
  id: number;
  name: string;
}

/** What the server tells the page. */
export interface Config {
  /** Those who may come in without a password; null if nobody may. */
  demo_people: DemoPerson[] | null;
}

export type Credentials = { demo: DemoPerson } | { token: string };

/** An address beside the page: it may lie below any path. */
export function beside(path: string): string {
  return new URL(path, document.baseURI).href;
}

export async function loadConfig(): Promise<Config> {
  return ask<Config>("GET", "config.json");
}

export function remember(credentials: Credentials | null): void {
  if (credentials === null) sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, JSON.stringify(credentials));
}

/** Who was signed in before the page was loaded again; null if nobody. */
export function recall(): Credentials | null {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "null") as Credentials | null;
  } catch {
    return null;
  }
}

/**
 * Who is to come in at once: the demo's person in `?demo=<id>`, as `carillon demo --open` opens the page; null if nobody. It
 * is taken off the address, so that signing out lasts.
 */
export function takeDemo(config: Config): Credentials | null {
  const address = new URL(location.href);
  const id = address.searchParams.get("demo");
  if (id === null) return null;
  address.searchParams.delete("demo");
  history.replaceState(null, "", address);
  const person = config.demo_people?.find((one) => String(one.id) === id);
  if (!person) return null;
  remember({ demo: person });
  return { demo: person };
}

/** `getToken` of the client: a demo person gets another token when theirs has ended, a pasted one cannot. */
export function makeGetToken(credentials: Credentials): ClientOptions["getToken"] {
  if ("token" in credentials) return (reason) => (reason === "start" ? credentials.token : null);
  return async () => {
    const { token } = await ask<{ token: string }>("POST", "demo/sign-in", { id: credentials.demo.id });
    return token;
  };
}

async function ask<T>(method: string, path: string, body?: unknown): Promise<T> {
  const given = body === undefined ? {} : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
  const answer = await fetch(beside(path), { method, ...given }).catch((cause: unknown) => {
    throw new CarillonError("The server did not answer.", { code: "NO_ANSWER", cause });
  });
  const found = (await answer.json().catch(() => null)) as (T & { detail?: unknown; code?: string; request_id?: string }) | null;
  if (answer.ok && found !== null) return found;
  throw new CarillonError(typeof found?.detail === "string" ? found.detail : answer.statusText, {
    status: answer.status,
    code: found?.code ?? "NOT_JSON",
    requestId: found?.request_id ?? null,
  });
}
