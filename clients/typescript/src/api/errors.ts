/** The one error of the client: what the API refused, or that it was not reached. */
import type { ErrorCode } from "./generated/error-codes";

export type { ErrorCode };

/** One wrong field of a request (422). */
export interface FieldError {
  loc: (string | number)[];
  msg: string;
  type: string;
}

/**
 * What the client itself ran into.
 *
 * `NO_ANSWER`: the server was not reached, or did not answer in time; a browser does not tell that apart from an origin that
 * is not allowed. `NOT_JSON`: something answered that is not the API, such as a proxy. `SIGNED_OUT`: `getToken` gave null,
 * or another person's token. `NO_TOKEN`: it failed. `ABORTED`: the caller's own signal. `NO_BUTTON` and `BAD_ADDRESS`: there
 * is nothing to open, or nothing that may be opened. `NOT_CONFIGURED`: an option is missing; the sentence says which.
 */
export type LocalCode =
  | "NO_ANSWER"
  | "NOT_JSON"
  | "SIGNED_OUT"
  | "NO_TOKEN"
  | "ABORTED"
  | "NO_BUTTON"
  | "BAD_ADDRESS"
  | "NOT_CONFIGURED";

interface ErrorParts {
  status?: number;
  code: CarillonError["code"];
  requestId?: string | null;
  fields?: readonly FieldError[];
  retryAfter?: number | null;
  cause?: unknown;
}

const TEMPORARY = [408, 429, 500, 502, 503, 504];

export class CarillonError extends Error {
  override readonly name = "CarillonError";
  /** The HTTP status; 0 if there was no answer. */
  readonly status: number;
  /** Stable, for programs: one of the API's (a newer server may have others) or of the client's own. */
  readonly code: ErrorCode | LocalCode | (string & {});
  /** What to quote to the operator; null if there was no answer. */
  readonly requestId: string | null;
  /** The wrong fields of a 422; empty otherwise. */
  readonly fields: readonly FieldError[];
  /** When it makes sense to try again, in milliseconds from then; null if the server did not say. */
  readonly retryAfter: number | null;

  constructor(
    message: string,
    { status = 0, code, requestId = null, fields = [], retryAfter = null, cause }: ErrorParts,
  ) {
    super(message, { cause });
    this.status = status;
    this.code = code;
    this.requestId = requestId;
    this.fields = fields;
    this.retryAfter = retryAfter;
  }

  /** Whether the same request may succeed later: no answer, no token for now, 408, 429, 500, 502, 503, 504. */
  get isTemporary(): boolean {
    return ["NO_ANSWER", "NO_TOKEN"].includes(this.code) || TEMPORARY.includes(this.status);
  }
}
