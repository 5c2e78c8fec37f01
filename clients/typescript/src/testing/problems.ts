/** What the fake server refuses, in the words of the API: a status, a code, and a sentence or the fields that are wrong. */
import type { ErrorCode, FieldError } from "../api/errors";

/** The codes that the fake has reason for, with their statuses (docs/api/errors.md). */
const STATUS = {
  HEADER_MISSING: 401,
  HEADER_MALFORMED: 401,
  NOT_SIGNED_IN: 401,
  TOKEN_EXPIRED: 401,
  TICKET_NOT_VALID: 401,
  FOR_APPS_ONLY: 403,
  LINK_NOT_VALID: 403,
  NO_ACCOUNT: 403,
  NOT_ALLOWED: 403,
  NOT_THE_SENDER: 403,
  NOT_YOUR_UPLOAD: 403,
  RECALL_TOO_LATE: 403,
  NOT_FOUND: 404,
  NO_MAPPING: 404,
  UNKNOWN_APP: 404,
  UNKNOWN_MESSAGE: 404,
  UNKNOWN_OBJECT: 404,
  UNKNOWN_PATH: 404,
  UNKNOWN_PERSON: 404,
  UNKNOWN_RECEIVER: 404,
  UNKNOWN_TICKET: 404,
  METHOD_NOT_ALLOWED: 405,
  REQUEST_TIMEOUT: 408,
  ALREADY_UPLOADED: 409,
  IN_CONFLICT: 409,
  CONTENT_TOO_LARGE: 413,
  UPLOAD_TOO_LARGE: 413,
  BODY_NOT_JSON: 422,
  HOST_NOT_ALLOWED: 422,
  KEY_REUSED: 422,
  NO_BUTTON: 422,
  NOT_UPLOADED: 422,
  SEND_AT_PAST: 422,
  UPLOAD_INCOMPLETE: 422,
  VALIDATION: 422,
  UPGRADE_REQUIRED: 426,
  RATE_LIMITED: 429,
  TOO_MANY_SOCKETS: 429,
  INTERNAL: 500,
  UNAVAILABLE: 503,
} as const satisfies Partial<Record<ErrorCode, number>>;

export type ProblemCode = keyof typeof STATUS;

/** A request that is refused. `detail` is a sentence, or for 422 the fields that are wrong. */
export class Problem extends Error {
  readonly status: number;

  constructor(
    readonly code: string,
    readonly detail: string | FieldError[],
    { status = STATUS[code as ProblemCode], headers = {} }: { status?: number; headers?: Record<string, string> } = {},
  ) {
    super(typeof detail === "string" ? detail : detail.map(({ msg }) => msg).join("; "));
    this.status = status;
    this.headers = headers;
  }

  readonly headers: Record<string, string>;
}

export function refuse(code: ProblemCode, detail: string, headers?: Record<string, string>): Problem {
  return new Problem(code, detail, headers && { headers });
}

/** 422 for one field; `where` it is: body, query, path or header. */
export function invalid(field: string, msg: string, options: { where?: string; code?: ProblemCode } = {}): Problem {
  const { where = "body", code = "VALIDATION" } = options;
  return new Problem(code, [{ loc: [where, field], msg, type: "value_error" }]);
}

const OF_STATUS: Record<number, ProblemCode> = {
  401: "NOT_SIGNED_IN",
  403: "NOT_ALLOWED",
  404: "NOT_FOUND",
  408: "REQUEST_TIMEOUT",
  409: "IN_CONFLICT",
  422: "VALIDATION",
  429: "RATE_LIMITED",
  503: "UNAVAILABLE",
};

/** A problem that a test asks for, by its status alone. */
export function makeProblem(status: number, { code, retryAfter = 1 }: { code?: string; retryAfter?: number }): Problem {
  const headers: Record<string, string> = [429, 503].includes(status) ? { "Retry-After": String(retryAfter) } : {};
  const chosen = code ?? OF_STATUS[status] ?? "INTERNAL";
  const detail = status === 422 ? [{ loc: ["body"], msg: "A test asked for this.", type: "value_error" }] : "A test asked for this.";
  return new Problem(chosen, detail, { status, headers });
}
