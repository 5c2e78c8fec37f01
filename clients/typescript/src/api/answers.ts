/** Reads answers of the API: the JSON of a good one, the CarillonError of any other. */
import { CarillonError, type FieldError } from "./errors";

/** The JSON of an answer, or null without a body. Rejects with the CarillonError if it is an error. */
export async function readAnswer(response: Response, now: number): Promise<unknown> {
  const text = await response.text();
  const body = parse(text);
  if (response.ok && body !== undefined) return body;
  const requestId = response.headers.get("X-Request-Id");
  if (response.ok || !isProblem(body)) {
    const message = `The answer (${response.status}) is not the API's: is \`baseUrl\` right?`;
    const { status } = response;
    throw new CarillonError(message, { status, code: "NOT_JSON", requestId, cause: text, ...readPause(response, now) });
  }
  throw new CarillonError(describe(body.detail), {
    status: response.status,
    code: body.code,
    requestId: body.request_id ?? requestId,
    fields: typeof body.detail === "string" ? [] : body.detail,
    ...readPause(response, now),
  });
}

interface Problem {
  detail: string | FieldError[];
  code: string;
  request_id?: string;
}

/** Undefined for what is no JSON. */
function parse(text: string): unknown {
  if (text === "") return null;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function isProblem(body: unknown): body is Problem {
  return typeof body === "object" && body !== null && "code" in body && "detail" in body;
}

function describe(detail: Problem["detail"]): string {
  if (typeof detail === "string") return detail;
  return detail.map(({ loc, msg }) => `${loc.join(".")}: ${msg}`).join("; ");
}

/** `Retry-After` in milliseconds: seconds, or a date from a proxy (RFC 9110 §10.2.3). */
function readPause(response: Response, now: number): { retryAfter: number | null } {
  const given = response.headers.get("Retry-After");
  if (given === null) return { retryAfter: null };
  const pause = /^\d+$/.test(given) ? Number(given) * 1000 : Date.parse(given) - now;
  return { retryAfter: Number.isNaN(pause) ? null : Math.max(0, pause) };
}
