/** Reads answers of the API: the JSON of a good one, the CarillonError of any other. */
import { CarillonError, type FieldError } from "./errors";

/** The JSON of an answer, or null without a body. Rejects with the CarillonError if it is an error. */
export async function readAnswer(response: Response, now: number): Promise<unknown> {
  const { ok, status, headers } = response;
  const text = await response.text();
  const body = parse(text);
  if (ok && body !== undefined) return body;
  const about = { status, retryAfter: readPause(headers.get("Retry-After"), now) };
  if (ok || !isProblem(body)) {
    const message = `The answer (${status}) is not the API's: is \`baseUrl\` right?`;
    throw new CarillonError(message, { ...about, code: "NOT_JSON", requestId: headers.get("X-Request-Id"), cause: text });
  }
  const { detail, code, request_id: requestId } = body;
  if (typeof detail === "string") throw new CarillonError(detail, { ...about, code, requestId });
  const message = detail.map(({ loc, msg }) => `${loc.join(".")}: ${msg}`).join("; ");
  throw new CarillonError(message, { ...about, code, requestId, fields: detail });
}

interface Problem {
  detail: string | FieldError[];
  code: string;
  request_id: string;
}

/** Null without a text, undefined for what is no JSON. */
function parse(text: string): unknown {
  try {
    return text === "" ? null : (JSON.parse(text) as unknown);
  } catch {
    return undefined;
  }
}

function isProblem(body: unknown): body is Problem {
  return typeof body === "object" && body !== null && "code" in body && "detail" in body;
}

/** `Retry-After` in milliseconds: seconds, or a date from a proxy (RFC 9110 §10.2.3); null for neither. */
function readPause(given: string | null, now: number): number | null {
  if (given === null) return null;
  const pause = /^\d+$/.test(given) ? Number(given) * 1000 : Date.parse(given) - now;
  return Number.isNaN(pause) ? null : Math.max(0, pause);
}
