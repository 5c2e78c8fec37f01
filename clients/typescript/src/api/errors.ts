/** The one error of the client: what the API refused, or that it was not reached. */
import type { ErrorCode } from "./generated/error-codes";

export type { ErrorCode };

/** One wrong field of a request (422). */
export interface FieldError {
  loc: (string | number)[];
  msg: string;
  type: string;
}

/** Why there is no HTTP status: no answer, or no token. */
export type LocalCode = "NO_ANSWER" | "SIGNED_OUT" | "ABORTED" | "NOT_JSON";

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
    given: {
      status?: number;
      code: CarillonError["code"];
      requestId?: string | null;
      fields?: readonly FieldError[];
      retryAfter?: number | null;
      cause?: unknown;
    },
  ) {
    super(message, given.cause === undefined ? undefined : { cause: given.cause });
    this.status = given.status ?? 0;
    this.code = given.code;
    this.requestId = given.requestId ?? null;
    this.fields = given.fields ?? [];
    this.retryAfter = given.retryAfter ?? null;
  }

  /** Whether the same request may succeed later: no answer, 408, 429, 500, 502, 503, 504. */
  get isTemporary(): boolean {
    return this.code === "NO_ANSWER" || [408, 429, 500, 502, 503, 504].includes(this.status);
  }
}
