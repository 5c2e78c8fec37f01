// src/api/errors.ts
var CarillonError = class extends Error {
  name = "CarillonError";
  /** The HTTP status; 0 if there was no answer. */
  status;
  /** Stable, for programs: one of the API's (a newer server may have others) or of the client's own. */
  code;
  /** What to quote to the operator; null if there was no answer. */
  requestId;
  /** The wrong fields of a 422; empty otherwise. */
  fields;
  /** When it makes sense to try again, in milliseconds from then; null if the server did not say. */
  retryAfter;
  constructor(message, given) {
    super(message, given.cause === void 0 ? void 0 : { cause: given.cause });
    this.status = given.status ?? 0;
    this.code = given.code;
    this.requestId = given.requestId ?? null;
    this.fields = given.fields ?? [];
    this.retryAfter = given.retryAfter ?? null;
  }
  /** Whether the same request may succeed later: no answer, 408, 429, 500, 502, 503, 504. */
  get isTemporary() {
    return this.code === "NO_ANSWER" || [408, 429, 500, 502, 503, 504].includes(this.status);
  }
};

// src/api/generated/close-codes.ts
var CLOSE_CODES = {
  NOT_UTF8: 1007,
  FLOODING: 1008,
  TOO_LONG: 1009,
  RESTARTING: 1012,
  OVER_CAPACITY: 1013,
  SILENT: 4400,
  TOKEN_EXPIRED: 4401,
  SLOW_READER: 4408,
  DISABLED: 4500,
  REPLACED: 4501
};
export {
  CLOSE_CODES,
  CarillonError
};
//# sourceMappingURL=index.js.map