// Asks the server, for every page. A request that changes something carries the header that no other site can send.

const PATIENCE_MS = 10_000;

// The session is over, or was never begun.
export class SignedOut extends Error {}

// The server knows why not, and asking again does not help: no such thing, not allowed, a wrong value.
export class Refused extends Error {
  constructor(message, status, code) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export async function ask(path) {
  return read(await fetch(`api/${path}`, { signal: AbortSignal.timeout(PATIENCE_MS) }));
}

// `body` is a text, or a value that goes as JSON.
export async function post(path, body) {
  const headers = { "X-Carillon-Console": "1" };
  if (body !== undefined && typeof body !== "string") {
    headers["Content-Type"] = "application/json";
    body = JSON.stringify(body);
  }
  const signal = AbortSignal.timeout(PATIENCE_MS);
  return read(await fetch(`api/${path}`, { method: "POST", headers, body, signal }));
}

// A query string of those values that are not empty.
export function query(values) {
  const text = new URLSearchParams(Object.entries(values).filter(([, value]) => value)).toString();
  return text && `?${text}`;
}

async function read(answer) {
  if (answer.ok) return answer.json();
  const { message, code } = await readReason(answer);
  if (answer.status === 401) throw new SignedOut(message);
  const isFinal = answer.status < 500 && answer.status !== 408 && answer.status !== 429;
  throw isFinal ? new Refused(message, answer.status, code) : new Error(message);
}

async function readReason(answer) {
  const text = await answer.text();
  try {
    const { detail, code } = JSON.parse(text);
    return { message: typeof detail === "string" ? detail : detail.map((one) => one.msg).join(" "), code };
  } catch {
    return { message: `${answer.status} ${answer.statusText}`.trim() };
  }
}
